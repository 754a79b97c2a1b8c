"""Identifiers in a piece of text, with what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from evidence.formats.kit.errors import printable
from evidence.phi.kinds import Hit, Kind, Weight, mask
from evidence.phi.recognisers import Recogniser
from evidence.phi.sieve import candidates, is_quiet, words_of

PIECE, OVERLAP = 4_000, 200
BATCH = 16
"""Texts that are judged together first."""
LONGEST_NAME = 300
"""Characters of a name that are looked at."""
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


def plain_name(name: str) -> str:
    """A key's or column's name as words: patientLastName, PATIENT_LAST_NAME -> "patient last name"."""
    return _plain_name(name[:LONGEST_NAME])


@lru_cache(1_000)
def _plain_name(name: str) -> str:
    return _SEPARATORS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()


def find_in_text(text: str, place: str, name: str = "", *, notes: bool = True) -> Iterator[Hit]:
    """The identifiers in a text, with or without notes; `name` is the key or column that it stands under."""
    for sample in find_samples(text, plain_name(name), notes=notes):
        yield sample.at(place)


def find_in_each(values: Iterable[tuple[str, str, str]], *, notes: bool = True) -> Iterator[Hit]:
    """The identifiers in many texts, each with its place and name: as find_in_text, and quicker."""
    for batch in _batches(values):
        if not is_clean(((plain_name(name), text) for text, _place, name in batch), notes=notes):
            for text, place, name in batch:
                yield from find_in_text(text, place, name, notes=notes)


def _batches(values: Iterable[tuple[str, str, str]]) -> Iterator[list[tuple[str, str, str]]]:
    batch: list[tuple[str, str, str]] = []
    size = 0
    for each in values:
        batch.append(each)
        size += len(each[0])
        if len(batch) >= BATCH or size > PIECE:
            yield batch
            batch, size = [], 0
    yield batch


def shown(name: str) -> str:
    """A sender's name of a file as it may stand in a place: masked where it is an identifier itself."""
    short = name[:LONGEST_NAME]
    return mask(short) if any(find_samples(short, "")) else printable(short)


def is_clean(values: Iterable[tuple[str, str]], *, notes: bool = True) -> bool:
    """Whether nothing can be found in any of these texts, each with its name as plain words: told for all at once."""
    return is_quiet("\n".join(text for value in values for text in value), notes=notes)


def find_samples(text: str, named: str, *, notes: bool = True) -> Iterator[Sample]:
    """What is found in a text under a name in plain words, yet without a place."""
    for start in range(0, max(len(text), 1), PIECE - OVERLAP):
        piece = text[start : start + PIECE]
        for span in _spans(piece, named, notes=notes):
            # What lies wholly in the overlap is found again in the next piece.
            if start + PIECE < len(text) and span.start >= PIECE - OVERLAP:
                continue
            if notes or span.recogniser.weight is not Weight.NOTE:
                yield Sample(span.recogniser, mask(piece[span.start : span.end]))


def _spans(piece: str, named: str, *, notes: bool) -> list[_Span]:
    """What is found, without what lies inside of something found by an earlier recogniser."""
    taken: list[_Span] = []
    words = f"{named} : {words_of(piece)}"
    for recogniser in candidates(piece, words, notes=notes):
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
    before = words_of(_BOUNDARY.split(piece[max(0, start - REACH) : start])[-1])
    # Words before another number belong to that one.
    nearest = before[max((at + 1 for at, letter in enumerate(before) if letter.isdigit()), default=0) :]
    if recogniser.context.search(nearest):
        return True
    return nearest == before and bool(recogniser.context.search(named))


def photo(place: str) -> Hit:
    """An image can show a face, which nothing here can see."""
    return Hit(Kind.PHOTO, Weight.NOTE, place, "an image", 0.1)
