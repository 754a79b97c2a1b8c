"""The operator's staff see a tenant only through a window that the tenant grants (45 CFR 164.312(a)(1))."""
