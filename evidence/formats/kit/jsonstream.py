"""JSON read value by value, in bounded memory, refusing what no honest tool writes.

Refused: anything but UTF-8, more than MAX_DEPTH levels, duplicate keys, NaN and Infinity, numbers beyond a double or
64 bits, NUL, half surrogate pairs, a single value of more than MAX_NODES parts, an object of more than MAX_KEYS keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import ijson

from evidence.formats.kit import jsonquick
from evidence.formats.kit.errors import BadDocument, quoted
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
from evidence.formats.kit.jsonquick import Doubt
from evidence.formats.kit.values import Node, pointer_part

__all__ = ["ANY", "Doubt", "Found", "Part", "Path", "Watcher", "pieces", "scalars", "values_at"]

BUFFER = 64 * 1024
LINES_UP_TO = 4 * 1024 * 1024
"""Up to this size, a document that is no JSON is read again to tell the line."""
Event = tuple[str, Any]


class _Level:
    """An open list or object that is walked through: which names it had, and where in it we are."""

    __slots__ = ("index", "is_list", "key", "keys")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.index = 0
        self.key = ""
        self.keys: set[str] = set()


def values_at(stream: BinaryIO, *paths: Path, watcher: Watcher | None = None) -> Iterator[Found]:
    """Every value at the paths, as it goes by, read from the stream's beginning.

    A path names keys from the top, ANY for each item of a list: ("runs", ANY, "results", ANY); () is the whole
    document. Several documents one after another (JSON lines) are each at the top; their pointer then begins with
    the number of the line's document. `watcher` sees the others as well. Raises BadDocument.
    """
    given = 0
    try:
        for found in jsonquick.walk(stream, frozenset(paths), watcher=watcher):
            given += 1
            yield found
    except Doubt:
        pass
    else:
        return
    yield from islice(_walk(stream, frozenset(paths), every=False), given, None)


def scalars(stream: BinaryIO) -> Iterator[Found]:
    """Every text, number, boolean and null of a document, with its path and pointer. Raises BadDocument."""
    yield from _walk(stream, frozenset(), every=True)


def pieces(stream: BinaryIO) -> Iterator[Found]:
    """All of a document in pieces as large as fit: objects, lists, parts of lists, and scalars.

    Raises Doubt where `scalars` must say what is wrong; it gives what was given here again, in the same order.
    """
    yield from jsonquick.walk(stream, frozenset(), every=True)


def _walk(stream: BinaryIO, paths: frozenset[Path], *, every: bool) -> Iterator[Found]:
    stream.seek(0)
    if stream.read(3) != BOM:
        stream.seek(0)
    # Paths that end inside of one another would need the same value twice.
    walker = _Walker(Guarded(stream, text_escapes=True), paths, every=every)
    try:
        yield from walker.walk()
    except ijson.JSONError as error:
        raise _not_json(stream, error, walker.place()) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise BadDocument("not UTF-8", place=walker.place()) from error


class _Walker:
    def __init__(self, guard: Guarded, paths: frozenset[Path], *, every: bool = False) -> None:
        self._every = every
        self._guard = guard
        self._paths = paths
        self._open: list[_Level] = []
        self._document = 0
        self._room = MAX_TEXT
        """Characters of keys that may still be kept."""
        self._events: Iterator[Event] = ijson.basic_parse(
            guard, use_float=True, multiple_values=True, buf_size=BUFFER
        )

    def place(self) -> str:
        """The JSON pointer of where the walk is."""
        parts = [str(level.index) if level.is_list else pointer_part(level.key) for level in self._open]
        return "".join(f"/{part}" for part in (*([str(self._document)] if self._document else []), *parts))

    def walk(self) -> Iterator[Found]:
        for event, value in self._events:
            self._guard.seen()
            if event == "map_key":
                self._enter_key(value)
                continue
            if event in {"end_map", "end_array"}:
                self._room += sum(map(len, self._open.pop().keys))
                self._pass_by()
                continue
            path = self._path()
            if path in self._paths:
                yield Found(path, Node(self._build(event, value), self.place()))
                self._pass_by()
            elif event in {"start_map", "start_array"}:
                self._descend(is_list=event == "start_array")
            else:
                if event == "string":
                    _check_text(value, self)
                if self._every:
                    yield Found(path, Node(value, self.place()))
                self._pass_by()

    def _path(self) -> Path:
        return tuple([ANY if level.is_list else level.key for level in self._open])

    def _enter_key(self, key: str) -> None:
        level = self._open[-1]
        if key in level.keys:
            level.key = key
            raise BadDocument("the key stands twice in one object", place=self.place())
        if len(level.keys) >= MAX_KEYS:
            raise BadDocument(f"an object has more than {MAX_KEYS} keys", place=self.place())
        _check_text(key, self)
        self._room -= len(key)
        if self._room < 0:
            raise BadDocument(f"the keys come to more than {MAX_TEXT // 2**20} MiB", place=self.place())
        level.keys.add(key)
        level.key = key
        if sum(len(each.key) for each in self._open) > MAX_WAY:
            raise BadDocument("the keys on the way to a value are too long")

    def _descend(self, *, is_list: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise BadDocument(f"nested more than {MAX_DEPTH} levels deep")
        self._open.append(_Level(is_list=is_list))

    def _pass_by(self) -> None:
        if not self._open:
            self._document += 1
        elif self._open[-1].is_list:
            self._open[-1].index += 1

    def _build(self, event: str, value: Any) -> Any:
        """A whole value, from its first event on."""
        if event == "string":
            _check_text(value, self)
        if event not in {"start_map", "start_array"}:
            return value
        try:
            root: Any = {} if event == "start_map" else []
            _fill(root, self._events, self._guard, MAX_DEPTH - len(self._open))
        except _Problem as problem:
            raise BadDocument(str(problem), place=self.place()) from problem
        return root


class _Problem(Exception):
    pass


def _fill(  # noqa: C901, PLR0912  one loop without calls: here is where reading JSON takes its time
    root: Any, events: Iterator[Event], guard: Guarded, depth: int
) -> None:
    """Fills a list or object up to its end. Raises _Problem."""
    top, is_list, key = root, type(root) is list, ""
    stack = [root]
    left, room = MAX_NODES, MAX_TEXT
    for event, value in events:
        if event == "map_key":
            if value in top:
                raise _Problem(f"the key {quoted(value)} stands twice in one object")
            if "\0" in value:
                raise _Problem("a text holds NUL")
            key = value
            room -= len(value)
            continue
        if event == "end_map" or event == "end_array":  # noqa: PLR1714  twice as fast as a set
            guard.seen()
            stack.pop()
            if not stack:
                return
            top = stack[-1]
            is_list = type(top) is list
            continue
        if event == "string":
            room -= len(value)
            if "\0" in value:
                raise _Problem("a text holds NUL")
        inner: Any = {} if event == "start_map" else [] if event == "start_array" else None
        item = value if inner is None else inner
        if is_list:
            top.append(item)
        else:
            top[key] = item
        left -= 1
        if left < 0 or room < 0:
            raise _Problem(f"one item has more than {MAX_NODES} values or {MAX_TEXT // 2**20} MiB of text")
        if inner is not None:
            guard.seen()
            stack.append(inner)
            top, is_list = inner, event == "start_array"
            if len(stack) > depth:
                raise _Problem(f"nested more than {MAX_DEPTH} levels deep")
    # The parser itself reports a document that ends here.


def _check_text(text: str, walker: _Walker) -> None:
    if "\0" in text:
        raise BadDocument("a text holds NUL", place=walker.place())


def _not_json(stream: BinaryIO, error: ijson.JSONError, place: str) -> BadDocument:
    """Says the line where that can be found out; the parser's own message repeats the document and is not shown."""
    said = str(error)
    if "overflow" in said:
        return BadDocument("a number is too large (64 bits, or a double)", place=place)
    if "UTF8" in said:
        return BadDocument("not UTF-8", place=place)
    stream.seek(0)
    data = stream.read(LINES_UP_TO + 1)
    if len(data) <= LINES_UP_TO:
        line = _bad_line(data.removeprefix(BOM))
        if line:
            return BadDocument(f"no JSON: {line}", place=place)
    ended = "premature EOF" in said
    return BadDocument("the JSON ends too early" if ended else "no JSON from here on", place=place)


def _bad_line(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    at = 0
    while at < len(text):
        try:
            _value, at = decoder.raw_decode(text, _skip_space(text, at))
        except json.JSONDecodeError as error:
            return f"{error.msg} in line {error.lineno}, column {error.colno}"
        except (_Constant, RecursionError, ValueError) as error:
            return str(error) if isinstance(error, _Constant) else ""
        at = _skip_space(text, at)
    return ""


def _skip_space(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip(" \t\r\n")) if at < len(text) else at


class _Constant(ValueError):
    pass


def _refuse_constant(name: str) -> None:
    raise _Constant(f"{name} is no number in JSON")
