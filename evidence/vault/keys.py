"""Key-encryption keys: what wraps the data key of each blob."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from evidence.vault.clients import aws_client
from evidence.vault.errors import NotIntact

_NONCE = 12


class WrappingKey(Protocol):
    """Wraps and unwraps data keys. `context` is authenticated and must be the same for both."""

    id: str

    def wrap(self, data_key: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes: ...


class LocalKey:
    """AES-256-GCM under a key derived (HKDF-SHA256) from the secret VAULT_LOCAL_KEY."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"surety vault wrapping key").derive(
            secret.encode()
        )
        self._cipher = AESGCM(derived)
        self.id = "local:1"

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        # A random nonce is safe for 2^32 wraps under one key (NIST SP 800-38D, section 8.3).
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag as error:
            raise NotIntact("the data key does not unwrap: it or the vault's key was changed") from error


class KmsKey:
    """An AWS KMS key, by ARN or alias. The context goes into the encryption context, so CloudTrail shows it."""

    def __init__(self, key_id: str) -> None:
        self.id = key_id

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        answer = _kms().encrypt(KeyId=self.id, Plaintext=data_key, EncryptionContext=_context(context))
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        client = _kms()
        try:
            answer = client.decrypt(
                KeyId=self.id, CiphertextBlob=wrapped, EncryptionContext=_context(context)
            )
        except client.exceptions.InvalidCiphertextException as error:
            raise NotIntact("the data key does not unwrap: it or the vault's key was changed") from error
        return bytes(answer["Plaintext"])


def wrapping_key(key_id: str = "") -> WrappingKey:
    """The key that seals now, or the one of a given id (a blob's)."""
    wanted = key_id or settings.VAULT_KEY
    return _local_key(settings.VAULT_LOCAL_KEY) if wanted.startswith("local") else KmsKey(wanted)


@cache
def _local_key(secret: str) -> LocalKey:
    return LocalKey(secret)


def _context(context: bytes) -> dict[str, str]:
    return {"surety": context.decode()}


def _kms() -> Any:
    return aws_client("kms", settings.VAULT_PROFILE, settings.VAULT_KMS_ENDPOINT_URL)
