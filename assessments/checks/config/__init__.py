"""Checks of AWS Config: what it records, and what its rules say."""
