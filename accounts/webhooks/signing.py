"""Signatures by the Standard Webhooks convention (https://www.standardwebhooks.com): HMAC-SHA256, `v1`."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

_SECRET_BYTES = 32


def new_secret() -> str:
    """A signing secret, as receivers are given it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(message_id: str, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The headers of one try, signed with each of the secrets now, so that a receiver may hold any of them."""
    at = datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, at, body) for key in keys),
    }
