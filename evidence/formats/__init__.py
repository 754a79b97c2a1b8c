"""Formats of submitted documents: one file each, found by scanning this package. Adding a file adds a format."""
