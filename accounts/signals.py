"""What happened in accounts, for apps that accounts doesn't know. Sent in the act's transaction, its tenant open."""

from __future__ import annotations

from django.dispatch import Signal

invitation_accepted = Signal()
"""With `invitation` (accounts.models.Invitation) and `person`, who is a member from now on."""
