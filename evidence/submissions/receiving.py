"""Takes a document into the vault as it comes: hashed, packed and encrypted in one pass, in flat memory.

No transaction is open meanwhile. What is stored has a data key that stands nowhere until the submission's row is
written: without the row it can't be opened by anybody.
"""

from __future__ import annotations

import base64
import hmac
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import zstandard

from accounts.errors import InvalidInput, PortalError, Unavailable
from accounts.tenancy.models import new_id
from evidence import vault
from evidence.submissions.models import submission_context
from evidence.vault.hashing import StreamDigest
from evidence.vault.streams import CHUNK, MOST_BYTES, StreamKept

LARGE_BYTES = 1 << 20
LARGE_AT_ONCE = 6
"""How many large documents one process takes at a time; the rest of its threads go on serving others."""
SLOW_AFTER_SECONDS, SLOWEST_BYTES_PER_SECOND = 30.0, 1024.0
_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):\s*")
_large = threading.BoundedSemaphore(LARGE_AT_ONCE)

Read = Callable[[int], bytes]
"""Gives at most so many bytes of the body, none at its end. Raises OSError where the sender is gone."""


class DocumentTooLarge(PortalError):
    """The document has more than is taken."""

    status = 413
    slug = "body-too-large"


class DigestMismatch(PortalError):
    """What arrived isn't what the sender says it sent."""

    status = 400
    slug = "digest-mismatch"


class BodyCut(PortalError):
    """The body ended before it was whole, or came too slowly."""

    status = 408
    slug = "body-cut"


@dataclass(slots=True)
class Received:
    """A document in the vault whose row is still to be written. `claimed` once a row may have been."""

    digest: str
    size: int
    kept: StreamKept
    claimed: bool = False


@contextmanager
def receive_document(
    read: Read, *, tenant_id: UUID, declared_size: int | None, declared_digest: str = ""
) -> Iterator[Received]:
    """Stores what `read` gives; takes it back unless somebody claimed it.

    `declared_digest` is a Content-Digest field (RFC 9530), "" for none. Raises DocumentTooLarge, DigestMismatch,
    BodyCut, InvalidInput for an empty document, Unavailable.
    """
    expected = _expected_digest(declared_digest)
    if declared_size is not None and declared_size > MOST_BYTES:
        raise DocumentTooLarge(f"A document has at most {MOST_BYTES:,} bytes.")
    document_id = str(new_id())
    address = f"{tenant_id}/{document_id[-2:]}/{document_id}"
    taking = _Taking(read, declared_size)
    with vault.seal_stream(address=address, context=submission_context(tenant_id, address)) as sink:
        taking.into(sink.write)
    received = Received(taking.digest.hexdigest(), taking.size, sink.kept)
    try:
        if expected and not hmac.compare_digest(taking.digest.digest(), expected):
            raise DigestMismatch("The document that arrived has another SHA-256 than Content-Digest says.")
        yield received
    finally:
        if not received.claimed:
            # What can't be removed now can't be opened either.
            with suppress(Unavailable, OSError):
                vault.remove_stream(address)


class _Taking:
    """One body on its way into the vault."""

    def __init__(self, read: Read, declared_size: int | None) -> None:
        self._read, self._declared = read, declared_size
        self.digest, self.size = StreamDigest(), 0
        self._began = time.monotonic()
        self._holds_place = False

    def into(self, write: Callable[[bytes], object]) -> None:
        """Raises DocumentTooLarge, BodyCut, InvalidInput, Unavailable."""
        packer = zstandard.ZstdCompressor(level=1).compressobj()
        try:
            while piece := self._next():
                write(packer.compress(piece))
            write(packer.flush())
        finally:
            if self._holds_place:
                _large.release()
        if self._declared is not None and self.size < self._declared:
            raise BodyCut("The body ended before it was whole. Send it again, with the same Idempotency-Key.")
        if not self.size:
            raise InvalidInput("The body is empty: send the document as the body.")

    def _next(self) -> bytes:
        try:
            piece = self._read(CHUNK)
        except OSError as error:
            raise BodyCut("The body didn't come through. Send it again.") from error
        self.digest.update(piece)
        self.size += len(piece)
        self._check()
        return piece

    def _check(self) -> None:
        if self.size > MOST_BYTES:
            raise DocumentTooLarge(f"A document has at most {MOST_BYTES:,} bytes.")
        passed = time.monotonic() - self._began
        if passed > SLOW_AFTER_SECONDS and self.size < passed * SLOWEST_BYTES_PER_SECOND:
            raise BodyCut("The body comes too slowly.")
        if self.size > LARGE_BYTES and not self._holds_place:
            if not _large.acquire(timeout=1):
                raise Unavailable("Many large documents arrive just now. Send this one again in a minute.")
            self._holds_place = True


def _expected_digest(field: str) -> bytes:
    if not field:
        return b""
    found = _DIGEST.fullmatch(field)
    if found is None:
        raise InvalidInput("Content-Digest is given as sha-256=:BASE64: (RFC 9530).")
    return base64.b64decode(found[1])
