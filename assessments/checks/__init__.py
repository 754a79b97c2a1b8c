"""Checks: one file each, in a folder per AWS service, found by scanning. Adding a file adds a check."""
