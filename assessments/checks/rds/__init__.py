"""Checks of Amazon RDS and Aurora."""
