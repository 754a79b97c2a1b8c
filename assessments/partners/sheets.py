"""Sheets of business associates, in and out: CSV (RFC 4180) and XLSX, with the same columns both ways.

What is read is text from outside: sizes are judged before anything is unpacked, macros and formulas are never run (a
formula's stored value counts), and entities of XML are refused by defusedxml. What is written can't act in a
spreadsheet: a cell that would begin a formula gets an apostrophe before it, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import defusedxml
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from accounts.errors import InvalidInput
from assessments.partners.forms import FIELDS, REACHES, VOLUMES

LARGEST_FILE = 2 << 20
LARGEST_UNPACKED = 50 << 20
MOST_PARTS = 200
MOST_ROWS = 10_000
MOST_COLUMNS = 100
LONGEST_CELL = 4000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NO_SHEETS = (
    b"%PDF-",
    b"{\\rtf",
    b"<!DOCTYPE",
    b"<!doctype",
    b"<html",
    b"<?xml",
    b"\x89PNG",
    b"\xd0\xcf\x11\xe0",
)
"""How files begin that people take for a sheet: PDF, RTF, web pages and XML that is named .xls, pictures, old Excel."""
YES, NO = {"yes", "y", "true", "x", "1"}, {"", "no", "n", "false", "0"}
FLAGS = {"creates", "receives", "maintains", "transmits"}

Row = dict[str, str]


def read_sheet(content: bytes) -> list[tuple[int, Row]]:
    """The rows below the first with their numbers (the first is 1), by column name.

    Columns that nobody knows are left out, empty rows too. Raises InvalidInput.
    """
    return read_table(content, needed=("reference", "name"), known=FIELDS)


def read_table(content: bytes, *, needed: Sequence[str], known: Sequence[str]) -> list[tuple[int, Row]]:
    """As read_sheet, of a sheet with other columns. Raises InvalidInput where a needed one isn't there."""
    if not content:
        raise _unfit("The file is empty.")
    if len(content) > LARGEST_FILE:
        raise _unfit("The file is larger than 2 MB. Split it.")
    cells = _xlsx(content) if content.startswith(b"PK\x03\x04") else _csv(content)
    names = [_name(cell) for cell in next(cells, [])]
    _check_names(names, needed, known)
    rows = [(number, _row(names, row, known)) for number, row in _limited(cells) if any(map(str.strip, row))]
    if not rows:
        raise _unfit("The sheet has no row below its first.")
    return rows


def form_data(row: Row) -> dict[str, Any]:
    """A row as the form takes it: words for yes, labels of choices."""
    data: dict[str, Any] = dict(row)
    for flag in FLAGS & row.keys():
        data[flag] = row[flag].strip().lower() in YES
    for name, labels in (("volume", VOLUMES), ("reach", REACHES)):
        if name in row:
            data[name] = labels.get(row[name].strip().lower(), row[name].strip()) or "unknown"
    return data


def odd_flags(row: Row) -> dict[str, list[str]]:
    """Errors of columns that take yes or no and say something else."""
    return {
        flag: ["Say yes or no."]
        for flag in sorted(FLAGS & row.keys())
        if row[flag].strip().lower() not in YES | NO
    }


def write_csv(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The sheet in pieces, for a spreadsheet that opens UTF-8 by its mark."""
    yield b"\xef\xbb\xbf"
    for row in (FIELDS, *rows):
        line = io.StringIO()
        csv.writer(line).writerow([_inert(cell) for cell in row])
        yield line.getvalue().encode()


def write_xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    """The sheet as a workbook; every cell is text."""
    return write_workbook("Business associates", (FIELDS, *rows))


def write_workbook(title: str, rows: Iterable[Sequence[str]], widths: Sequence[int] = ()) -> bytes:
    """Rows as a workbook of one sheet whose cells are text; `widths` of columns in letters."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in rows:
        sheet.append([_inert(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(content: bytes) -> Iterator[list[str]]:
    if content.startswith(NO_SHEETS):
        raise _unfit("This is neither XLSX nor CSV, whatever its name. Save the sheet as one of them.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unfit("This is neither XLSX nor CSV in UTF-8. Save it as one of them.") from error
    if "\x00" in text:
        raise _unfit("The file holds NUL characters, so it is no text.")
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise _unfit(f"The CSV is malformed: {error}.") from error


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise _unfit("The workbook unpacks to more than 50 MB or 200 parts.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for row in book.worksheets[0].iter_rows(max_col=MOST_COLUMNS, values_only=True):
            yield ["" if cell is None else str(cell) for cell in row]
        book.close()
    except (zipfile.BadZipFile, InvalidFileException, defusedxml.DefusedXmlException, *_XLSX_ERRORS) as error:
        raise _unfit("The workbook can't be read. Save it anew as XLSX, or as CSV.") from error


_XLSX_ERRORS = (KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, OSError, SyntaxError)
"""What openpyxl raises of a malformed workbook (a SyntaxError is XML's)."""


def _check_names(names: list[str], needed: Sequence[str], known: Sequence[str]) -> None:
    for name in needed:
        if name not in names:
            raise _unfit(f"The first row has no column “{name}”. An export shows the columns.")
    twice = {name for name in names if name in known and names.count(name) > 1}
    if twice:
        raise _unfit(f"The first row has the column “{min(twice)}” twice.")


def _row(names: list[str], cells: list[str], known: Sequence[str]) -> Row:
    said = dict(zip(names, map(_plain, cells), strict=False))
    return {name: said.get(name, "") for name in names if name in known}


def _limited(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS + 1:
            raise _unfit("The sheet has more than 10,000 rows. Split it.")
        yield number, [cell[: LONGEST_CELL + 1] for cell in row[:MOST_COLUMNS]]


def _name(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_").replace("-", "_")


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _plain(cell: str) -> str:
    cell = cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
    return "".join(letter for letter in cell if letter.isprintable() or letter in "\n\t").strip()


def _unfit(message: str) -> InvalidInput:
    return InvalidInput(message, field="sheet")
