"""ZIP, gzip and tar opened with limits, and never to disk: entries are read as streams.

Refused whole: too many entries, too large when unpacked, too high a ratio, names that leave their folder, links and
devices, encrypted entries, entries that overlap or stand twice, unknown compression. Sizes that a ZIP declares are what
its entries can give at most; gzip and tar are counted as they are read.
"""

from __future__ import annotations

import gzip
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import IO, BinaryIO

_FLAG_ENCRYPTED = 0x1 | 0x40
_END = b"PK\x05\x06"
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_END_SIZE, _MAX_COMMENT = 22, 65_535
_TYPE_AT, _PLAIN_TYPES = 156, (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadArchive(Exception):
    """An archive is not opened. One line that says why, with the entry where it is one's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive may come to.

    Sizes are bytes when unpacked; `ratio` is unpacked to packed; `depth` counts archives in archives, this one
    included.
    """

    entries: int = 10_000
    entry_bytes: int = 512 * 1024 * 1024
    total_bytes: int = 2 * 1024 * 1024 * 1024
    ratio: int = 200
    name_length: int = 1_024
    directory_bytes: int = 8 * 1024 * 1024
    depth: int = 2

    def deeper(self) -> Limits:
        """The limits of an archive inside of this one. Raises BadArchive where that is one too many."""
        if self.depth <= 1:
            raise BadArchive("archives are nested too deep")
        return replace(self, depth=self.depth - 1)


DEFAULT = Limits()
SMALL = 64 * 1024
"""The ratio counts from here on: a few kilobytes of one letter are no bomb."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive. `open` gives its bytes, at most `size` of them; a damaged one raises BadArchive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def read(self) -> bytes:
        """The whole file."""
        try:
            with self.open() as stream:
                return stream.read()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise BadArchive(f"{_shown(self.name)} is damaged") from error


def zip_entries(stream: BinaryIO, limits: Limits = DEFAULT) -> tuple[Entry, ...]:
    """The files of a ZIP, folders left out. Raises BadArchive before anything is unpacked."""
    _check_directory(stream, limits)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise BadArchive("no ZIP archive, or a damaged one") from error
    infos = archive.infolist()
    for info in infos:
        _check_info(info, limits)
    _check_whole(infos, limits)
    files = [info for info in infos if not info.is_dir()]
    return tuple(Entry(info.filename, info.file_size, _opener(archive, info)) for info in files)


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _check_directory(stream: BinaryIO, limits: Limits) -> None:
    """Before zipfile reads the directory of entries into memory."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
    tail = stream.read()
    at = tail.rfind(_END)
    stream.seek(0)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise BadArchive("no ZIP archive, or a damaged one")
    if tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR):
        # Its own counts would be taken instead of those that are looked at here.
        raise BadArchive("a ZIP64 archive, which is not read")
    count, directory = struct.unpack("<HI", tail[at + 10 : at + 16])
    if count > limits.entries or directory > limits.directory_bytes:
        raise BadArchive(f"more than {limits.entries} entries")


def _check_info(info: zipfile.ZipInfo, limits: Limits) -> None:
    name = info.filename
    _check_name(name, limits)
    if info.flag_bits & _FLAG_ENCRYPTED:
        raise BadArchive(f"{_shown(name)} is encrypted")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise BadArchive(f"{_shown(name)} is a link or a device")
    if info.compress_type not in _METHODS:
        raise BadArchive(f"{_shown(name)} is compressed in a way that is not read")
    _check_size(name, info.file_size, info.compress_size, limits)


def _check_size(name: str, size: int, packed: int, limits: Limits) -> None:
    if size > limits.entry_bytes:
        raise BadArchive(f"{_shown(name)} is larger than {limits.entry_bytes} bytes")
    if size > SMALL and size > limits.ratio * max(packed, 1):
        raise BadArchive(f"{_shown(name)} unpacks to more than {limits.ratio} times its size")


