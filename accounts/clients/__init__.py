"""API clients: machines of a tenant that speak to the interface under /api/v1."""
