"""Large objects of the vault, sealed and opened as streams: memory does not grow with their size."""

from __future__ import annotations

import hmac
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import tink
import zstandard
from botocore.exceptions import BotoCoreError, ClientError

from evidence.models import Blob
from evidence.vault import cipher
from evidence.vault.errors import NotIntact, StoreUnavailable
from evidence.vault.hashing import StreamDigest
from evidence.vault.keys import wrapping_key
from evidence.vault.stores import store
from evidence.vault.vault import blob_context

CHUNK = 256 * 1024
MOST_BYTES = 5 << 30
"""What a document may have."""
UNFINISHED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StreamKept:
    """Where a sealed stream lies and what opens it. `ciphertext_digest` is the SHA-256 of the stored bytes."""

    address: str
    wrapped_key: bytes
    key_id: str
    ciphertext_digest: str
    stored_size: int


class StreamBeingSealed:
    """Takes plaintext; `kept` is there once the context of `seal_stream` has ended."""

    kept: StreamKept

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write


@contextmanager
def seal_stream(*, address: str, context: str) -> Iterator[StreamBeingSealed]:
    """Encrypts what is written into the store, under a fresh data key; with an error inside nothing is stored.

    `context` is authenticated with it and must be given again to open it. Raises StoreUnavailable.
    """
    with store().write(address) as file:
        metered = _Metered(file)
        stream, data_key = cipher.encrypting(metered, context.encode())
        sealing = StreamBeingSealed(stream.write)
        try:
            yield sealing
            stream.close()
        except tink.TinkError as error:
            # The cipher hides what its sink said: a full disk, say.
            raise StoreUnavailable(
                f"the stored bytes could not be written: {metered.error or error}"
            ) from error
    key = wrapping_key()
    sealing.kept = StreamKept(
        address, key.wrap(data_key, context.encode()), key.id, metered.digest.hexdigest(), metered.size
    )


def open_stream(kept: StreamKept, *, context: str) -> Iterator[bytes]:
    """The plaintext in pieces of at most CHUNK bytes, each authenticated.

    Raises NotIntact, at the latest after the last piece: use nothing of a stream that did not end. Raises
    StoreUnavailable.
    """
    data_key = wrapping_key(kept.key_id).unwrap(kept.wrapped_key, context.encode())
    with store().read(kept.address) as file:
        metered = _Metered(file)
        yield from _decrypted(metered, data_key, context.encode())
        metered.check(kept.ciphertext_digest)


def remove_stream(address: str) -> None:
    """Takes a sealed stream, or what a broken attempt left of it, from the store."""
    store().remove(address)


def sweep_unfinished() -> int:
    """Takes back what killed writers left half written and untouched for a day; how many. Raises StoreUnavailable.

    Such bytes are no evidence: no address leads to them, and their key died with the writer.
    """
    return store().sweep(datetime.now(UTC) - UNFINISHED_FOR)


def stream_blob(blob: Blob) -> Iterator[bytes]:
    """A blob's sealed bytes in pieces, verified like vault.open_blob; raises NotIntact at the latest at the end."""
    context = blob_context(blob)
    data_key = wrapping_key(blob.key_id).unwrap(bytes(blob.wrapped_key), context)
    digest, size = StreamDigest(), 0
    with store().read(blob.address) as file:
        metered = _Metered(file)
        for piece in _unpacked(metered, data_key, context):
            digest.update(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise NotIntact("the stored bytes unpack to more than a blob may hold")
            yield piece
        metered.check(blob.ciphertext_digest)
    if not hmac.compare_digest(digest.hexdigest(), blob.digest):
        raise NotIntact("the opened bytes are not the ones that were sealed (SHA-256 differs)")


def _decrypted(source: _Metered, data_key: bytes, context: bytes) -> Iterator[bytes]:
    with _reading(source), cipher.decrypting(source, data_key, context) as stream:
        while piece := stream.read(CHUNK):
            yield piece


def _unpacked(source: _Metered, data_key: bytes, context: bytes) -> Iterator[bytes]:
    with _reading(source), cipher.decrypting(source, data_key, context) as stream:
        # Asked for so much at a time, however much a few packed bytes hold.
        unpacking = zstandard.ZstdDecompressor().stream_reader(stream, read_size=CHUNK)
        while piece := unpacking.read(CHUNK):
            yield piece


def open_packed(kept: StreamKept, *, context: str) -> Iterator[bytes]:
    """As `open_stream`, for what was packed with zstandard before it was sealed; the unpacked bytes."""
    data_key = wrapping_key(kept.key_id).unwrap(kept.wrapped_key, context.encode())
    with store().read(kept.address) as file:
        metered = _Metered(file)
        yield from _unpacked(metered, data_key, context.encode())
        metered.check(kept.ciphertext_digest)


@contextmanager
def _reading(source: _Metered) -> Iterator[None]:
    """Says why a stored stream can't be read: the store, or what is stored."""
    try:
        yield
    except tink.TinkError as error:
        if source.error:
            raise StoreUnavailable(f"evidence can't be read: {source.error}") from error
        raise NotIntact(cipher.NOT_DECRYPTED) from error
    except zstandard.ZstdError as error:
        raise NotIntact("the opened bytes do not unpack") from error


class _Metered(io.RawIOBase, BinaryIO):
    """Counts and hashes what goes through to another stream, which it leaves open, and remembers that one's error."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner
        self.digest, self.size = StreamDigest(), 0
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._inner.read(size)
        except (OSError, BotoCoreError) as error:
            self.error = error
            raise
        self.digest.update(piece)
        return piece

    def write(self, data: Any) -> int:
        try:
            self._inner.write(data)
        except (OSError, BotoCoreError, ClientError) as error:
            self.error = error
            raise
        self.digest.update(bytes(data))
        self.size += len(data)
        return len(data)

    def check(self, digest: str) -> None:
        """Raises NotIntact unless everything that was stored was read, and has this SHA-256."""
        while self.read(CHUNK):
            continue
        if not hmac.compare_digest(self.digest.hexdigest(), digest):
            raise NotIntact("the stored bytes are not the ones that were sealed (SHA-256 differs)")
