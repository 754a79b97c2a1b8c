"""Checks of the customer-managed KMS keys."""
