"""What no honest tool writes is refused in one line that says what and where, quickly, in little memory."""

from __future__ import annotations

import io
import tracemalloc
from typing import BinaryIO

import pytest

from evidence.formats.base import BadDocument, Source, formats, read_document
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.guard import MAX_TOKEN
from evidence.formats.kit.jsonstream import values_at
from tests.evidence.formats.kit import read, refusal

FINDING = b'{"class_uid": 2004, "metadata": {"event_code": "c"}, "finding_info": {"title": %s}}'


def title(value: bytes) -> bytes:
    return b"[" + FINDING % value + b"]"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (title(b"NaN"), "NaN is no number"),
        (title(b"-Infinity"), "no JSON"),
        (title(b"1e400"), "a number is too large"),
        (title(b"1" + b"0" * 4300), "a number is too large"),
        (title(b'"\\u0000"'), "/0: a text holds NUL"),
        (title(b'"\\ud800"'), "half of a surrogate pair"),
        (title(b'"\\udc00\\ud800"'), "half of a surrogate pair"),
        (title(b'"\xff"'), "not UTF-8"),
        (title(b'{"a": 1, "a": 2}'), 'the key "a" stands twice'),
        (title(b"[" * 100_000), "nested more than 100 levels deep"),
        (title(b'{"a":' * 100_000), "nested more than 100 levels deep"),
        (title(b'"x",'), "no JSON: "),
        (b'[{"class_uid": 2004},\n{"class_uid": 2004}', "/0: nothing names the check"),
        (title(b'"x"')[:-1], "no JSON: "),
        (title(b'"x"') + b"garbage", "no JSON: "),
        (title(b'"x"').decode().encode("utf-16"), "in no format that is read"),
    ],
)
def test_hostile_json_is_refused(document: bytes, words: str) -> None:
    said = refusal(document)
    assert words in said
    assert len(said) < 300 and said.isprintable()


@pytest.mark.parametrize("text", ["\\ud83d\\ude00", "\\\\ud800", "x\\\\\\\\ud800"])
@pytest.mark.parametrize("cut", range(1, 14))
def test_whole_characters_and_written_backslashes_pass_wherever_a_read_ends(text: str, cut: int) -> None:
    data = title(f'"{"-" * 40}{text}{"-" * 40}"'.encode())

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, cut) if size and size > 0 else size)

    assert len(list(values_at(Slow(data), ("*",)))) == 1


@pytest.mark.parametrize("cut", range(1, 14))
def test_half_a_character_is_found_wherever_a_read_ends(cut: int) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, cut) if size and size > 0 else size)

    with pytest.raises(BadDocument, match="half of a surrogate"):
        list(values_at(Slow(title(b'"----\\ud83d\\ud83d\\ude00----"')), ("*",)))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b'<!DOCTYPE t [<!ENTITY a "b">]><testsuites/>', "with a DTD is not read"),
        (b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuites/>', "with a DTD is not read"),
        (b"<testsuites>" + b"<testsuite>" * 200, "nested more than 100 levels deep"),
        (b"<testsuites><testcase name='a'></testsuites>", "no XML from line 1"),
        (b"<testsuites><testcase name='&xxe;'/></testsuites>", "no XML from line 1"),
    ],
)
def test_hostile_xml_is_refused(document: bytes, words: str) -> None:
    assert words in refusal(document)


