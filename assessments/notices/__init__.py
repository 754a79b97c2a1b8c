"""Notices between business associates and covered entities, each with its clock, and what follows from a breach."""
