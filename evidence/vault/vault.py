"""Seals bytes and opens them again."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import zstandard

from accounts.tenancy.models import new_id
from evidence import fields
from evidence.models import Blob
from evidence.vault import cipher
from evidence.vault.errors import NotIntact
from evidence.vault.keys import wrapping_key
from evidence.vault.stores import store

__all__ = ["Kept", "NotIntact", "Sealed", "find_blob", "open_blob", "seal", "verify_blob"]

JSON = "application/json"
"""The media type whose documents are cut into salted leaves."""
MOST_BYTES = 1 << 30
"""What a blob that is opened in memory may unpack to."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes in the store whose row is still to be written, by `keep`, in the transaction of what they prove."""

    tenant_id: object
    digest: str
    ciphertext_digest: str
    size: int
    stored_size: int
    media_type: str
    address: str
    wrapped_key: bytes
    key_id: str
    sealed_at: datetime
    salt: bytes
    fields_root: str

    def keep(self) -> Blob:
        """Writes the row, or returns the one of equal bytes that came first (this copy is then never referred to)."""
        values = {name: getattr(self, name) for name in self.__slots__ if name not in {"tenant_id", "digest"}}
        return Blob.objects.get_or_create(digest=self.digest, defaults=values)[0]


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that the vault has already."""

    blob: Blob

    def keep(self) -> Blob:
        """The row of the equal bytes."""
        return self.blob


def seal(content: bytes, *, tenant_id: object, media_type: str) -> Sealed:
    """Encrypts bytes and stores them. Touches no database, so it may take its time.

    Raises StoreUnavailable, and then nothing is stored.
    """
    digest = hashlib.sha256(content).hexdigest()
    context = context_of(tenant_id, digest, media_type)
    ciphertext, data_key = cipher.encrypt(zstandard.ZstdCompressor(level=3).compress(content), context)
    key = wrapping_key()
    blob_id = str(new_id())
    address = f"{tenant_id}/{blob_id[-2:]}/{blob_id}"
    store().put(address, ciphertext)
    salt = os.urandom(fields.SALT_BYTES)
    root = _fields_root(content, salt) if media_type == JSON else ""
    return Sealed(
        tenant_id, digest, hashlib.sha256(ciphertext).hexdigest(), len(content), len(ciphertext), media_type, address,
        key.wrap(data_key, context), key.id, datetime.now(UTC), salt, root,
    )  # fmt: skip


def _fields_root(content: bytes, salt: bytes) -> str:
    try:
        return fields.root_of(json.loads(content), salt)
    except (ValueError, RecursionError):
        # Called JSON and isn't, or not what RFC 8785 can write: it has no fields, and is shown whole or not at all.
        return ""


def find_blob(content: bytes) -> Blob | None:
    """The open tenant's blob of these very bytes, where it has one."""
    return Blob.objects.filter(digest=hashlib.sha256(content).hexdigest()).first()


def open_blob(blob: Blob) -> bytes:
    """The sealed bytes. Raises NotIntact where anything differs from what was sealed, StoreUnavailable."""
    ciphertext = store().get(blob.address)
    if not hmac.compare_digest(hashlib.sha256(ciphertext).hexdigest(), blob.ciphertext_digest):
        raise NotIntact("the stored bytes are not the ones that were sealed (SHA-256 differs)")
    context = blob_context(blob)
    data_key = wrapping_key(blob.key_id).unwrap(bytes(blob.wrapped_key), context)
    compressed = cipher.decrypt(ciphertext, data_key, context)
    content = _unpacked(compressed)
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), blob.digest):
        raise NotIntact("the opened bytes are not the ones that were sealed (SHA-256 differs)")
    return content


def _unpacked(compressed: bytes) -> bytes:
    """Of a frame that says its size, or of one that was written as a stream."""
    with zstandard.ZstdDecompressor().stream_reader(compressed) as stream:
        content: bytes = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise NotIntact("the stored bytes unpack to more than is opened at once")
    return content


def verify_blob(blob: Blob) -> str:
    """An empty text where the blob is intact, else what is wrong with it."""
    try:
        open_blob(blob)
    except NotIntact as error:
        return str(error)
    return ""


def blob_context(blob: Blob) -> bytes:
    """What is authenticated with this blob's bytes and key."""
    return blob.sealed_as.encode() or context_of(blob.tenant_id, blob.digest, blob.media_type)


def context_of(tenant_id: object, digest: str, media_type: str) -> bytes:
    """What is authenticated with a blob's bytes and key."""
    return f"{tenant_id}|{digest}|{media_type}".encode()
