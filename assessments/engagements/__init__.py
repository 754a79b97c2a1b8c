"""Engagements: an outside auditor's scoped, time-boxed access to a tenant, and the work done in it by both sides."""
