"""Identifiers in the files of an archive: ZIP, tar, gzip; each is unpacked by itself, within the archive's limits."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO, BinaryIO, cast

from evidence.archives import BadArchive, Entry, Limits, gunzip, tar_entries, zip_entries
from evidence.formats.kit.errors import BadDocument
from evidence.phi.kinds import Hit
from evidence.phi.text import shown

KINDS = ("application/zip", "application/gzip", "application/x-tar")
IN_MEMORY = 4 * 1024 * 1024


@dataclass(slots=True)
class Room:
    """What a document may still unpack, in bytes, all archives in it together; `depth` counts those around."""

    left: int = Limits().total_bytes
    depth: int = 0

    def take(self, size: int) -> None:
        """Raises BadDocument where that is too much."""
        self.left -= size
        if self.left < 0:
            raise BadDocument("what is packed in the file comes to too many bytes")

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """In an archive. Raises BadDocument where that is one too many."""
        if self.depth >= Limits().depth:
            raise BadDocument("archives are nested too deep")
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


ScanFile = Callable[[BinaryIO, str, Room], Iterator[Hit]]


def scan_packed(stream: BinaryIO, kind: str, room: Room, scan_file: ScanFile) -> Iterator[Hit]:
    """The identifiers, each place with the file's name before it. Raises BadDocument as an archive is refused."""
    try:
        with room.inside():
            for entry in _entries(stream, kind):
                room.take(entry.size)
                around = f"{shown(entry.name)}: " if entry.name else ""
                for hit in _scan_entry(entry, room, scan_file):
                    yield replace(hit, place=around + hit.place)
    except BadArchive as error:
        raise BadDocument(str(error)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise BadDocument("the archive is damaged") from error


def _entries(stream: BinaryIO, kind: str) -> Iterator[Entry]:
    if kind == "application/gzip":
        return iter((Entry("", 0, lambda: cast("IO[bytes]", contextlib.nullcontext(gunzip(stream)))),))
    return tar_entries(stream) if kind == "application/x-tar" else iter(zip_entries(stream))


def _scan_entry(entry: Entry, room: Room, scan_file: ScanFile) -> Iterator[Hit]:
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        with entry.open() as packed:
            shutil.copyfileobj(packed, file)
        # What gzip holds is known only now.
        room.take(max(0, file.tell() - entry.size))
        yield from scan_file(cast("BinaryIO", file), entry.name, room)
