"""Archives: what they may come to, and what is refused before it is unpacked."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from evidence.archives import BadArchive, Limits, gunzip, tar_entries, zip_entries

SMALL = Limits(entries=10, entry_bytes=1_000_000, total_bytes=2_000_000)


def packed(fill: Callable[[zipfile.ZipFile], None], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        fill(archive)
    return data


def write(archive: zipfile.ZipFile, data: bytes, *names: str) -> None:
    for name in names:
        archive.writestr(name, data)


def named(*names: str) -> io.BytesIO:
    return packed(lambda archive: write(archive, b"x", *names))


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def encrypted() -> io.BytesIO:
    data = bytearray(named("a.txt").getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(data))


def overlapping() -> io.BytesIO:
    """Two names for one entry's bytes, as the bombs with overlapping entries have them."""
    data = bytearray(packed(lambda a: write(a, b"0" * 5_000, "a", "b"), zipfile.ZIP_STORED).getvalue())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 10)
    return io.BytesIO(bytes(data))


def test_the_files_of_a_zip_are_read_without_its_folders() -> None:
    entries = zip_entries(packed(lambda a: write(a, b"one", "f/", "f/a.txt")))
    assert [(entry.name, entry.size, entry.read()) for entry in entries] == [("f/a.txt", 3, b"one")]


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (lambda: named("../a"), "leaves its folder"),
        (lambda: named("/etc/a"), "leaves its folder"),
        (lambda: named("a\\..\\..\\b"), "leaves its folder"),
        (lambda: named("C:a"), "leaves its folder"),
        (lambda: named("a\u202etxt.exe"), "leaves its folder"),
        (lambda: named("a" * 2_000), "a name is longer"),
        (lambda: named("a", "A"), "two entries have one name"),
        (lambda: named("e\u0301", "\u00e9"), "two entries have one name"),
        (lambda: named(*map(str, range(11))), "more than 10 entries"),
        (lambda: packed(link), "is a link or a device"),
        (encrypted, "is encrypted"),
        (overlapping, "entries overlap"),
        (lambda: packed(lambda a: a.writestr("a", b"0" * 900_000)), "unpacks to more than 200 times"),
        (
            lambda: packed(lambda a: a.writestr("a", b"0" * 1_000_001), zipfile.ZIP_STORED),
            "larger than 1000000 bytes",
        ),
        (
            lambda: packed(lambda a: write(a, b"0" * 900_000, *"abc"), zipfile.ZIP_STORED),
            "unpacks to more than 2000000",
        ),
        (lambda: packed(lambda a: a.writestr("a", b"x"), zipfile.ZIP_BZIP2), "compressed in a way"),
        (lambda: io.BytesIO(b"PK\x03\x04 no archive"), "no ZIP archive"),
        (lambda: io.BytesIO(named("a").getvalue()[:-5]), "no ZIP archive"),
    ],
)
def test_a_bad_zip_is_refused_before_it_is_unpacked(archive: Callable[[], io.BytesIO], words: str) -> None:
    with pytest.raises(BadArchive, match=words):
        zip_entries(archive(), SMALL)


def test_a_damaged_entry_is_refused_as_it_is_read() -> None:
    data = bytearray(packed(lambda a: a.writestr("a", b"hello"), zipfile.ZIP_STORED).getvalue())
    data[data.index(b"hello")] = 0
    [entry] = zip_entries(io.BytesIO(bytes(data)))
    with pytest.raises(BadArchive, match="a is damaged"):
        entry.read()


def test_gzip_is_limited_by_what_comes_out() -> None:
    assert gunzip(io.BytesIO(gzip.compress(b"hello"))).read() == b"hello"
    for data, words in (
        (gzip.compress(b"0" * 10_000_000), "times its size|unpacks to more than"),
        (gzip.compress(b"hello")[:-6], "no gzip"),
        (b"hello", "no gzip"),
    ):
        with pytest.raises(BadArchive, match=words):
            gunzip(io.BytesIO(data), SMALL).read()


def tarred(*members: tuple[str, bytes]) -> io.BytesIO:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return data


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_links_or_devices_is_refused(kind: bytes) -> None:
    with pytest.raises(BadArchive, match="is a link, a device"):
        list(tar_entries(tarred(("a", tarfile.REGTYPE), ("b", kind))))


def test_a_tars_files_are_read_and_names_that_leave_are_refused() -> None:
    assert [entry.name for entry in tar_entries(tarred(("a", tarfile.REGTYPE), ("d", tarfile.DIRTYPE)))] == [
        "a"
    ]
    with pytest.raises(BadArchive, match="leaves its folder"):
        list(tar_entries(tarred(("../a", tarfile.REGTYPE))))
    with pytest.raises(BadArchive, match="no tar"):
        list(tar_entries(io.BytesIO(b"no tar" * 200)))


def test_archives_in_archives_end_somewhere() -> None:
    with pytest.raises(BadArchive, match="nested too deep"):
        Limits(depth=2).deeper().deeper()
