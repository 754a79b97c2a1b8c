"""Checks of the root user, users, roles and policies."""
