"""Nonces for signed requests: made for anybody, good for five minutes and for one use."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.core import signing
from django.utils import timezone

from accounts.clients.keyless.proofs import RefusedProof, Why, spend

NONCE_SECONDS = 5 * 60
_signer = signing.TimestampSigner(sep=".", salt="api nonce")


def make_nonce() -> str:
    """A new one; nothing is kept of it before it is used."""
    return _signer.sign(secrets.token_urlsafe(16))


def check_nonce(nonce: str) -> None:
    """Raises RefusedProof for one that isn't ours or is over."""
    try:
        _signer.unsign(nonce, max_age=NONCE_SECONDS)
    except signing.BadSignature as error:
        raise RefusedProof(
            Why.NONCE, "The nonce is not this portal's, or is over: ask for another."
        ) from error


def spend_nonce(nonce: str) -> None:
    """Takes the nonce, which is the only time. Raises RefusedProof for one that was used."""
    spend("nonce", nonce.partition(".")[0], until=timezone.now() + timedelta(seconds=2 * NONCE_SECONDS))
