"""Identifiers in a piece of text, with what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from evidence.phi.kinds import Hit, Kind, Weight, mask
from evidence.phi.recognisers import Recogniser
from evidence.phi.sieve import candidates

PIECE, OVERLAP = 4_000, 200
REACH = 60
"""Characters before a value in which its context is looked for."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")
_BOUNDARY = re.compile(
    r"(?i:(?<!\bno)(?<!\bacct)(?<!\btel)(?<!\bnum)(?<!\blic))[.;\n](?=\s|$)|, (?=[A-Za-z]{2})"
)


class Sample(NamedTuple):
    """What a recogniser found, masked."""

    recogniser: Recogniser
    shape: str

    def at(self, place: str) -> Hit:
        """With where it stands."""
        one = self.recogniser
        return Hit(one.kind, one.weight, place, self.shape, one.confidence)


class _Span(NamedTuple):
    start: int
    end: int
    recogniser: Recogniser


@lru_cache(1_000)
def plain_name(name: str) -> str:
    """A key's or column's name as words: patientLastName, PATIENT_LAST_NAME -> "patient last name"."""
    return _SEPARATORS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()


def find_in_text(text: str, place: str, name: str = "") -> Iterator[Hit]:
    """The identifiers in a text; `name` is the key or column that it stands under."""
    for sample in _found_in(text, plain_name(name)):
        yield sample.at(place)


class Remembered:
    """Texts of one document, each judged once: what machines write repeats most of its values.

    It takes no more memory than ROOM characters of texts.
    """

    ROOM = 2_000_000
    _COST = 200
    """Characters that stand for what an entry takes beside its text."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | int], tuple[Sample, ...]] = {}
        self._room = self.ROOM

    def get(self, name: str, value: str | int) -> tuple[Sample, ...]:
        """What is found in a value under a key, to be given its place."""
        found = self._known.get((name, value))
        return self._judge(name, value) if found is None else found

    def _judge(self, name: str, value: str | int) -> tuple[Sample, ...]:
        text = str(value)
        found = tuple(_found_in(text, plain_name(name)))
        self._room -= len(text) + self._COST
        if self._room < 0:
            self._known.clear()
            self._room = self.ROOM
        if len(text) <= PIECE:
            self._known[name, value] = found
        return found


def _found_in(text: str, named: str) -> Iterator[Sample]:
    for start in range(0, max(len(text), 1), PIECE - OVERLAP):
        piece = text[start : start + PIECE]
        for span in _spans(piece, named):
            # What lies wholly in the overlap is found again in the next piece.
            if start + PIECE < len(text) and span.start >= PIECE - OVERLAP:
                continue
            yield Sample(span.recogniser, mask(piece[span.start : span.end]))


def _spans(piece: str, named: str) -> list[_Span]:
    """What is found, without what lies inside of something found by an earlier recogniser."""
    taken: list[_Span] = []
    words = f"{named} : {_words_of(piece)}"
    for recogniser in candidates(piece, words):
        if recogniser.context and not recogniser.context.search(words):
            continue
        for match in recogniser.pattern.finditer(piece):
            start, end = match.span("v" if "v" in match.re.groupindex else 0)
            if any(start < other.end and other.start < end for other in taken):
                continue
            if _counts(recogniser, piece, start, end, named):
                taken.append(_Span(start, end, recogniser))
    return taken


def _counts(recogniser: Recogniser, piece: str, start: int, end: int, named: str) -> bool:
    if recogniser.valid and not recogniser.valid(piece[start:end]):
        return False
    if not recogniser.context:
        return True
    before = _words_of(_BOUNDARY.split(piece[max(0, start - REACH) : start])[-1])
    # Words before another number belong to that one.
    nearest = before[max((at + 1 for at, letter in enumerate(before) if letter.isdigit()), default=0) :]
    if recogniser.context.search(nearest):
        return True
    return nearest == before and bool(recogniser.context.search(named))


def _words_of(text: str) -> str:
    return text.replace("_", " ").replace("#", " no ").replace(":", " ").replace("  ", " ")


def photo(place: str) -> Hit:
    """An image can show a face, which nothing here can see."""
    return Hit(Kind.PHOTO, Weight.NOTE, place, "an image", 0.1)
