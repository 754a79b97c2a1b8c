"""Small secrets in the database (TOTP seeds), readable only with a key that the database doesn't hold.

AES-256-GCM with a fresh 96-bit nonce; the key is derived from settings.FIELD_KEY by HKDF-SHA256 (RFC 5869).
The associated data binds a secret to its place, so that a row's secret can't be copied to another row. Each
sealed value begins with its key's id: to rotate, give the new key a new FIELD_KEY_ID, keep the old one in
FIELD_KEYS_RETIRED ({id: key}), and save every secret once.
"""

from __future__ import annotations

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE_BYTES = 12


class SealBrokenError(RuntimeError):
    """The value was altered, moved from another row, or sealed with a key that is not configured."""


def seal(secret: bytes, *, place: str) -> bytes:
    """The secret, encrypted for one place (such as "totp:<person's id>")."""
    key_id, nonce = _current_key_id(), os.urandom(_NONCE_BYTES)
    head = bytes([len(key_id)]) + key_id.encode("ascii")
    return head + nonce + _cipher(_key(key_id)).encrypt(nonce, secret, head + place.encode())


def unseal(sealed: bytes, *, place: str) -> bytes:
    """The secret of a sealed value. Raises SealBrokenError."""
    end = 1 + sealed[0]
    head, nonce, body = sealed[:end], sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
    try:
        return _cipher(_key(head[1:].decode("ascii"))).decrypt(nonce, body, head + place.encode())
    except (InvalidTag, KeyError) as error:
        raise SealBrokenError(f"a sealed value of {place.partition(':')[0]} can't be opened") from error


def _current_key_id() -> str:
    return str(settings.FIELD_KEY_ID)


def _key(key_id: str) -> bytes:
    key = settings.FIELD_KEY if key_id == _current_key_id() else settings.FIELD_KEYS_RETIRED[key_id]
    return bytes(key)


@cache
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"surety field secrets").derive(key))
