"""The yearly verification: a business associate's written analysis of its technical safeguards, certified and delivered."""
