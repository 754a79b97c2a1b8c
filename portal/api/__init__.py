"""The interface for machines under /api/v1, and the pages on which a tenant lets its machines in."""
