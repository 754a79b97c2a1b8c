"""Verifies the log in the database, as an operator: every entry, leaf, tile, checkpoint, signature and anchor.

Shares no code with what writes the log, so that a mistake there doesn't hide itself here; needs psycopg and
cryptography, not Django. Reads all tenants as portal_sealer. `manage.py verify_log` is its command.
"""