class Endless(io.RawIOBase):
    """A document of 2 GiB that nobody has to hold."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self._start, self._more, self._at = start, more * 1000, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, to: int, whence: int = 0) -> int:
        self._at = to
        return to

    def read(self, size: int = -1) -> bytes:
        begin, self._at = self._at, self._at + size
        if begin > 2**31:
            return b""
        if begin < len(self._start):
            return (self._start[begin:] + self._more * (size // len(self._more) + 1))[:size]
        offset = (begin - len(self._start)) % len(self._more)
        return (self._more * (size // len(self._more) + 2))[offset:][:size]


@pytest.mark.parametrize(
    ("start", "more", "words"),
    [
        (b'[{"class_uid": 2004, "message": "', b"x", "longer than"),
        (b'[{"class_uid": 2004, "time": ', b"1", "longer than"),
        (b'[{"class_uid": 2004, "list": [', b"1,", "more than"),
        (b'[{"class_uid": 2004, ' + b'"more": [1], ' * 3, b'"more": [1], ', "stands twice"),
        (b"<testsuites><testcase name='", b"x", "longer than"),
        (b"<testsuites><testcase>", b"<property/>", "more than"),
    ],
    ids=["text", "number", "list", "keys", "attribute", "elements"],
)
def test_an_endless_document_is_refused_before_it_fills_memory(
    start: bytes, more: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.formats.kit.xmlstream.MAX_PARTS", 10_000)
    monkeypatch.setattr("evidence.formats.kit.jsonstream.MAX_NODES", 20_000)
    stream: BinaryIO = Endless(start, more)  # type: ignore[assignment]
    tracemalloc.start()
    try:
        with pytest.raises(BadDocument, match=words):
            for _ in read_document(Source(stream=stream)).outcomes:
                pass
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_TOKEN
    finally:
        tracemalloc.stop()


def _results(**result: object) -> dict[str, object]:
    return {"assessment-results": {"metadata": {"title": "t"}, "results": [result]}}


def _problem_of(document: object) -> str:
    try:
        read(document)
    except BadDocument as error:
        return str(error)
    return ""


_LONG = "x" * 1000
_MANY = [f"{number}-{_LONG}" for number in range(20)]


@pytest.mark.parametrize(
    "document",
    [
        _results(observations=[{"uuid": each} for each in _MANY]),
        _results(observations=[{"uuid": "u", "subjects": [{"subject-uuid": each} for each in _MANY]}]),
        _results(**{"local-definitions": {"components": [{"uuid": each} for each in _MANY]}}),
        _results(findings=[{"related-observations": [{"observation-uuid": each} for each in _MANY]}]),
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"bom-ref": e, "purl": e} for e in _MANY]},
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": [{"id": each} for each in _MANY]}}}]},
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2'>"
        + "".join(f"<Rule id='{each}'/>" for each in _MANY)
        + "<TestResult/></Benchmark>",
    ],
    ids=["observations", "subjects", "things", "findings", "components", "rules", "benchmark"],
)  # fmt: skip
def test_what_must_be_remembered_of_a_document_is_limited(
    document: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is refused for it with the usual limit, each with one that it is beyond."""
    whole = document.encode() if isinstance(document, str) else document
    assert "MiB" not in _problem_of(whole)
    monkeypatch.setattr("evidence.formats.kit.room.MOST", 10_000)
    assert _problem_of(whole).endswith("MiB: send it in parts")


def test_an_empty_or_unknown_document_is_refused() -> None:
    assert refusal(b"") == "The document is empty."
    assert "in no format that is read here" in refusal(b"\x00\x01\x02")
    assert "There is no format 'odd'" in refusal(b"{}", "odd")


def test_every_format_refuses_or_reads_what_is_not_its_own_without_another_error() -> None:
    for name in formats():
        for document in (b"[]", b"{}", b"[1]", b"7", b"<a/>", b"\xff\xfe", b"a,b\n1,2\n", b"PK\x03\x04"):
            try:
                read(document, name)
            except BadDocument:
                continue


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HIPAA 164_308_a_1_ii_d 164_312_b", ("164.308(a)(1)(ii)(D)", "164.312(b)")),
        ("45 CFR § 164.312(a)(2)(iv)", ("164.312(a)(2)(iv)",)),
        ("hipaa-164.312.e.2.ii", ("164.312(e)(2)(ii)",)),
        ("164.308(a)(4)(ii)(B), 164.310(d)(1).", ("164.308(a)(4)(ii)(B)", "164.310(d)(1)")),
        ("164.312(b) and 164.312(b)", ("164.312(b)",)),
        ("164.308(a)(1)(ii)(d)", ()),
        ("164.312", ()),
        ("10.164.312.5, 1164.312(b)", ()),
        ("NIST 800-53 AC-2", ()),
    ],
)
def test_citations_are_found_in_the_words_of_others(text: str, found: tuple[str, ...]) -> None:
    assert find_citations(text) == found
