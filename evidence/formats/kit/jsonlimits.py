"""What both ways of reading JSON share: its limits, and what they give."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from evidence.formats.kit.values import Node

MAX_DEPTH = 100
MAX_NODES = 200_000
MAX_TEXT = 16 * 1024 * 1024
MAX_KEYS = 50_000
MAX_WAY = 16 * 1024
"""Characters of a JSON pointer to what is walked through."""
BOM = b"\xef\xbb\xbf"
ANY = "*"
"""In a path: every item of a list."""

Path = tuple[str, ...]


class Part(NamedTuple):
    """Some items of a list, from an index on."""

    first: int
    items: list[Any]


class Found(NamedTuple):
    """A value at one of the paths that were asked for."""

    path: Path
    node: Node


class Watcher(Protocol):
    """Looks at all of a document while it is read, so that it needn't be read twice."""

    def look(self, found: Found) -> None:
        """Takes a value that goes by, whether the reader wants it or not."""

    def end(self) -> None:
        """The values that went by are the whole document. Not called where it was read carefully."""
