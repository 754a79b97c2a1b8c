"""CSV by a saved mapping (FieldMapping): one row, one outcome. UTF-8, the first row names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.mapping import FIELDS, FieldMapping, map_outcome
from evidence.formats.kit.outcomes import Header, Outcome

MAX_COLUMNS = 1_000
MAX_LINE = 1024 * 1024
"""Bytes of one line; the csv module itself limits a field to 131,072."""


def read(source: Source) -> Reading:
    """The header names what the mapping says of the producer."""
    mapping = source.mapping
    if mapping is None:
        raise BadDocument("CSV is read by a saved mapping; name one.")
    rows = _rows(source, mapping.delimiter)
    columns = next(rows, (0, []))[1]
    _check_columns(columns, mapping)
    return Reading(Header(producer=mapping.producer), _outcomes(rows, columns, mapping))


def _rows(source: Source, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each ends in."""
    reader = csv.reader(_lines(source.stream), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise BadDocument(f"no CSV: {error}", place=f"line {reader.line_num}") from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    stream.seek(0)
    number = 0
    while data := stream.readline(MAX_LINE):
        number += 1
        if len(data) == MAX_LINE:
            raise BadDocument(f"longer than {MAX_LINE} bytes", place=f"line {number}")
        if b"\0" in data:
            raise BadDocument("it holds NUL", place=f"line {number}")
        try:
            yield data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise BadDocument("not UTF-8", place=f"line {number}") from error


def _check_columns(columns: list[str], mapping: FieldMapping) -> None:
    if not columns:
        raise BadDocument("the first row, which names the columns, is missing")
    if len(columns) > MAX_COLUMNS:
        raise BadDocument(f"more than {MAX_COLUMNS} columns", place="line 1")
    for name in mapping.used:
        if columns.count(name) != 1:
            problem = "is missing" if name not in columns else "stands there twice"
            raise BadDocument(f"the column {quoted(name)} of the mapping {problem}", place="line 1")


def _outcomes(
    rows: Iterator[tuple[int, list[str]]], columns: list[str], mapping: FieldMapping
) -> Iterator[Outcome]:
    indices = {
        meaning: columns.index(mapping.field_of(meaning)) for meaning in FIELDS if mapping.field_of(meaning)
    }
    for line, row in rows:
        if len(row) != len(columns):
            raise BadDocument(
                f"{len(row)} fields, where the first row has {len(columns)}", place=f"line {line}"
            )
        yield map_outcome(mapping, _values(row, indices), f"line {line}")


def _values(row: list[str], indices: Mapping[str, int]) -> Mapping[str, str]:
    return {meaning: row[index].strip() for meaning, index in indices.items()}


FORMAT = Format(
    title="CSV by a saved mapping",
    media_types=("text/csv",),
    recognises=lambda _start: False,
    read=read,
    needs_mapping=True,
)
