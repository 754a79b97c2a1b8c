"""What a package withholds: chosen fields of the evidence, and their values wherever else they stand. Pure.

A bucket's name stands in the listing of buckets, in the ARNs of policies, in findings. So a text that a chosen field
holds is withheld from every field, key and sentence that contains it; what is too short to tell anything apart (a
region's number, "on") is withheld from the chosen field alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ahocorasick_rs import AhoCorasick, MatchKind

from evidence.fields import any_of, cut, names_in

SHORTEST = 4
"""A text of fewer characters is withheld only where it was chosen."""
WORDS = "[withheld]"


def values_in(documents: Iterable[Any], patterns: Iterable[str]) -> set[str]:
    """The texts that the patterns' fields hold in the documents, and that are long enough to be told apart."""
    chosen = any_of(patterns)
    return {
        value
        for document in documents
        for pointer, value in cut(document)
        if isinstance(value, str) and len(value) >= SHORTEST and chosen(pointer)
    }


class Withholding:
    """Judges fields and texts by patterns and by the values that those patterns' fields hold."""

    def __init__(self, patterns: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self.patterns = tuple(patterns)
        self._chosen = any_of(self.patterns)
        known = sorted(values)
        self._known = AhoCorasick(known, matchkind=MatchKind.LeftmostLongest) if known else None

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def mentions(self, text: str) -> bool:
        """Whether a text contains a withheld value."""
        return self._known is not None and bool(self._known.find_matches_as_indexes(text))

    def hides(self, pointer: str, value: Any) -> bool:
        """Whether a field is withheld: chosen, or with a withheld value in it or in the names that lead to it."""
        return self._chosen(pointer) or (self._known is not None and self._says(pointer, value))

    def _says(self, pointer: str, value: Any) -> bool:
        if isinstance(value, str) and self.mentions(value):
            return True
        # Escapes within a pointer could hide a value that has "/" or "~" in it.
        return self.mentions(pointer) or ("~" in pointer and any(map(self.mentions, names_in(pointer))))

    def text(self, text: str) -> str:
        """A text with every withheld value replaced by "[withheld]"."""
        if self._known is None:
            return text
        parts, end = [], 0
        for _value, start, stop in self._known.find_matches_as_indexes(text):
            parts += [text[end:start], WORDS]
            end = stop
        return "".join([*parts, text[end:]])

    def mentions_in(self, document: Any) -> bool:
        """Whether any text or name of a JSON document contains a withheld value."""
        return self._known is not None and any(self._says(*field) for field in cut(document))

    def clean(self, value: Any, names: Collection[str]) -> Any:
        """A JSON value in which every text is cleaned that stands under one of the names."""
        if isinstance(value, dict):
            return {
                name: self.text(inner)
                if name in names and isinstance(inner, str)
                else self.clean(inner, names)
                for name, inner in value.items()
            }
        return [self.clean(inner, names) for inner in value] if isinstance(value, list) else value
