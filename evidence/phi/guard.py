"""Identifiers in a document of any kind that is taken as evidence."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import BinaryIO, Protocol

from evidence.formats.document import kind_of_document
from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.jsonstream import Doubt, Found, pieces, scalars
from evidence.formats.kit.start import Start, look_at_start
from evidence.phi.kinds import Hit, Weight
from evidence.phi.office import scan_office
from evidence.phi.packed import KINDS as PACKED
from evidence.phi.packed import Room, scan_packed
from evidence.phi.pdf import scan_pdf
from evidence.phi.text import find_in_each, find_in_text, photo
from evidence.phi.values import Watch

MAX_COLUMNS = 10_000
FILE_NAME = "the file's name"
MAX_LINE = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"


class Beside:
    """Looks for identifiers in what another reads (evidence.formats.base.Source.watcher), as `scan` without notes."""

    def __init__(self, most: int) -> None:
        self.hits: list[Hit] = []
        self.saw_all = False
        self._most = most
        self._watch = Watch(notes=False)

    def look(self, found: Found) -> None:
        """Takes a value, up to the most hits that are wanted."""
        if len(self.hits) < self._most:
            self._watch.take(found)
            self.hits += self._watch.hits()

    def end(self) -> None:
        """All was seen."""
        self.hits += self._watch.hits(last=True)
        self.saw_all = True


class _Scan(Protocol):
    def __call__(self, stream: BinaryIO, /, *, notes: bool) -> Iterator[Hit]: ...


def scan(
    stream: BinaryIO, name: str = "", *, notes: bool = True, beside: Beside | None = None
) -> Iterator[Hit]:
    """The identifiers in a document, as they are met. `name` is a hint alone (".csv").

    Archives are looked into, file by file. Raises BadDocument for what can't be read as what it seems to be: nobody can
    say that it holds none. Images aren't looked into: they give one NOTE. Without `notes` the hits are the same but for
    those of that weight, and what machines wrote is looked into faster. What was seen `beside` isn't read again.
    """
    if beside is not None and beside.saw_all:
        yield from find_in_text(name, FILE_NAME, notes=False)
        yield from beside.hits
        return
    for hit in _scan(stream, name, Room(), notes=notes):
        if notes or hit.weight is not Weight.NOTE:
            yield hit


def _scan(stream: BinaryIO, name: str, room: Room, *, notes: bool) -> Iterator[Hit]:
    start = look_at_start(stream, name)
    yield from find_in_text(name, FILE_NAME, notes=notes)
    kind = "application/json" if start.is_json else kind_of_document(start.head)
    if kind in PACKED:
        yield from scan_packed(stream, kind, room, partial(_scan, notes=notes))
    elif kind.startswith(_OFFICE):
        yield from scan_office(stream, room.take, notes=notes)
    else:
        yield from _scanner(start, kind)(stream, notes=notes)


def _scanner(start: Start, kind: str) -> _Scan:
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind.startswith("image/") and kind != "image/svg+xml":
        return _scan_image
    if kind.startswith("text/") or kind == "image/svg+xml" or not start.head:
        return _scan_csv if start.name.lower().endswith(".csv") else _scan_text
    raise BadDocument("the file is of no kind that can be looked into for identifiers")


def _scan_image(_stream: BinaryIO, *, notes: bool) -> Iterator[Hit]:
    return iter((photo("the file"),) if notes else ())


def _scan_json(stream: BinaryIO, *, notes: bool) -> Iterator[Hit]:
    """As JSON; what only begins as JSON, such as a log, as text from the beginning."""
    given = 0
    try:
        for hit in _scan_found(pieces(stream), notes=notes):
            given += 1
            yield hit
    except Doubt:
        pass
    else:
        return
    try:
        yield from islice(_scan_found(scalars(stream), notes=notes), given, None)
    except BadDocument:
        yield from _scan_text(stream, notes=notes)


def _scan_found(values: Iterator[Found], *, notes: bool) -> Iterator[Hit]:
    watch = Watch(notes=notes)
    for found in values:
        watch.take(found)
        yield from watch.hits()
    yield from watch.hits(last=True)


def _scan_text(stream: BinaryIO, *, notes: bool) -> Iterator[Hit]:
    yield from find_in_each(((line, f"line {number}", "") for number, line in _lines(stream)), notes=notes)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    stream.seek(0)
    number = 1
    while data := stream.readline(MAX_LINE):
        yield number, data.decode("utf-8", "replace").rstrip("\r\n")
        number += data.endswith(b"\n")


def _scan_csv(stream: BinaryIO, *, notes: bool) -> Iterator[Hit]:
    rows = csv.reader(line for _number, line in _lines(stream))
    try:
        columns = next(rows, [])
        if len(columns) > MAX_COLUMNS:
            raise BadDocument(f"more than {MAX_COLUMNS} columns", place="line 1")
        yield from find_in_each(((column, "line 1", "") for column in columns), notes=notes)
        for row in rows:
            yield from find_in_each(_cells(row, columns, rows.line_num), notes=notes)
    except csv.Error as error:
        raise BadDocument(f"no CSV: {error}", place=f"line {rows.line_num}") from error


def _cells(row: list[str], columns: list[str], line: int) -> Iterator[tuple[str, str, str]]:
    for index, cell in enumerate(row):
        name = columns[index] if index < len(columns) else ""
        yield cell, f"line {line}, column {index + 1}", name


_BY_KIND: Mapping[str, _Scan] = MappingProxyType(
    {"application/json": _scan_json, "application/pdf": scan_pdf}
)
