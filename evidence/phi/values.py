"""Identifiers in a JSON document's values: each text judged once, since machines repeat most of what they write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import getsizeof
from typing import Any, NamedTuple

from evidence.formats.kit.jsonlimits import ANY, Found, Part
from evidence.formats.kit.values import pointer_part
from evidence.phi.kinds import Hit, mask
from evidence.phi.text import Sample, find_samples, is_clean, plain_name

LONGEST_PLACE = 500
_Scalar = str | int
_Way = tuple[Any, str | int]
"""Where a list or object stands: the way to the one around it (the outermost's place), and the key or index there."""


class _Value(NamedTuple):
    """A value that isn't known to be clean: the way to what it stands in, its key there if any, the name over it."""

    way: _Way | str
    key: str | int | None
    name: str
    value: _Scalar

    @property
    def place(self) -> str:
        parts, way = [self.key], self.way
        while not isinstance(way, str):
            way, key = way
            parts.append(key)
        return "".join(
            (way, *(f"/{pointer_part(str(part))}" for part in reversed(parts) if part is not None))
        )


class Watch:
    """Looks at one document's values as they go by; what it found out about texts it keeps, up to ROOM bytes twice."""

    ROOM = 8 * 1024 * 1024
    _COST = 200
    """Bytes of an entry beside its text."""
    _TOGETHER = 100
    """Values that aren't known yet are judged together, this many pieces of the document at most."""

    def __init__(self, *, notes: bool = True) -> None:
        self._notes = notes
        self._known: dict[tuple[str, _Scalar], tuple[Sample, ...]] = {}
        self._older = self._known
        self._room = self.ROOM
        self._open: list[_Value] = []
        self._taken = 0

    def take(self, found: Found) -> None:
        """Takes a value of the document, whatever it holds, to be judged with others."""
        # A list's items stand under the list's name.
        name = next((part for part in reversed(found.path) if part != ANY), "")
        value, place = found.node.value, found.node.place
        if isinstance(value, (dict, list, Part)):
            first, items = value if isinstance(value, Part) else (0, value)
            self._collect(items, place, name, self._open, first)
        elif isinstance(value, (str, int)) and not isinstance(value, bool):
            self._open.append(_Value(place, None, name, value))
        self._taken += 1

    def hits(self, *, last: bool = False) -> Iterator[Hit]:
        """The identifiers in what was taken, once there is enough of it; with `last` in all of it."""
        if last or self._taken >= self._TOGETHER or len(self._open) >= self._TOGETHER:
            values, self._open, self._taken = self._open, [], 0
            yield from self._judge(values)

    def look(self, found: Found) -> Iterator[Hit]:
        """The identifiers in a value of the document, at once."""
        self.take(found)
        yield from self.hits(last=True)

    def _collect(self, value: Any, way: _Way | str, name: str, into: list[_Value], first: int = 0) -> None:
        """All texts and whole numbers, without those that are known to be clean."""
        known = self._known.get
        items: Iterable[tuple[Any, Any]] = enumerate(value, first) if type(value) is list else value.items()
        for key, item in items:
            named = name if type(key) is int else key
            kind = type(item)
            if kind is str or kind is int:
                if known((named, item)) != ():
                    into.append(_Value(way, key, named, item))
            elif kind is dict or kind is list:
                self._collect(item, (way, key), named, into)

    def _judge(self, values: list[_Value]) -> Iterator[Hit]:
        new = {(each.name, each.value) for each in values}.difference(self._known)
        if is_clean(((plain_name(name), str(value)) for name, value in new), notes=self._notes):
            for name, value in new:
                self._keep(name, value, ())
            values = [each for each in values if (each.name, each.value) not in new]
        for each in values:
            for sample in self._samples(each.name, each.value):
                yield sample.at(self._shown(each.place) or "/")

    def _shown(self, place: str) -> str:
        """A key may be an identifier itself."""
        parts = place[:LONGEST_PLACE].split("/")
        return "/".join(mask(part) if self._samples("", part) else part for part in parts)

    def _samples(self, name: str, value: _Scalar) -> tuple[Sample, ...]:
        found = self._known.get((name, value))
        if found is None:
            found = self._older.get((name, value))
            if found is None:
                found = tuple(find_samples(str(value), plain_name(name), notes=self._notes))
            self._keep(name, value, found)
        return found

    def _keep(self, name: str, value: _Scalar, found: tuple[Sample, ...]) -> None:
        size = getsizeof(value) + self._COST + 100 * len(found)
        if size > self.ROOM // 100:
            return
        self._room -= size
        if self._room < 0:
            # What is still in use moves over to the new ones when it is asked for.
            self._older, self._known, self._room = self._known, {}, self.ROOM
        self._known[name, value] = found
