"""A stream that refuses what would fill memory before a parser can see it."""

from __future__ import annotations

import re
from typing import BinaryIO

from evidence.formats.kit.errors import BadDocument

MAX_TOKEN = 2 * 1024 * 1024
"""Bytes that a document may go on without an event of its parser: a longer text, number, name or tag is refused."""
_LONE = re.compile(
    rb"(?<!\\)(?:\\\\)*(?:(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPES = 12
"""Bytes of a pair of escapes: so many are held back, so that none is cut."""


class Guarded:
    """Reads of a stream, counted. `seen` is called for every event of the parser."""

    def __init__(self, stream: BinaryIO, *, text_escapes: bool = False) -> None:
        self._stream = stream
        self._since = 0
        self.total = 0
        self._escapes = text_escapes
        self._tail = b""

    def seen(self) -> None:
        """The parser came to an event."""
        self._since = 0

    def read(self, size: int = -1) -> bytes:
        """Raises BadDocument for a token that is too long, and (JSON) for an escape of half a character."""
        data = self._stream.read(size)
        self._since += len(data)
        self.total += len(data)
        if self._since > MAX_TOKEN:
            raise BadDocument(f"one value or name is longer than {MAX_TOKEN // 2**20} MiB")
        if self._escapes and size:
            self._refuse_half_characters(data)
        return data

    def _refuse_half_characters(self, data: bytes) -> None:
        window = self._tail + data
        keep = _cut(window)
        for match in _LONE.finditer(window) if _SUSPECT.search(window) else ():
            if match["lone"]:
                first_half = match["lone"][3:4] in b"89abAB"
                if data and first_half and match.end() + _ESCAPES // 2 > len(window):
                    # Its other half may come with the next read.
                    keep = min(keep, match.start())
                    break
                raise BadDocument("a text holds half of a surrogate pair, which is no character")
            keep = max(keep, match.end())
        self._tail = window[keep:]


def _cut(window: bytes) -> int:
    """Where a window may be cut without cutting an escape: before its last bytes, after whole pairs of backslashes."""
    at = max(0, len(window) - _ESCAPES)
    before = window[:at]
    return at - (at - len(before.rstrip(b"\\"))) % 2
