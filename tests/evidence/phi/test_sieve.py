"""What makes the guard quick loses nothing: with it and without it, the same is found."""

from __future__ import annotations

import io
import json
import random
import re
from pathlib import Path

import pytest

from evidence.formats.base import BadDocument, Source, read_document
from evidence.formats.kit import jsonquick
from evidence.formats.kit.jsonstream import pieces, scalars
from evidence.phi import sieve, text
from evidence.phi.guard import Beside, scan
from evidence.phi.kinds import Weight
from evidence.phi.recognisers import RECOGNISERS
from evidence.phi.text import find_in_each, find_in_text
from evidence.phi.values import Watch

TEXTS = 300
PARTS = (
    "Patient: Ada Okafor", "DOB 03/14/1961", "born March 14, 1961", "SSN 219-09-9999", "s.s.n. 219099999", "MRN# AB-48291",
    "medical_record_number 00482913", "Medicare 1EG4-TE5-MK73", "Member ID: XYZ123456789", "1200 North Maple Avenue", "IL 62704",
    "(212) 664-7665", "Fax 212-664-7665", "jane@example.org", "acct_no 48291377", "4111 1111 1111 1111", "license D1234567",
    "DEA AB1234563", "NPI 1234567893", "1HGCM82633A004352", "plate 617 LUS", "pacemaker PJN123456", "(01)00844588003288",
    "https://example.org/x", "8.8.8.8", "2606:4700:4700::1111", "12:34:56", "voice print: a81f00bd", "a 93 year old", "arn:aws:s3:::b",
)  # fmt: skip
ODD = (
    "\u0130",
    "\u0131",
    "\u017f",
    "\u212a",
    "\u0663",
    "\xa0",
    "\u2019",
    "_",
    "#",
    ":",
    "  ",
    "\n",
    "é",
    "😀",
    "\ud800",
)
NAMES = ("", "patientLastName", "ssn", "phone", "resource", "PAT\u0131ENT_NAME", "device serial")


def made(chance: random.Random) -> str:
    letters = list(" ".join(chance.choices(PARTS, k=chance.randrange(1, 4))))
    for _ in range(chance.randrange(5)):
        letters[chance.randrange(len(letters))] = chance.choice(ODD)
    joined = "".join(letters)
    return joined.upper() if chance.random() < 0.1 else joined


def test_with_the_sieve_and_without_it_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    texts = [(made(chance), "here", chance.choice(NAMES)) for _ in range(TEXTS)]
    one_by_one = [list(find_in_text(*each)) for each in texts]
    together = list(find_in_each(texts))
    monkeypatch.setattr(text, "candidates", lambda _piece, _words, notes: list(RECOGNISERS))
    assert one_by_one == [list(find_in_text(*each)) for each in texts]
    assert together == [hit for hits in one_by_one for hit in hits]
    assert len(together) > TEXTS / 2


def test_without_notes_all_else_is_found() -> None:
    chance = random.Random(8)
    texts = [(made(chance), "here", chance.choice(NAMES)) for _ in range(TEXTS)]
    telling = [hit for hit in find_in_each(texts) if hit.weight is not Weight.NOTE]
    assert list(find_in_each(texts, notes=False)) == telling
    document = json.dumps([{"name": name, name or "x": text} for text, _place, name in texts]).encode()
    expected = [hit for hit in scan(io.BytesIO(document)) if hit.weight is not Weight.NOTE]
    assert list(scan(io.BytesIO(document), notes=False)) == expected
    assert len(expected) > TEXTS / 2


def test_texts_without_candidates_are_let_by() -> None:
    assert sieve.candidates("aws:kms:dsse", "desc : aws kms dsse") == []
    assert sieve.is_quiet("status detail\nbucket-7: Region has at least one trail")
    assert not sieve.is_quiet("note\nDOB 03/14/1961")


def test_where_re2_tells_nothing_every_recogniser_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does where its memory isn't enough."""
    monkeypatch.setattr(sieve._ALONE, "_set", type("Silent", (), {"Match": lambda _self, _text: None})())
    assert len(sieve.candidates("x", "x")) == sum(not one.context for one in RECOGNISERS)


def test_a_widened_pattern_has_nothing_that_re2_cannot_read() -> None:
    assert sieve.widened(re.compile(r"(?<!\w)^a{1,20}\b[\w'\u2019]$(?=x)")) == r"a{1,}[\p{L}\p{N}_'\x{2019}]"


def test_values_of_json_are_judged_alike_in_pieces_and_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonquick, "PIECE", 64)
    monkeypatch.setattr(jsonquick, "LARGEST", 300)
    monkeypatch.setattr(jsonquick, "GROUP", 200)
    monkeypatch.setattr(Watch, "ROOM", 3_000)
    chance = random.Random(3)
    for _ in range(20):
        rows = [
            {
                "ssn": 219099999,
                "list": [chance.choice(PARTS), 1, True, None],
                "deep": {"fax": [chance.choice(PARTS)]},
            }
            for _ in range(chance.randrange(6))
        ]
        data = json.dumps([rows, [chance.choice(PARTS) for _ in range(60)], {"a": rows}]).encode()
        quick, careful = Watch(), Watch()
        hits = [hit for found in pieces(io.BytesIO(data)) for hit in quick.look(found)]
        assert hits == [hit for found in scalars(io.BytesIO(data)) for hit in careful.look(found)]


FINDING = '{"class_uid": 2003, "status_code": "FAIL", "metadata": {"event_code": "c"}, "message": "%s"}'


@pytest.mark.parametrize(
    "document",
    [
        f"[{FINDING % 'MRN: 00482913'}, {FINDING % 'nothing'}, {FINDING % 'SSN 219-09-9999'}]",
        f'[{FINDING % "nothing"}]\n{{"patient": {{"mrn": "MRN: 00482913"}}}}',
        f"{FINDING % 'nothing'}\n{FINDING % 'call 212-555-0143, patient Jane Doe'}",
        f"[{', '.join(FINDING % f'MRN: 004829{number:02}' for number in range(90))}]",
        (Path(__file__).parent.parent / "formats/samples/prowler.ocsf.json").read_text(),
    ],
    ids=["a list", "another document behind it", "lines", "many", "prowler's"],
)
def test_what_is_seen_beside_reading_is_what_a_scan_finds(document: str) -> None:
    beside, data = Beside(1_000), document.encode()
    assert list(read_document(Source(stream=io.BytesIO(data), watcher=beside), format_name="ocsf").outcomes)
    assert beside.saw_all
    seen = list(scan(io.BytesIO(), "f.json", notes=False, beside=beside))
    assert seen == list(scan(io.BytesIO(data), "f.json", notes=False))


def test_reading_that_was_careful_is_no_scan() -> None:
    beside, data = Beside(10), (FINDING % "MRN: 00482913").replace("2003", "2003.0e0").encode()
    with pytest.raises(BadDocument):
        list(read_document(Source(stream=io.BytesIO(data), watcher=beside), format_name="ocsf").outcomes)
    assert not beside.saw_all
