"""XML read element by element, in bounded memory: no DTD, no entities, nothing fetched."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO, NamedTuple, cast
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.guard import Guarded

MAX_DEPTH = 100
MAX_PARTS = 100_000
MAX_BYTES = 16 * 1024 * 1024
"""Of one element that was asked for, as it stands in the document."""
MAX_ATTRIBUTES = 256 * 1024
MAX_NAMES, MAX_NAME = 10_000, 1_000
"""The parser keeps every name that it meets."""


class Found(NamedTuple):
    """An element that was asked for, whole, with where it stands: names and numbers from the root, as in XPath."""

    name: str
    element: Element
    place: str
    above: tuple[Mapping[str, str], ...]
    """The attributes of the elements around it, the root's first."""


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def elements(stream: BinaryIO, names: Collection[str]) -> Iterator[Found]:
    """The elements of these names (without namespace), outermost ones, as they end. Raises BadDocument."""
    stream.seek(0)
    guard = Guarded(stream)
    walker = _Walker(frozenset(names), guard)
    try:
        for event, element in iterparse(guard, events=("start", "end"), forbid_dtd=True):
            guard.seen()
            found = walker.start(element) if event == "start" else walker.end(element)
            if found:
                yield found
                element.clear()
    except DefusedXmlException as error:
        raise BadDocument("an XML document with a DTD or entities is not read") from error
    except ParseError as error:
        line, column = error.position
        raise BadDocument(f"no XML from line {line}, column {column} on", place=walker.place()) from error
    except (LookupError, ValueError) as error:
        raise BadDocument("the XML's encoding is not known", place=walker.place()) from error


class _Walker:
    def __init__(self, names: frozenset[str], guard: Guarded) -> None:
        self._names = names
        self._guard = guard
        self._begun = 0
        self._met: set[str] = set()
        self._open: list[Element] = []
        self._counts: list[dict[str, int]] = [{}]
        self._wanted = 0
        self._parts = 0

    def place(self) -> str:
        numbers = zip(self._open, self._counts, strict=False)
        return "".join(f"/{local(each.tag)}[{count[local(each.tag)]}]" for each, count in numbers)

    def start(self, element: Element) -> Found | None:
        if len(self._open) >= MAX_DEPTH:
            raise BadDocument(f"nested more than {MAX_DEPTH} levels deep")
        self._check_words(element)
        name = local(element.tag)
        if self._open and not self._wanted:
            # Text around what is asked for is kept by the parser otherwise.
            self._open[-1].text = None
        count = self._counts[-1]
        count[name] = count.get(name, 0) + 1
        self._open.append(element)
        self._counts.append({})
        if self._wanted or name in self._names:
            if not self._wanted:
                self._parts, self._begun, self._wanted = 0, self._guard.total, len(self._open)
            self._parts += 1
            if self._guard.total - self._begun > MAX_BYTES:
                raise BadDocument(f"one element has more than {MAX_BYTES // 2**20} MiB", place=self.place())
        if self._parts > MAX_PARTS or len(count) > MAX_PARTS:
            raise BadDocument(f"one element has more than {MAX_PARTS} parts", place=self.place())
        return None

    def _check_words(self, element: Element) -> None:
        names = (element.tag, *element.attrib)
        if sum(map(len, element.attrib.values())) > MAX_ATTRIBUTES:
            raise BadDocument("an element's attributes are too long", place=self.place())
        self._met.update(names)
        if len(self._met) > MAX_NAMES or max(map(len, names)) > MAX_NAME:
            raise BadDocument(
                "too many names of elements and attributes, or too long ones", place=self.place()
            )

    def end(self, element: Element) -> Found | None:
        found = None
        if self._wanted == len(self._open):
            above = tuple(cast("Mapping[str, str]", each.attrib) for each in self._open[:-1])
            found = Found(local(element.tag), element, self.place(), above)
            self._wanted = 0
        self._open.pop()
        self._counts.pop()
        if not self._wanted and self._open:
            # What was asked for is whole now; what stands beside it is not needed.
            self._open[-1].remove(element)
            if not found:
                element.clear()
        return found


def child(element: Element, name: str) -> Element | None:
    """The first child of a name, whatever its namespace."""
    return next(children(element, name), None)


def children(element: Element, name: str) -> Iterator[Element]:
    """The children of a name, whatever their namespace."""
    return (each for each in element if local(each.tag) == name)


def text_of(element: Element | None, name: str = "") -> str:
    """All text inside of an element, or of its child of a name; "" where there is none."""
    wanted = child(element, name) if element is not None and name else element
    return " ".join("".join(wanted.itertext()).split()) if wanted is not None else ""
