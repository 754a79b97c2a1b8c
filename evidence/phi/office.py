"""Identifiers in Word, Excel and PowerPoint files: ZIPs of XML, read entry by entry."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from sys import getsizeof
from typing import BinaryIO, cast

from evidence.archives import BadArchive, Entry, Limits, zip_entries
from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.xmlstream import Found, children, elements, text_of
from evidence.phi.kinds import Hit
from evidence.phi.text import find_in_each, photo

LIMITS = Limits(entries=5_000, entry_bytes=128 * 1024 * 1024, total_bytes=256 * 1024 * 1024)
MAX_COLUMNS = 16_384
"""Of a sheet, as Excel has it."""
MAX_SHARED = 24 * 1024 * 1024
"""Bytes of a workbook's shared texts, all of which are needed at once."""


def scan_office(stream: BinaryIO, take: Callable[[int], None], *, notes: bool = True) -> Iterator[Hit]:
    """The identifiers, by paragraph or cell. Raises BadDocument for what is damaged or beyond the limits.

    `take` is told the bytes that will be unpacked, and may refuse them.
    """
    try:
        entries = {entry.name: entry for entry in zip_entries(stream, LIMITS)}
        take(sum(entry.size for entry in entries.values()))
        shared = _shared_strings(entries.get("xl/sharedStrings.xml"))
        for name, entry in entries.items():
            if "/media/" in name:
                yield photo(name)
            elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
                yield from find_in_each(_cells(entry, shared), notes=notes)
            elif name.endswith(".xml") and name != "xl/sharedStrings.xml":
                yield from find_in_each(_paragraphs(entry), notes=notes)
    except BadArchive as error:
        raise BadDocument(str(error)) from error


def _elements(entry: Entry, *names: str) -> Iterator[Found]:
    try:
        with entry.open() as stream:
            yield from elements(cast("BinaryIO", stream), names)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise BadDocument("a part of the file is damaged", place=entry.name) from error


def _paragraphs(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Paragraphs of Word and PowerPoint; comments, headers, and properties of the document (its author)."""
    place = entry.name.rpartition("/")[2].removesuffix(".xml")
    found = _elements(entry, "p", "creator", "lastModifiedBy", "title", "subject")
    for number, each in enumerate(found, 1):
        yield text_of(each.element), f"{place}, paragraph {number}", ""


def _shared_strings(entry: Entry | None) -> list[str]:
    shared: list[str] = []
    room = MAX_SHARED
    for found in _elements(entry, "si") if entry else ():
        shared.append(text_of(found.element))
        room -= getsizeof(shared[-1])
        if room < 0:
            raise BadDocument(f"the workbook has more than {MAX_SHARED // 2**20} MiB of shared texts")
    return shared


def _cells(entry: Entry, shared: list[str]) -> Iterator[tuple[str, str, str]]:
    sheet = entry.name.rpartition("/")[2].removesuffix(".xml")
    columns: dict[str, str] = {}
    for found in _elements(entry, "row"):
        for cell in children(found.element, "c"):
            where = cell.get("r", "")
            text = _cell_text(cell.get("t", ""), text_of(cell, "v") or text_of(cell, "is"), shared)
            column = where.rstrip("0123456789")
            yield text, f"cell {where} of {sheet}", columns.get(column, "")
            if len(columns) < MAX_COLUMNS:
                columns.setdefault(column, text)


def _cell_text(kind: str, text: str, shared: list[str]) -> str:
    if kind != "s":
        return text
    return shared[int(text)] if text.isdecimal() and len(text) < 9 and int(text) < len(shared) else ""  # noqa: PLR2004
