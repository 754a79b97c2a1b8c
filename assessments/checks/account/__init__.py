"""Checks of the AWS account's own settings."""
