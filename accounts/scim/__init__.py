"""SCIM 2.0 (RFC 7643, RFC 7644): an identity provider creates, changes and ends a tenant's memberships.

SCIM has the tenant's own view of a person, and decides about the membership. It never changes a person: not the
name, the address, the password, nor anything in another tenant.
"""
