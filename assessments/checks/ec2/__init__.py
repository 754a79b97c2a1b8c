"""Checks of Amazon EC2 and EBS."""
