"""A document to push: where it is, how long, and its SHA-256, without ever holding it whole."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from surety.errors import DocumentChanged

CHUNK = 256 * 1024
UNKNOWN_TYPE = "application/octet-stream"
OWN_TYPES = {
    ".sarif": "application/sarif+json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".csv": "text/csv",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
}


@dataclass(frozen=True, slots=True)
class Document:
    """An open file's bytes from `start` on, `size` of them."""

    file: BinaryIO
    start: int
    size: int
    sha256: bytes
    name: str = ""

    @property
    def content_digest(self) -> str:
        """As the header says it (RFC 9530)."""
        return f"sha-256=:{base64.b64encode(self.sha256).decode()}:"

    @property
    def content_type(self) -> str:
        """By the name alone; the portal looks at the bytes."""
        guess, encoding = mimetypes.guess_type(self.name)
        own = OWN_TYPES.get(Path(self.name).suffix.lower())
        return own or (guess if guess and not encoding else None) or UNKNOWN_TYPE

    def chunks(self) -> Iterator[bytes]:
        """The bytes once more, as many as there were. Raises DocumentChanged where some are gone."""
        self.file.seek(self.start)
        left = self.size
        while left:
            chunk = self.file.read(min(CHUNK, left))
            if not chunk:
                raise DocumentChanged("The document became shorter while it was sent. Push it again.")
            left -= len(chunk)
            yield chunk


@contextmanager
def open_document(source: str | os.PathLike[str] | BinaryIO) -> Iterator[Document]:
    """A file by its path, or an open binary stream from where it stands. A pipe is first copied to a temporary file."""
    if not isinstance(source, str | os.PathLike):
        with _seekable(source) as file:
            yield _measured(file, "")
        return
    with Path(source).open("rb") as stream, _seekable(stream) as file:
        yield _measured(file, Path(source).name)


@contextmanager
def _seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile(prefix="surety-") as copy:
        while chunk := stream.read(CHUNK):
            copy.write(chunk)
        copy.seek(0)
        yield copy


def _measured(file: BinaryIO, name: str) -> Document:
    start, counted, digest = file.tell(), 0, hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        counted += len(chunk)
    return Document(file, start, counted, digest.digest(), name)
