"""What can go wrong in the vault."""

from __future__ import annotations

from accounts.errors import PortalError, Unavailable


class NotIntact(PortalError):
    """Stored evidence is missing or not what was sealed. It is not served."""

    status = 500
    slug = "evidence-not-intact"


class StoreUnavailable(Unavailable):
    """The store doesn't answer or is full; nothing was stored."""
