"""Checks of secrets: rotation, keys, who may read them."""
