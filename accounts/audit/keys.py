"""The keys that sign the log: Ed25519, the private half in the sealer's process or in AWS KMS alone.

A key is registered in AuditKey by its public half, the first one as it comes, each later one with a certificate: a
note over it by the key before. The current key is the one that is not retired.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_der_public_key

from accounts.audit.notes import certificate_text, encode_vkey, key_hash, write_note

LEAST_CHARACTERS = 32
_ROTATION_LOCK = 0x53757265_02
"""Held shared by every transaction that signs, and alone by the one that changes the key."""


class WrongKeyError(RuntimeError):
    """None of the private keys at hand is the log's current one; the message names what is expected."""


class Signer(Protocol):
    """The private half of a key."""

    public_key: bytes

    def sign(self, message: bytes) -> bytes: ...


class LocalSigner:
    """A key made (HKDF-SHA256) from a secret text."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"surety audit signing key").derive(
            secret.encode()
        )
        self._key = Ed25519PrivateKey.from_private_bytes(derived)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class KmsSigner:
    """A key in AWS KMS of the key spec ECC_NIST_EDWARDS25519, which never leaves it; one call a signature."""

    def __init__(self, arn: str, client: Any) -> None:
        self._arn, self._client = arn, client
        key = load_der_public_key(client.get_public_key(KeyId=arn)["PublicKey"])
        if not isinstance(key, Ed25519PublicKey):
            raise WrongKeyError(f"{arn} is not an Ed25519 key (ECC_NIST_EDWARDS25519).")
        self.public_key = key.public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        answer = self._client.sign(
            KeyId=self._arn, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
        )
        return bytes(answer["Signature"])


def make_signer(secret: str) -> Signer:
    """The signer of a secret: the ARN of a KMS key, or a text of at least 32 characters."""
    if secret.startswith("arn:"):
        import boto3  # half a second that a local key needn't pay

        return KmsSigner(secret, boto3.client("kms", region_name=secret.split(":")[3]))
    if len(secret) < LEAST_CHARACTERS:
        raise WrongKeyError(
            "The audit log's signing key is a text of at least 32 characters, or a KMS key's ARN."
        )
    return LocalSigner(secret)


def current_signer(connection: psycopg.Connection[Any], signers: Iterable[Signer]) -> Signer:
    """The signer of the log's current key, which stays so until the transaction ends. The first is registered.

    Raises WrongKeyError where none of the signers is the current key's.
    """
    signers = list(signers)
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_ROTATION_LOCK])
    current = _current_key(connection)
    if current is None:
        _insert_key(connection, signers[0].public_key, None, datetime.now(UTC))
        return signers[0]
    for signer in signers:
        if signer.public_key == current:
            return signer
    raise WrongKeyError(
        f"The audit log is signed with the key {encode_vkey(current)}, which is neither AUDIT_SIGNING_KEY nor"
        " AUDIT_SIGNING_KEY_NEXT. Give the sealer that key; manage.py rotate_audit_key changes it."
    )


def rotate_key(
    connection: psycopg.Connection[Any], *, old: Signer | None, new: Signer, at: datetime | None = None
) -> str:
    """Makes `new` the log's key, certified by `old` (None: the old one is lost); returns its vkey.

    Repeating it is harmless. Raises WrongKeyError where `old` isn't the current key. Commits.
    """
    at = at or datetime.now(UTC)
    vkey = encode_vkey(new.public_key)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ROTATION_LOCK])
        current = _current_key(connection)
        if current == new.public_key:
            return vkey
        if old is not None and current != old.public_key:
            raise WrongKeyError("AUDIT_SIGNING_KEY is not the key that the log is signed with now.")
        certificate = write_note(certificate_text(vkey, at), old.public_key, old.sign) if old else None
        connection.execute("UPDATE accounts_auditkey SET retired_at = %s WHERE retired_at IS NULL", [at])
        _insert_key(connection, new.public_key, certificate, at)
    return vkey


def public_keys(connection: psycopg.Connection[Any]) -> list[bytes]:
    """All keys that have signed the log, oldest first."""
    rows = connection.execute("SELECT public_key FROM accounts_auditkey ORDER BY created_at").fetchall()
    return [bytes(key) for (key,) in rows]


def _current_key(connection: psycopg.Connection[Any]) -> bytes | None:
    row = connection.execute(
        "SELECT public_key FROM accounts_auditkey WHERE retired_at IS NULL ORDER BY created_at DESC LIMIT 1"
    ).fetchone()
    return bytes(row[0]) if row else None


def _insert_key(
    connection: psycopg.Connection[Any], public_key: bytes, certificate: str | None, at: datetime
) -> None:
    connection.execute(
        "INSERT INTO accounts_auditkey (key_id, vkey, public_key, certificate, created_at) VALUES (%s, %s, %s, %s, %s)",
        [key_hash(public_key).hex(), encode_vkey(public_key), public_key, certificate, at],
    )
