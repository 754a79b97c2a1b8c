"""What happened in accounts, for apps that accounts doesn't know. Sent in the act's transaction, its tenant open."""

from __future__ import annotations

from django.dispatch import Signal

invitation_accepted = Signal()
"""With `invitation` (accounts.models.Invitation) and `person`, who is a member from now on."""

webhook_waits = Signal()
"""With `kind` ("delivery" or "handover"), `tenant_id` and `row_ids`: after the commit, outside of any tenant."""

webhook_settled = Signal()
"""With `delivery` (its message loaded): delivered, or a dead letter."""
