"""JSON read in pieces as large as fit into memory: the quick way, which knows only what is plainly right.

json's own C scanner builds whole values; only what lies on the way to those that are wanted, or is too large, is walked
through. All that jsonstream refuses, and all that it alone can judge, raises Doubt: the document is then read again by
jsonstream, which says what is wrong with it, and where.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.guard import Guarded
from evidence.formats.kit.jsonlimits import (
    ANY,
    BOM,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_NODES,
    MAX_TEXT,
    MAX_WAY,
    Found,
    Part,
    Path,
    Watcher,
)
from evidence.formats.kit.values import Node, pointer_part

PIECE = 128 * 1024
LARGEST = 384 * 1024
"""Characters from which on a value isn't built at once."""
CHECKED = min(2 * MAX_NODES, 4 * MAX_KEYS)
"""A value of fewer characters has neither too many parts nor too many keys."""
GROUP = 64 * 1024
SMALL = 256
"""Characters of items that are built together, and of an item, up to which that is tried."""
_TRIES = 10
_ENDS = {"{": "}", "[": "]"}
_SPACE = re.compile(r"[ \t\r\n]*")
_TOO_LARGE = object()
_INTEGER_DIGITS = 20
_CUT = len(".e+")


class Doubt(Exception):
    """Not plainly right: to be read carefully."""


def walk(
    stream: BinaryIO, paths: frozenset[Path], *, every: bool = False, watcher: Watcher | None = None
) -> Iterator[Found]:
    """The values at the paths, or with `every` all that a document holds, in pieces as large as fit. Raises Doubt."""
    stream.seek(0)
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    walker = _Walker(_Text(Guarded(stream, text_escapes=True)), paths, every=every, watcher=watcher)
    try:
        yield from walker.documents()
        if watcher is not None:
            watcher.end()
    except (BadDocument, ValueError, RecursionError) as error:
        raise Doubt from error


class _Walker:
    def __init__(self, text: _Text, paths: frozenset[Path], *, every: bool, watcher: Watcher | None) -> None:
        self._text = text
        self._watcher = watcher
        self._paths = paths
        self._ways = frozenset(path[:length] for path in paths for length in range(len(path)))
        self._every = every

    def documents(self) -> Iterator[Found]:
        """One, or several one after another (JSON lines)."""
        number = 0
        while self._text.peek():
            yield from self._value((), f"/{number}" if number else "")
            number += 1
        if not number:
            raise Doubt

    def _value(self, path: Path, place: str) -> Iterator[Found]:
        wanted = path in self._paths
        is_open = self._text.peek() in {"{", "["}
        if wanted or not (is_open and path in self._ways):
            value = self._text.take_value(MAX_DEPTH - len(path))
            if value is not _TOO_LARGE:
                found = Found(path, Node(value, place))
                if self._watcher is not None:
                    self._watcher.look(found)
                if wanted or self._every:
                    yield found
                return
        if wanted or not is_open or len(path) >= MAX_DEPTH:
            raise Doubt
        yield from self._object(path, place) if self._text.take() == "{" else self._list(path, place)

    def _list(self, path: Path, place: str) -> Iterator[Found]:
        if self._text.peek() == "]":
            self._text.take()
            return
        inner, index = (*path, ANY), 0
        while True:
            items = self._text.take_items(MAX_DEPTH - len(path)) if self._every else []
            if items:
                yield Found(path, Node(Part(index, items), place))
                index += len(items)
            else:
                yield from self._value(inner, f"{place}/{index}")
                index += 1
            if self._is_last("]"):
                return

    def _object(self, path: Path, place: str) -> Iterator[Found]:
        keys: set[str] = set()
        room = MAX_TEXT // MAX_DEPTH
        if self._text.peek() == "}":
            self._text.take()
            return
        while True:
            key = self._text.take_value(0) if self._text.peek() == '"' else None
            if not isinstance(key, str) or key in keys or len(keys) >= MAX_KEYS or self._text.take() != ":":
                raise Doubt
            keys.add(key)
            room -= len(key)
            if room < 0 or len(place) + len(key) > MAX_WAY:
                raise Doubt
            yield from self._value((*path, key), f"{place}/{pointer_part(key)}")
            if self._is_last("}"):
                return

    def _is_last(self, end: str) -> bool:
        found = self._text.take()
        if found not in {",", end}:
            raise Doubt
        return found == end


class _Text:
    """A document's text from where the reading is, as far as it is in memory."""

    def __init__(self, guard: Guarded) -> None:
        self._guard = guard
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._given_up = 0
        self._last = LARGEST
        self._failed = 0

    def peek(self) -> str:
        """The next character after white space, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self) -> str:
        """The next character after white space, which is passed by."""
        found = self.peek()
        self._at += 1
        return found

    def take_value(self, depth: int) -> Any:
        """The value that begins here, _TOO_LARGE if that is told by its length. Raises Doubt."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                # It may only be cut off.
                if len(self._text) - self._at > LARGEST:
                    self._give_up()
                    return _TOO_LARGE
                if not self._more():
                    raise
                continue
            # A number at the end may go on: 1 may be 1.5 or 1e+5.
            if end > len(self._text) - _CUT and not isinstance(value, (str, dict, list)) and self._more():
                continue
            _check(value, self._text, self._at, end, depth)
            self._last = end - self._at
            self._at = end
            self._guard.seen()
            return value

    def take_items(self, depth: int) -> list[Any]:
        """Some items of a list of small ones, without their last comma, as a list; [] where that doesn't work."""
        end = _ENDS.get(self.peek(), "")
        cut = self._text.rfind(f"{end},", self._at, self._at + GROUP) + len(end)
        if self._last > SMALL or self._failed > _TRIES or cut <= self._at:
            return []
        group = f"[{self._text[self._at : cut]}]"
        try:
            items, reached = _DECODER.raw_decode(group)
        except ValueError:
            reached = 0
        if reached != len(group):
            self._failed += 1
            return []
        _check(items, group, 0, reached, depth)
        self._at, self._failed = cut, 0
        self._guard.seen()
        return list(items)

    def _give_up(self) -> None:
        """A document where little else is done than trying is better read carefully."""
        self._given_up += 1
        if self._given_up > 10 + self._guard.total // LARGEST:
            raise Doubt

    def _more(self) -> bool:
        if self._ended:
            return False
        parts, room = [self._text[self._at :]], PIECE
        while room > 0 and not self._ended:
            data = self._guard.read(room)
            self._ended = not data
            parts.append(self._decoder.decode(data, final=self._ended))
            room -= len(data)
        self._text, self._at = "".join(parts), 0
        return True


def _check(value: Any, text: str, at: int, end: int, depth: int) -> None:
    if text.find("\\u0000", at, end) >= 0:
        raise Doubt
    opened = text.count("{", at, end) + text.count("[", at, end)
    if (opened > depth or end - at > CHECKED) and isinstance(value, (dict, list)):
        _check_size(value, depth)


def _check_size(value: dict[str, Any] | list[Any], depth: int) -> None:
    level, nodes = [value], 0
    while level:
        below: list[Any] = []
        for each in level:
            items = each.values() if isinstance(each, dict) else each
            nodes += len(items)
            if isinstance(each, dict) and len(each) > MAX_KEYS:
                raise Doubt
            below += [item for item in items if isinstance(item, (dict, list))]
        depth -= 1
        if depth < 0 or nodes > MAX_NODES:
            raise Doubt
        level = below


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Doubt
    return made


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS or abs(value := int(digits)) >= 2**63:
        raise Doubt
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Doubt
    return value


def _constant(_name: str) -> None:
    raise Doubt


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
