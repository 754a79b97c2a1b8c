"""docs/security/asvs.md answers every requirement of OWASP ASVS 5.0, levels 1 and 2, by something that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

CHECKOUT = Path(__file__).parents[2]
TABLE = CHECKOUT / "docs" / "security" / "asvs.md"
REQUIREMENTS = dict(
    line.split() for line in (CHECKOUT / "tests" / "architecture" / "asvs.txt").read_text().splitlines()
)
"""Each requirement of levels 1 and 2 with its level, as the standard numbers them."""
LEAST_REASON = 3


class Row(NamedTuple):
    id: str
    level: str
    asks: str
    shown_by: str


ROWS = [
    Row(*(cell.strip() for cell in line.strip("|").split(" | ")))
    for line in TABLE.read_text().splitlines()
    if re.match(r"\| \d+\.\d+\.\d+ \|", line)
]


@cache
def _tests_of(path: str) -> frozenset[str]:
    file = CHECKOUT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _named(row: Row) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.shown_by)
    return (
        tests,
        re.findall(r"setting `(\w+)`", row.shown_by),
        re.findall(r"\]\(\.\./\.\./([^)]+)\)", row.shown_by),
    )


def test_every_requirement_of_both_levels_is_answered_once():
    assert len(REQUIREMENTS) == 253
    assert [row.id for row in ROWS] == list(REQUIREMENTS)
    assert {row.id: row.level for row in ROWS} == REQUIREMENTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_a_requirement_is_shown_by_exists(row):
    tests, names, pages = _named(row)
    for path, name in tests:
        assert name in _tests_of(path), f"{row.id}: {path} has no {name}"
    for name in names:
        assert hasattr(settings, name), f"{row.id}: there is no setting {name}"
    for page in pages:
        assert (CHECKOUT / page).is_file(), f"{row.id}: there is no {page}"
    words = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)|setting|;", " ", row.shown_by).split()
    assert tests or names or pages or len(words) >= LEAST_REASON, f"{row.id} is answered by nothing"
