"""Questionnaires: what an upstream party asks of its business associates, what they answer, and what it makes of it."""
