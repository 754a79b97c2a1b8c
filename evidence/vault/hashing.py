"""SHA-256 of a stream, beside the work on it: hashing lets other threads run, so that it costs no time of its own."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

ASIDE_FROM = 1 << 20
"""Bytes from which a thread is worth its start."""
AHEAD = 8
"""How many pieces wait for the thread at most: what bounds the memory."""


class StreamDigest:
    """Takes pieces in their order; they must not change afterwards."""

    def __init__(self) -> None:
        self._hash, self.size = hashlib.sha256(), 0
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, piece: bytes) -> None:
        """Adds a piece."""
        self.size += len(piece)
        if self.size < ASIDE_FROM:
            self._hash.update(piece)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1)
        self._waiting.append(self._pool.submit(self._hash.update, piece))
        if len(self._waiting) > AHEAD:
            self._waiting.popleft().result()

    def digest(self) -> bytes:
        """Of all that was added."""
        while self._waiting:
            self._waiting.popleft().result()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        return self._hash.digest()

    def hexdigest(self) -> str:
        """The same in hexadecimal digits."""
        return self.digest().hex()
