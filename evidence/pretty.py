"""What AWS answered, as lines for people. Long answers are cut for the page, and the page says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

SHOWN_BYTES = 256 * 1024
RAW_SHOWN_BYTES = 64 * 1024


class ShownCall(NamedTuple):
    """One operation's answers: how many keys, their lines, and how many lines the page leaves out."""

    operation: str
    answers: int
    lines: list[str]
    left_out: int


def pretty_calls(calls: Mapping[str, Mapping[str, Any]], limit: int = SHOWN_BYTES) -> list[ShownCall]:
    """Every operation with its answers as indented JSON, until `limit` characters are shown in all."""
    return list(_shown(calls, limit))


def _shown(calls: Mapping[str, Mapping[str, Any]], left: int) -> Iterator[ShownCall]:
    for operation, answers in sorted(calls.items()):
        lines = json.dumps(answers, indent=2, ensure_ascii=False).splitlines()
        kept = 0
        while kept < len(lines) and left > len(lines[kept]):
            left -= len(lines[kept]) + 1
            kept += 1
        yield ShownCall(operation, len(answers), lines[:kept], len(lines) - kept)
        left = 0 if kept < len(lines) else left
