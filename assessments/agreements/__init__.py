"""Business associate agreements: their versions, clauses and dates (45 CFR 164.308(b), 164.314(a), 164.504(e))."""
