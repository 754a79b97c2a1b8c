"""Relations between two tenants: a covered entity (or a business associate) and who works for it."""
