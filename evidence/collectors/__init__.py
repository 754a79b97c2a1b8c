"""Collectors: one file each, found by scanning this package. Adding a file adds a collector."""
