"""Tenancy: a tenant's rows are reachable only while that tenant is open.

Four fences: PostgreSQL row-level security (rls), the ORM (models), few openers (scope), and tests.
"""
