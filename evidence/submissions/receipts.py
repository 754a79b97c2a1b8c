"""Receipts: what was received, signed (RFC 7515, Ed25519), so that the sender can show that it was sent.

The signing key is derived from settings.FIELD_KEY, and its id is FIELD_KEY_ID: after a rotation the retired keys'
public halves are still given out. That a receipt stands in the sealed audit log is a further proof
(accounts.audit.seals.proof_of), which no key of this process can make.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from joserfc import jws
from joserfc.jwk import OKPKey
from rfc8785 import dumps

ALGORITHM = "Ed25519"
KIND = "surety-receipt+jws"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. `digest` is the document's SHA-256 in hex, `received_at` in RFC 3339."""

    issuer: str
    tenant: UUID
    submission: UUID
    sequence: int
    digest: str
    size: int
    received_at: str

    def payload(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "iss": self.issuer, "tenant": str(self.tenant), "id": str(self.submission), "sequence": self.sequence,
            "digest": self.digest, "size": self.size, "received_at": self.received_at,
        }  # fmt: skip


def sign_receipt(receipt: Receipt) -> str:
    """The receipt as a compact JWS; the same receipt gives the same text."""
    header = {"alg": ALGORITHM, "kid": settings.FIELD_KEY_ID, "typ": KIND}
    return jws.serialize_compact(
        header, dumps(receipt.payload()), _key(settings.FIELD_KEY), algorithms=[ALGORITHM]
    )


def public_keys() -> dict[str, Any]:
    """The keys that receipts are verified with, as a JWK set (RFC 7517): the one in use first."""
    keys = {settings.FIELD_KEY_ID: settings.FIELD_KEY, **settings.FIELD_KEYS_RETIRED}
    return {
        "keys": [
            {**_key(key).as_dict(private=False), "kid": key_id, "alg": ALGORITHM, "use": "sig"}
            for key_id, key in keys.items()
        ]
    }


@cache
def _key(secret: bytes) -> OKPKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"surety submission receipts").derive(secret)
    private = Ed25519PrivateKey.from_private_bytes(seed)
    encode = base64.urlsafe_b64encode
    return OKPKey.import_key({
        "kty": "OKP", "crv": "Ed25519", "d": encode(seed).rstrip(b"=").decode(),
        "x": encode(private.public_key().public_bytes_raw()).rstrip(b"=").decode(),
    })  # fmt: skip


def receipt_digest(receipt: str) -> str:
    """What the audit log's entry says of a receipt: the SHA-256 of the JWS, in hex."""
    return hashlib.sha256(receipt.encode()).hexdigest()
