"""The audit log: who did or read what in the portal, in the transaction of the act (45 CFR 164.312(b))."""
