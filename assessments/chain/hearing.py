"""What other parts do that changes the chain: each marks it to be computed again, in its own transaction."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from assessments.agreements.models import Agreement
from assessments.chain.models import ChainConsent
from assessments.chain.telling import ask_refresh


def listen() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_agreement_saved, sender=Agreement, dispatch_uid="chain")


def _agreement_saved(instance: Agreement, **_: Any) -> None:
    if ChainConsent.objects.filter(associate_id=instance.associate_id).exists():
        ask_refresh()
