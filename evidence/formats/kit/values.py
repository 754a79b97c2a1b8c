"""Values taken from documents of any shape: asked for by path, refused with their place when of a wrong kind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.outcomes import Severity

SECONDS_BEFORE = 100_000_000_000
"""An epoch time below this is in seconds (to the year 5138), from it on in milliseconds (from 1973)."""
LAST_SECOND = 253_402_300_799


class Node(NamedTuple):
    """A value in a JSON document, and where it stands: its JSON pointer, or the way from another value to it."""

    value: Any
    where: str | tuple[Node, tuple[str | int, ...]]

    @property
    def place(self) -> str:
        """The JSON pointer, up to the first key that is missing. It costs more than the value: ask for it last."""
        if isinstance(self.where, str):
            return self.where
        around, path = self.where
        parts, value = [around.place], around.value
        for key in path:
            parts.append(pointer_part(str(key)))
            value = value.get(key) if isinstance(value, dict) else None
            if value is None:
                break
        return "/".join(parts)

    def get(self, *path: str) -> Node:
        """The value under keys, None where one is missing. Raises BadDocument where a key is asked of no object."""
        return Node(self._look(path), (self, path))

    def _look(self, path: tuple[str, ...]) -> Any:
        """The value alone. Raises BadDocument as `get`."""
        value = self.value
        for number, key in enumerate(path):
            if type(value) is not dict:
                if value is None:
                    return None
                place = Node(value, (self, path[:number])).place or "/"
                raise BadDocument(f"an object is expected, not {kind_of(value)}", place=place)
            value = value.get(key)
        return value

    def text(self, *path: str) -> str:
        """The text there, "" where missing; a number or boolean as text."""
        value = self._look(path)
        if isinstance(value, str):
            return value.strip()
        if value is None:
            return ""
        if isinstance(value, (int, float)):
            return str(value)
        raise BadDocument(f"text is expected, not {kind_of(value)}", place=self.get(*path).place)

    def needed(self, *path: str) -> str:
        """The text there. Raises BadDocument where it is missing or empty."""
        found = self.text(*path)
        if not found:
            raise BadDocument("text is missing", place=self.get(*path).place)
        return found

    def integer(self, *path: str) -> int | None:
        """The whole number there, None where missing."""
        value = self._look(path)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise BadDocument(f"a whole number is expected, not {kind_of(value)}", place=self.get(*path).place)

    def flag(self, *path: str) -> bool:
        """The boolean there, False where missing."""
        return self._look(path) is True

    def each(self, *path: str) -> Iterator[Node]:
        """The items of the list there; none where missing."""
        node = self.get(*path)
        if node.value is None:
            return
        if not isinstance(node.value, list):
            raise BadDocument(f"a list is expected, not {kind_of(node.value)}", place=node.place)
        for index, item in enumerate(node.value):
            yield Node(item, (node, (index,)))

    def first(self, *path: str) -> Node:
        """The first item of the list there, or a missing value."""
        return next(self.each(*path), Node(None, (self, path)))

    def time(self, *path: str) -> datetime | None:
        """The time there: RFC 3339 text, or a number of seconds or milliseconds since 1970."""
        value = self._look(path)
        if value is None or value == "":
            return None
        try:
            return parse_time(value)
        except BadDocument as error:
            raise BadDocument(error.problem, place=self.get(*path).place) from error


def pointer_part(key: str) -> str:
    """A key as it stands in a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


_KINDS: dict[type, str] = {dict: "an object", list: "a list"}


def kind_of(value: object) -> str:
    """What a value is, in JSON's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return "text" if isinstance(value, str) else _KINDS.get(type(value), "a number")


def parse_time(value: object, place: str = "") -> datetime | None:
    """RFC 3339 text or an epoch number as aware UTC; a time without zone counts as UTC."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _from_epoch(value)
        parsed = datetime.fromisoformat(str(value).strip())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadDocument(
            f"{quoted(value)} is no time; write it as 2026-01-31T12:00:00Z", place=place
        ) from error


def _from_epoch(value: float) -> datetime:
    seconds = value if abs(value) < SECONDS_BEFORE else value / 1000
    if not math.isfinite(seconds) or not 0 <= seconds <= LAST_SECOND:
        raise ValueError("out of range")
    return datetime.fromtimestamp(seconds, UTC)


_SEVERITIES = {
    "critical": Severity.CRITICAL, "fatal": Severity.CRITICAL,
    "high": Severity.HIGH, "error": Severity.HIGH,
    "medium": Severity.MEDIUM, "moderate": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "low": Severity.LOW, "note": Severity.LOW, "minor": Severity.LOW,
    "informational": Severity.LOW, "information": Severity.LOW, "info": Severity.LOW,
}  # fmt: skip


def severity_of(word: str) -> Severity | None:
    """A source's word for severity, None where it is unknown to us ("unknown", "other", "none")."""
    return _SEVERITIES.get(word.strip().lower())


def severity_of_score(score: float) -> Severity:
    """A CVSS score's severity (CVSS 3.1, table 14)."""
    for least, severity in ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM)):
        if score >= least:
            return severity
    return Severity.LOW
