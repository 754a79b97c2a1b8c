"""Files made to harm a reader are refused, or read within limits; bench/hostile_files.py has more, and measures."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterable

import pytest

from evidence.archives import BadArchive, tar_entries, zip_entries
from evidence.formats.base import BadDocument
from evidence.formats.kit.xmlstream import elements
from evidence.phi import packed
from evidence.phi.guard import scan
from evidence.phi.kinds import Kind

NOTE = b"MRN: 00482913\n"


def scanned(data: bytes, name: str = "") -> list[tuple[Kind, str]]:
    return [(hit.kind, hit.place) for hit in scan(io.BytesIO(data), name)]


def refusal(data: bytes, name: str = "") -> str:
    with pytest.raises(BadDocument) as caught:
        scanned(data, name)
    return str(caught.value)


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, len(content)
        archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (zipped({"a/note.txt": NOTE}), "a/note.txt: line 1"),
        (zipped({"b.json": b'{"mrn": "482913"}'}), "b.json: /mrn"),
        (zipped({"inner.zip": zipped({"note.txt": NOTE})}), "inner.zip: note.txt: line 1"),
        (gzip.compress(NOTE), "line 1"),
        (tarred("note.txt", NOTE), "note.txt: line 1"),
        (gzip.compress(tarred("note.txt", NOTE)), "note.txt: line 1"),
        (zipped({"SSN 219-09-9999.txt": NOTE}), "xxx 000-00-0000.xxx: line 1"),
    ],
)
def test_archives_are_looked_into_file_by_file(data: bytes, place: str) -> None:
    assert (Kind.RECORD_NUMBER, place) in scanned(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: zipped({"a.txt": b"\0" * 20_000_000}), "times its size"),
        (lambda: zipped({"a.zip": zipped({"b.zip": zipped({"c.txt": NOTE})})}), "nested too deep"),
        (lambda: zipped({"../../etc/cron.d/x": NOTE}), "leaves its folder"),
        (lambda: zipped({"invoice\u202efdp.txt": NOTE}), "leaves its folder, or no name"),
        (lambda: zipped({"x" * 2_000: NOTE}), "longer than 1024"),
        (lambda: zipped({"a": b"\x7fELF"}), "of no kind that can be looked into"),
        (lambda: gzip.compress(b"\0" * 20_000_000), "times its size"),
        (lambda: gzip.compress(NOTE * 999)[:-20], "damaged"),
        (lambda: tarred("x", b"", tarfile.SYMTYPE), "a link"),
        (lambda: tarred("x", b"\0" * 100_000, tarfile.XHDTYPE), "a header is larger"),
        (lambda: tarred("x", b"\0" * 100_000, tarfile.GNUTYPE_LONGNAME), "a header is larger"),
        (lambda: tarred("x", NOTE)[:700], "damaged"),
    ],
)
def test_a_hostile_archive_is_refused(make: Callable[[], bytes], words: str) -> None:
    assert words in refusal(make())


def test_all_that_a_document_unpacks_has_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    room = packed.Room(left=1_000)
    monkeypatch.setattr("evidence.phi.guard.Room", lambda: room)
    assert "too many bytes" in refusal(zipped({"a.zip": zipped({"a.txt": b"x" * 600}), "b.txt": b"x" * 600}))


def test_an_archive_whose_size_another_table_tells_is_refused() -> None:
    data = zipped({"a.txt": NOTE})
    end = data.rindex(b"PK\x05\x06")
    with pytest.raises(BadArchive, match="ZIP64"):
        zip_entries(io.BytesIO(data[:end] + b"PK\x06\x07".ljust(20, b"\0") + data[end:]))


def test_a_tar_of_many_files_is_still_read() -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a" * 150, "é.txt"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    assert [entry.name for entry in tar_entries(data)] == ["a" * 150, "é.txt"]


CATALOG, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def pdf(*objects: bytes) -> bytes:
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer\n<</Root 1 0 R/Size 9>>\nstartxref\n0\n%%EOF\n"


def bomb() -> bytes:
    content = zlib.compress(b"\0" * 50_000_000)
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F<</Type/Font>>>>>>>>"
    )
    how = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(content)
    return pdf(CATALOG, PAGES, page, how + content + b"\nendstream")


@pytest.mark.parametrize(
    "make",
    [
        bomb,
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"),
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids" + b"[" * 100_000 + b">>"),
    ],
    ids=["bomb", "circle", "deep"],
)
def test_a_hostile_pdf_is_refused(make: Callable[[], bytes]) -> None:
    assert "the PDF" in refusal(make())


def test_a_pdf_that_takes_too_much_ends_its_own_process_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr("evidence.phi.pdf.PROGRAM", f"{tmp_path}/no such program")
    assert "too much time or memory" in refusal(b"%PDF-1.7\n")


def xml(parts: Iterable[str]) -> io.BytesIO:
    return io.BytesIO("".join(("<a>", *parts, "</a>")).encode())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: xml([f"<e{n}/>" for n in range(11_000)]), "too many names"),
        (lambda: xml(["<b ", *[f"a{n}='1' " for n in range(11_000)], "/>"]), "too many names"),
        (lambda: xml([f"<{'x' * 2_000}/>"]), "too long ones"),
        (lambda: xml([f"<b c='{'x' * 300_000}'/>"]), "attributes are too long"),
        (lambda: xml(["<row>", *[f"<c>{'x' * 1_000_000}</c>"] * 20, "</row>"]), "more than 16 MiB"),
    ],
)
def test_xml_that_would_fill_memory_is_refused(make: Callable[[], io.BytesIO], words: str) -> None:
    with pytest.raises(BadDocument, match=words):
        list(elements(make(), {"row"}))


def test_text_on_the_way_to_an_element_is_not_kept() -> None:
    document = io.BytesIO(b"".join(b"<a>" + b"x" * 500_000 for _ in range(60)))
    tracemalloc.start()
    try:
        with pytest.raises(BadDocument):
            list(elements(document, {"row"}))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_hostile_table_or_json_is_refused_or_read_as_text() -> None:
    assert "more than 10000 columns" in refusal(b"a," * 11_000 + b"\n", "x.csv")
    assert scanned(b"[" * 100_000 + NOTE) == [(Kind.RECORD_NUMBER, "line 1")]
    assert (
        scanned(b'{"' + b"k" * 20_000 + b'": {"mrn": ["482913"]}}' + b"\n[" + b" " * 300_000 + b"1]")[0][0]
        is Kind.RECORD_NUMBER
    )


@pytest.mark.parametrize(
    "name",
    ["a\0b.csv", "report\u202efdp.txt", "../../etc/passwd", "x" * 100_000, "\x1b[31mred\r\n", "\ud800.json"],
)
def test_a_hostile_name_harms_nobody(name: str) -> None:
    assert (Kind.RECORD_NUMBER, "line 1") in [hit for hit in scanned(NOTE, name) if hit[1] == "line 1"]


def test_a_key_that_is_an_identifier_is_masked_in_the_place() -> None:
    data = b'{"SSN 219-09-9999": {"mrn": "482913"}}'
    assert scanned(data) == [(Kind.RECORD_NUMBER, "/xxx 000-00-0000/mrn")]
