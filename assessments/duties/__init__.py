"""The calendar of duties: every clock of the tenant in one list."""