def _check_whole(infos: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(infos) > limits.entries:
        raise BadArchive(f"more than {limits.entries} entries")
    if sum(info.file_size for info in infos) > limits.total_bytes:
        raise BadArchive(f"unpacks to more than {limits.total_bytes} bytes")
    names = [unicodedata.normalize("NFC", info.filename).casefold() for info in infos]
    if len(set(names)) != len(names):
        raise BadArchive("two entries have one name")
    for first, second in pairwise(sorted(infos, key=lambda info: info.header_offset)):
        if first.header_offset + first.compress_size > second.header_offset:
            raise BadArchive("entries overlap")


def _check_name(name: str, limits: Limits) -> None:
    parts = name.replace("\\", "/").split("/")
    outside = name.startswith(("/", "\\")) or ".." in parts or (len(name) > 1 and name[1] == ":")
    if outside or not name.isprintable() or not name.strip("/. "):
        raise BadArchive(f"{_shown(name)} is a name that leaves its folder, or no name")
    if len(name) > limits.name_length:
        raise BadArchive(f"a name is longer than {limits.name_length} characters")


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:100])


class _Counted:
    """Reads of unpacked bytes, refused beyond the limit or the ratio to what was packed."""

    def __init__(self, stream: gzip.GzipFile, packed: BinaryIO, limits: Limits) -> None:
        self._stream, self._packed, self._limits, self._given = stream, packed, limits, 0

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(SMALL), b""))
        try:
            data = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise BadArchive("no gzip, or a damaged one") from error
        self._given += len(data)
        if self._given > self._limits.entry_bytes:
            raise BadArchive(f"unpacks to more than {self._limits.entry_bytes} bytes")
        # gzip reads ahead by a buffer; what it has read bounds what was packed.
        if self._given > SMALL and self._given > self._limits.ratio * max(self._packed.tell(), 1):
            raise BadArchive(f"unpacks to more than {self._limits.ratio} times its size")
        return data


def gunzip(stream: BinaryIO, limits: Limits = DEFAULT) -> _Counted:
    """The unpacked bytes, by `read(size)`, limited by what comes out. Raises BadArchive while it is read."""
    stream.seek(0)
    return _Counted(gzip.GzipFile(fileobj=stream), stream, limits)


def tar_entries(stream: BinaryIO, limits: Limits = DEFAULT) -> Iterator[Entry]:
    """The files of a plain tar, one after another; each is read before the next is taken."""
    _check_headers(stream, limits)
    stream.seek(0)
    total = 0
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for count, member in enumerate(archive, 1):
                total += member.size
                _check_member(member, count, total, limits)
                if member.isfile():
                    yield Entry(member.name, member.size, _tar_opener(archive, member))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadArchive("no tar archive, or a damaged one") from error


def _check_headers(stream: BinaryIO, limits: Limits) -> None:
    """Before tarfile reads headers that go on in blocks of their own (long names, PAX) into memory."""
    at = count = 0
    stream.seek(0)
    while (header := stream.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        try:
            size = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape").size
        except tarfile.HeaderError as error:
            raise BadArchive("no tar archive, or a damaged one") from error
        count += 1
        if header[_TYPE_AT : _TYPE_AT + 1] not in _PLAIN_TYPES and size > SMALL:
            raise BadArchive("a header is larger than the file's name and times can be")
        if count > 4 * limits.entries or size < 0:
            raise BadArchive(f"more than {limits.entries} entries")
        at += tarfile.BLOCKSIZE * (1 + -(-size // tarfile.BLOCKSIZE))
        stream.seek(at)


def _check_member(member: tarfile.TarInfo, count: int, total: int, limits: Limits) -> None:
    _check_name(member.name, limits)
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise BadArchive(f"{_shown(member.name)} is a link, a device or sparse")
    if count > limits.entries:
        raise BadArchive(f"more than {limits.entries} entries")
    if member.size > limits.entry_bytes or total > limits.total_bytes:
        raise BadArchive(f"unpacks to more than {limits.total_bytes} bytes")


def _tar_opener(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_member() -> IO[bytes]:
        stream = archive.extractfile(member)
        if stream is None:
            raise BadArchive(f"{_shown(member.name)} is no file")
        return stream

    return open_member
