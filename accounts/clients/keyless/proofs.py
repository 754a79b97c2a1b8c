"""What all proofs have in common: what came of one, why one is refused, and that each counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ClientTrust, SpentProof

LONGEST_PROOF = 16 << 10
"""Of a subject token, in characters."""
LONGEST_SEEN = 200
_SWEPT = 50


class Why(StrEnum):
    """Why a proof is refused; this stands in the audit log."""

    MALFORMED = "malformed"
    NO_TRUST = "no trust"
    ISSUER = "issuer"
    ALGORITHM = "algorithm"
    KEY_ID = "key id"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    TOO_OLD = "too old"
    AUDIENCE = "audience"
    SUBJECT = "subject"
    REPLAY = "replay"
    URL = "url"
    ACTION = "action"
    HEADER = "header"
    NONCE = "nonce"
    AWS = "refused by aws"
    ACCOUNT = "account"
    ARN = "arn"
    UNREACHABLE = "unreachable"


class RefusedProof(Exception):
    """The proof lets nobody in. The message says why; `seen` is what it said, for the tenant's log."""

    def __init__(self, why: Why, words: str, **seen: object) -> None:
        super().__init__(words)
        self.why = why
        self.seen: Mapping[str, str] = {name: str(said)[:LONGEST_SEEN] for name, said in seen.items()}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: by which trust, and who was proved (an ARN, or a token's subject).

    `seen` is what else the tenant's log keeps of it.
    """

    trust: ClientTrust
    subject: str
    seen: Mapping[str, str] = field(default_factory=dict)


def spend(*parts: str, until: datetime) -> None:
    """Keeps that this was used, for as long as it could be used again. Raises RefusedProof where it was before."""
    digest = _digest(parts)
    old = SpentProof.objects.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True)[:_SWEPT]
    SpentProof.objects.filter(pk__in=list(old)).delete()
    try:
        with transaction.atomic():
            SpentProof.objects.create(digest=digest, expires_at=until)
    except IntegrityError as error:
        raise RefusedProof(Why.REPLAY, "This proof was used before: make a new one.") from error


def _digest(parts: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
