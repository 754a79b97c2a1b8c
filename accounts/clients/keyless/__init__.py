"""Clients without a stored secret: a proof of who runs there is exchanged for a token (RFC 8693)."""
