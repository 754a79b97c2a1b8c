"""Checks of trails: what CloudTrail records, and how it is kept."""
