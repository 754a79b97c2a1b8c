"""The PHI guard: finds the 18 identifiers of 45 CFR 164.514(b)(2) in what is submitted as evidence."""
