"""Webhooks: what happens in a tenant, told to the tenant's own systems by the Standard Webhooks convention."""
