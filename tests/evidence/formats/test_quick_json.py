"""The quick way of reading JSON gives what the careful way gives, and leaves to it what isn't plainly right."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from evidence.formats.base import BadDocument
from evidence.formats.kit import jsonquick, jsonstream
from evidence.formats.kit.jsonstream import ANY, Doubt, Found, Path, values_at
from tests.evidence.formats.kit import SAMPLES

DOCUMENTS = 250
PATHS: tuple[tuple[Path, ...], ...] = (((ANY,),), ((),), (("a1", ANY), ("b2",)), ((ANY, "a1"),))
SCALARS = (
    None,
    True,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**63,
    1.5,
    1e308,
    "",
    "a",
    "é😀",
    "\\ud800",
    '"',
    ":",
    "{",
)
DAMAGE = (
    b"\\ud800",
    b"\\u0000",
    b"NaN",
    b"1e999",
    b",",
    b'"a":1,',
    b"\\ud83d\\ude00",
    b"\xef\xbb\xbf",
    b"-0",
    b"01",
    b"}",
)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what a piece's end cuts is met in small documents."""
    monkeypatch.setattr(jsonquick, "PIECE", 64)
    monkeypatch.setattr(jsonquick, "LARGEST", 300)


def value(chance: random.Random, depth: int) -> Any:
    kind = chance.random()
    if depth <= 0 or kind < 0.4:
        return chance.choice(SCALARS)
    if kind < 0.75:
        return {chance.choice("abc/~") + str(chance.randrange(4)): value(chance, depth - 1) for _ in range(4)}
    return [value(chance, depth - 1) for _ in range(chance.randrange(5))]


def document(chance: random.Random) -> bytes:
    lines = [
        json.dumps(value(chance, 4), indent=chance.choice((None, 1))) for _ in range(chance.choice((1, 1, 3)))
    ]
    data = "\n".join(lines).encode()
    if chance.random() < 0.5:
        at = chance.randrange(len(data) + 1)
        return data[:at] + chance.choice(DAMAGE) + data[at + chance.randrange(2) :]
    return data


def taken(found: Iterator[Found]) -> tuple[list[str], str]:
    values: list[str] = []
    try:
        values.extend(repr(each) for each in found)
    except BadDocument as error:
        return values, str(error)
    return values, ""


@pytest.mark.usefixtures("small_pieces")
def test_whole_and_damaged_documents_give_the_same_values_places_and_refusals() -> None:
    chance = random.Random(20261122)
    for _ in range(DOCUMENTS):
        data = document(chance)
        for paths in PATHS:
            careful, refusal = taken(jsonstream._walk(io.BytesIO(data), frozenset(paths), every=False))
            quick, said = taken(values_at(io.BytesIO(data), *paths))
            assert said == refusal, data
            # Of what is refused, one of them may give some values more before.
            common = len(careful) if not refusal else min(len(quick), len(careful))
            assert quick[:common] == careful[:common] and (refusal or len(quick) == common), data


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a": 1, "a": 2}]', b"[NaN]", b"[1e400]", b"[9223372036854775808]", b'["\\ud800"]', b'["\\u0000"]', b"[1,]",
        b"[" * 101, b"", b'["\xff"]', b"[1] x", b'{"a" 1}', b'["\n"]',
    ],
)  # fmt: skip
def test_what_is_not_plainly_right_raises_doubt(data: bytes) -> None:
    with pytest.raises(Doubt):
        list(jsonquick.walk(io.BytesIO(data), frozenset({(ANY,)})))


def test_scanners_documents_are_read_without_doubt() -> None:
    for path in SAMPLES.glob("*.json"):
        with path.open("rb") as stream:
            assert list(jsonquick.walk(stream, frozenset(), every=True))
