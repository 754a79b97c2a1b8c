"""The yearly verification: a business associate's analysis of its technical safeguards, certified and delivered."""
