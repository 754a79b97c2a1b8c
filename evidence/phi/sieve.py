"""Which recognisers can find something in a text, told in two passes over it whatever their number.

Every pattern and every context is also added to a set of RE2's, made wider: without its lookarounds, anchors and the
upper bounds of long repetitions. A set never misses what the pattern itself would match; what it lets through is judged
by the pattern. Texts of machines are let through seldom, which is where the time of the guard goes otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

import re2

from evidence.phi.kinds import Weight
from evidence.phi.recognisers import RECOGNISERS, Recogniser

_PART = re.compile(
    r"(?P<look>\(\?<?[=!][^()]*\))|(?P<group>\[\^?(?:\\.|[^\]\\])+\])|(?P<escape>\\u[0-9a-f]{4}|\\.)"
    r"|(?P<anchor>[\^$])|(?P<bounds>\{\d+,\d+\})"
)
_CLASSES = {r"\d": r"\p{Nd}", r"\w": r"\p{L}\p{N}_", r"\s": r"\s\p{Z}\x1c-\x1f\x85\x0b"}
_ESCAPE = re.compile(r"\\u(?P<code>[0-9a-f]{4})|\\.")
_FEW = 3
"""Longer repetitions would make RE2's automata large."""
_MEMORY = 16 * 1024 * 1024
_ASCII_I = str.maketrans("\u0130\u0131", "ii")
"""Letters that Python's re takes for an i where case is ignored, and RE2 doesn't."""


def widened(pattern: re.Pattern[str]) -> str:
    """A pattern in RE2's syntax that matches at least wherever this one does. For the syntax used here alone."""
    text = _PART.sub(_wider, pattern.pattern)
    return f"(?i){text}" if pattern.flags & re.IGNORECASE else text


def _wider(part: re.Match[str]) -> str:
    if part["look"] or part["anchor"] or part[0] == r"\b":
        return ""
    if part["bounds"]:
        least, most = part[0][1:-1].split(",")
        return part[0] if int(most) <= _FEW else f"{{{least},}}"
    if part["group"]:
        return _ESCAPE.sub(_in_group, part[0])
    if part[0][1:] in {"W", "D", "S"}:
        return f"[^{_CLASSES[part[0].lower()]}]"
    return f"[{_CLASSES[part[0]]}]" if part[0] in _CLASSES else _in_group(part)


def _in_group(part: re.Match[str]) -> str:
    if part[0].startswith(r"\u"):
        return rf"\x{{{part[0][2:]}}}"
    return _CLASSES.get(part[0], part[0])


class _Set:
    """The numbers of those patterns that may match a text."""

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        # The empty pattern, number 0, matches always: where it is missing, RE2 ran out of memory and told nothing.
        self._set.Add("")
        self._numbers = {self._set.Add(pattern): number for number, pattern in patterns}
        self._set.Compile()

    def match(self, text: bytes) -> frozenset[int]:
        # The stubs say bool; it is a list of numbers, None where nothing matches.
        found = cast("list[int] | None", self._set.Match(text))
        if found == [0]:
            return frozenset()
        return frozenset(self._numbers[index] for index in found or self._numbers if index)


_ALL = tuple(enumerate(RECOGNISERS))
_ALONE = _Set([(number, one.needs or widened(one.pattern)) for number, one in _ALL if not one.context])
_TELLING = _Set(
    [
        (number, one.needs or widened(one.pattern))
        for number, one in _ALL
        if not one.context and one.weight is not Weight.NOTE
    ]
)
"""Without those that give notes alone, which machines' texts are full of."""
_CONTEXTS = _Set([(number, widened(one.context)) for number, one in _ALL if one.context])


def candidates(piece: str, words: str, *, notes: bool = True) -> list[Recogniser]:
    """Those that may find something in a piece of text, in their order. Contexts are looked for in `words`.

    Without `notes` there are none where only notes could be found; otherwise they stay, as a note may hold another hit.
    """
    text, contexts = _encoded(piece), _CONTEXTS.match(_encoded(words))
    if not (notes or contexts or _TELLING.match(text)):
        return []
    found = _ALONE.match(text) | contexts
    return [RECOGNISERS[number] for number in sorted(found)] if found else []


def is_quiet(text: str, *, notes: bool = True) -> bool:
    """Whether no recogniser can find anything, neither with a context from this text."""
    alone = _ALONE if notes else _TELLING
    return not alone.match(_encoded(text)) and not _CONTEXTS.match(_encoded(words_of(text)))


def words_of(text: str) -> str:
    """A text as contexts are looked for in it."""
    return text.replace("_", " ").replace("#", " no ").replace(":", " ").replace("  ", " ")


def _encoded(text: str) -> bytes:
    return (text if text.isascii() else text.translate(_ASCII_I)).encode(errors="replace")
