"""Identifiers in a document of any kind that is taken as evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import BinaryIO, cast

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from evidence.archives import BadArchive, Entry, Limits, zip_entries
from evidence.formats.document import kind_of_document
from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.jsonstream import Doubt, Found, pieces, scalars
from evidence.formats.kit.start import Start, look_at_start
from evidence.formats.kit.xmlstream import children, elements, text_of
from evidence.phi.kinds import Hit
from evidence.phi.text import find_in_text, photo
from evidence.phi.values import Watch

MAX_PAGES = 2_000
MAX_LINE = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
Scan = Callable[[BinaryIO], Iterator[Hit]]


def scan(stream: BinaryIO, name: str = "") -> Iterator[Hit]:
    """The identifiers in a document, as they are met. `name` is a hint alone (".csv").

    Raises BadDocument for what can't be read as what it seems to be: nobody can say that it holds none. Images aren't
    looked into: they give one NOTE.
    """
    start = look_at_start(stream, name)
    yield from find_in_text(name, "the file's name")
    yield from _scanner(start)(stream)


def _scanner(start: Start) -> Scan:
    if start.is_json:
        return _scan_json
    kind = kind_of_document(start.head)
    if kind.startswith("image/") and kind != "image/svg+xml":
        return lambda _stream: iter((photo("the file"),))
    if kind.startswith(_OFFICE):
        return _scan_office
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind.startswith("text/") or kind == "image/svg+xml" or not start.head:
        return _scan_csv if start.name.lower().endswith(".csv") else _scan_text
    raise BadDocument("the file is of no kind that can be looked into for identifiers")


def _scan_json(stream: BinaryIO) -> Iterator[Hit]:
    """As JSON; what only begins as JSON, such as a log, as text from the beginning."""
    given = 0
    try:
        for hit in _scan_found(pieces(stream)):
            given += 1
            yield hit
    except Doubt:
        pass
    else:
        return
    try:
        yield from islice(_scan_found(scalars(stream)), given, None)
    except BadDocument:
        yield from _scan_text(stream)


def _scan_found(values: Iterator[Found]) -> Iterator[Hit]:
    watch = Watch()
    for found in values:
        yield from watch.look(found)


def _scan_text(stream: BinaryIO) -> Iterator[Hit]:
    for number, line in _lines(stream):
        yield from find_in_text(line, f"line {number}")


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    stream.seek(0)
    number = 1
    while data := stream.readline(MAX_LINE):
        yield number, data.decode("utf-8", "replace").rstrip("\r\n")
        number += data.endswith(b"\n")


def _scan_csv(stream: BinaryIO) -> Iterator[Hit]:
    rows = csv.reader(line for _number, line in _lines(stream))
    try:
        columns = next(rows, [])
        for column in columns:
            yield from find_in_text(column, "line 1")
        for row in rows:
            for index, cell in enumerate(row):
                name = columns[index] if index < len(columns) else ""
                yield from find_in_text(cell, f"line {rows.line_num}, column {index + 1}", name)
    except csv.Error as error:
        raise BadDocument(f"no CSV: {error}", place=f"line {rows.line_num}") from error


def _scan_pdf(stream: BinaryIO) -> Iterator[Hit]:
    stream.seek(0)
    try:
        reader = PdfReader(stream, strict=False)
        if reader.is_encrypted:
            raise BadDocument("the PDF is encrypted")
        for number, page in enumerate(reader.pages, 1):
            if number > MAX_PAGES:
                raise BadDocument(f"the PDF has more than {MAX_PAGES} pages")
            for line in page.extract_text().splitlines():
                yield from find_in_text(line, f"page {number}")
            if "/XObject" in (page.get("/Resources") or {}):
                yield photo(f"page {number}")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadDocument("the PDF is damaged") from error


def _scan_office(stream: BinaryIO) -> Iterator[Hit]:
    try:
        entries = {entry.name: entry for entry in zip_entries(stream, Limits())}
        shared = list(_shared_strings(entries.get("xl/sharedStrings.xml")))
        for name, entry in entries.items():
            if "/media/" in name:
                yield photo(name)
            elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
                yield from _scan_sheet(entry, shared)
            elif name.endswith(".xml") and name != "xl/sharedStrings.xml":
                yield from _scan_paragraphs(entry)
    except BadArchive as error:
        raise BadDocument(str(error)) from error


def _opened(entry: Entry) -> BinaryIO:
    return cast("BinaryIO", io.BytesIO(entry.read()))


def _scan_paragraphs(entry: Entry) -> Iterator[Hit]:
    """Paragraphs of Word and PowerPoint; comments, headers, and properties of the document (its author)."""
    place = entry.name.rpartition("/")[2].removesuffix(".xml")
    for number, found in enumerate(
        elements(_opened(entry), {"p", "creator", "lastModifiedBy", "title", "subject"}), 1
    ):
        yield from find_in_text(text_of(found.element), f"{place}, paragraph {number}")


def _shared_strings(entry: Entry | None) -> Iterator[str]:
    if entry is not None:
        for found in elements(_opened(entry), {"si"}):
            yield text_of(found.element)


def _scan_sheet(entry: Entry, shared: list[str]) -> Iterator[Hit]:
    sheet = entry.name.rpartition("/")[2].removesuffix(".xml")
    columns: dict[str, str] = {}
    for found in elements(_opened(entry), {"row"}):
        for cell in children(found.element, "c"):
            where = cell.get("r", "")
            text = _cell_text(cell.get("t", ""), text_of(cell, "v") or text_of(cell, "is"), shared)
            column = where.rstrip("0123456789")
            yield from find_in_text(text, f"cell {where} of {sheet}", columns.get(column, ""))
            columns.setdefault(column, text)


def _cell_text(kind: str, text: str, shared: list[str]) -> str:
    if kind != "s":
        return text
    return shared[int(text)] if text.isdecimal() and len(text) < 9 and int(text) < len(shared) else ""  # noqa: PLR2004


_BY_KIND: Mapping[str, Scan] = MappingProxyType({"application/pdf": _scan_pdf})
