"""Citations of 45 CFR part 164 found in the words of others.

"HIPAA 164.308(a)(1)(ii)(D)", "164_308_a_1_ii_d" (prowler), "§ 164.312(b)", "hipaa-164.312.b" (tokens, which hold no
brackets): one form comes out, 164.308(a)(1)(ii)(D). What doesn't follow the regulation's order of paragraphs
(letter, number, roman numeral, capital) is left out, not guessed. Whether a citation is in the Security Rule's
catalogue is for those who have it. A section without paragraphs (164.312) names no safeguard.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SECTION = re.compile(r"(?<![\d.])164[._ ](3(?:06|08|10|12|14|16|18)|4(?:00|02|04|06|08|10|12|14))(?!\d)")
_PARAGRAPH = re.compile(r" ?\(([A-Za-z0-9]{1,5})\)|[._-]([A-Za-z]{1,5}|\d{1,2})(?![A-Za-z0-9])")
_LEVELS = (
    re.compile(r"[a-z]"),
    re.compile(r"[1-9]\d?"),
    re.compile(r"(?:x{0,2}(?:ix|iv|v?i{0,3}))"),
    re.compile(r"[A-Z]"),
)
LONGEST = 20_000
SHORT = 200
"""Texts up to here repeat in a document, and what they gave is remembered."""


def find_citations(*texts: str) -> tuple[str, ...]:
    """The citations in texts, each once, in the order they stand."""
    found: dict[str, None] = {}
    for text in texts:
        if "164" in text:
            found |= _found_in(text) if len(text) <= SHORT else _find(text)
    return tuple(found)


def _find(text: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for match in _SECTION.finditer(text[:LONGEST]):
        paragraphs = _paragraphs(text, match.end())
        if paragraphs:
            found[f"164.{match[1]}{paragraphs}"] = None
    return found


_found_in = lru_cache(2_000)(_find)


def _paragraphs(text: str, at: int) -> str | None:
    parts: list[str] = []
    while len(parts) < len(_LEVELS) and (match := _PARAGRAPH.match(text, at)):
        level = len(parts)
        # Prowler writes all in lower case; the fourth level is a capital in the regulation.
        part = match[1] or (match[2].upper() if level == len(_LEVELS) - 1 else match[2])
        if not _LEVELS[level].fullmatch(part):
            return None if match[1] else _joined(parts)
        parts.append(part)
        at = match.end()
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    return "".join(f"({part})" for part in parts)
