"""What other parts do that changes the chain: it is computed again, or marked to be, in their transaction."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from assessments.agreements.models import Agreement
from assessments.chain.models import ChainConsent, ChainState
from assessments.chain.telling import ask_refresh, refresh_chain, take_back_upwards
from assessments.partnerships.signals import partnership_began, partnership_ended
from assessments.verifications.models import VerificationReceipt
from assessments.verifications.signals import verification_arrived


def listen() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_agreement_saved, sender=Agreement, dispatch_uid="chain")
    partnership_began.connect(_partnership_began, dispatch_uid="chain")
    partnership_ended.connect(_partnership_ended, dispatch_uid="chain")
    verification_arrived.connect(_verification_changed, dispatch_uid="chain")
    post_save.connect(_verification_changed, sender=VerificationReceipt, dispatch_uid="chain")


def _agreement_saved(instance: Agreement, **_: Any) -> None:
    if ChainConsent.objects.filter(associate_id=instance.associate_id).exists():
        ask_refresh()


def _partnership_began(**_: Any) -> None:
    """An entry of the register that others are told of may have become a tenant."""
    if ChainState.objects.exists():
        ask_refresh()


def _verification_changed(**_: Any) -> None:
    """One was delivered to the open tenant, or it answered one."""
    if ChainState.objects.exists():
        ask_refresh()


def _partnership_ended(**_: Any) -> None:
    """What was told in it ends at once, on this side and above."""
    if ChainState.objects.exists():
        take_back_upwards(refresh_chain())
