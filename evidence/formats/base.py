"""What a format is: a name, how its documents are recognised, and a function from a stream to outcomes.

A format's file is its name:

    # evidence/formats/junit.py
    def read(source: Source) -> Reading:
        return Reading(Header(format="junit", producer="pytest"), _outcomes(source.stream))

    FORMAT = Format(
        title="JUnit XML",
        media_types=("application/junit+xml",),
        recognises=lambda start: start.element == "testsuites",
        read=read,
    )

Reading is lazy: a document is refused (`BadDocument`) where its first bad part is met, so whoever stores outcomes
does it in one transaction. Memory doesn't grow with the document.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import BinaryIO

from evidence.formats.kit.crosswalk import look_up
from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.jsonlimits import Watcher
from evidence.formats.kit.mapping import FieldMapping
from evidence.formats.kit.outcomes import Basis, Header, Outcome
from evidence.formats.kit.start import Start, look_at_start

__all__ = ["BadDocument", "Format", "Reading", "Source", "formats", "read_document", "recognise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document to read. `stream` can be sought back to its beginning (a file, not a socket).

    `name` is what the sender calls the file, shown and never opened. `mapping` says what the columns or fields of a
    CSV or a plain JSON document mean; other formats need none. `watcher` is shown what goes by, by those formats that
    read a document once from its beginning to its end; it knows whether it saw all.
    """

    stream: BinaryIO
    name: str = ""
    mapping: FieldMapping | None = None
    watcher: Watcher | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says: who made it and when, and its outcomes, to be taken once."""

    header: Header
    outcomes: Iterator[Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `recognises` judges by a document's start alone; of two that do, the lower `order` is taken."""

    title: str
    media_types: tuple[str, ...]
    recognises: Callable[[Start], bool]
    read: Callable[[Source], Reading]
    order: int = 50
    needs_mapping: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        for media_type in self.media_types:
            if not re.fullmatch(r"[a-z]+/[a-z0-9.+*-]+", media_type):
                raise ValueError(f"{media_type!r} is no media type; write it as type/subtype, in lower case")


@cache
def formats() -> Mapping[str, Format]:
    """Every format by name, sorted. Raises ValueError for a module without a FORMAT."""
    import evidence.formats as package

    names = sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if module.name != "base" and not module.ispkg
    )
    return {name: _load(f"{package.__name__}.{name}", name) for name in names}


def _load(path: str, name: str) -> Format:
    found = getattr(importlib.import_module(path), "FORMAT", None)
    if not isinstance(found, Format):
        raise ValueError(f"{path} defines no FORMAT")  # noqa: TRY004  a module is no type
    object.__setattr__(found, "name", name)
    return found


def recognise(source: Source) -> Format:
    """The format of a document, by its first bytes. Raises BadDocument where none fits, or it is empty."""
    start = look_at_start(source.stream, source.name)
    if not start.head:
        raise BadDocument("The document is empty.")
    for each in sorted(formats().values(), key=lambda one: one.order):
        if not each.needs_mapping and each.recognises(start):
            return each
    raise BadDocument(f"The document is in no format that is read here: {', '.join(formats())}.")


def read_document(source: Source, *, format_name: str = "") -> Reading:
    """Reads a document by its named format, or by the one that its first bytes show.

    Citations come from the document; where an outcome has none, from the crosswalk of well-known checks. Raises
    BadDocument, here or while outcomes are taken.
    """
    if format_name and format_name not in formats():
        raise BadDocument(f"There is no format {format_name!r}; choose one of {', '.join(formats())}.")
    found = formats()[format_name] if format_name else recognise(source)
    if found.needs_mapping and source.mapping is None:
        raise BadDocument(f"{found.title} is read by a saved mapping; name one.")
    source.stream.seek(0)
    reading = found.read(source)
    header = replace(reading.header, format=found.name)
    return Reading(header, map(_with_crosswalk, reading.outcomes))


def _with_crosswalk(outcome: Outcome) -> Outcome:
    if outcome.citations:
        return outcome
    citations = look_up(outcome.check.id, *outcome.check.aliases)
    return replace(outcome, citations=citations, basis=Basis.CROSSWALK) if citations else outcome
