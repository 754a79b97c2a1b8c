"""Identifiers in a PDF, which is read by a process of its own: a hostile one can take no more than its limits."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from evidence.formats.kit.errors import BadDocument
from evidence.phi.kinds import Hit
from evidence.phi.text import find_in_each, photo

PROGRAM = Path(__file__).with_name("pdf_program.py")
MAX_FILE = 256 * 1024 * 1024
MAX_PAGE = 32 * 1024 * 1024
"""Bytes of one page's text."""


def scan_pdf(stream: BinaryIO, *, notes: bool = True) -> Iterator[Hit]:
    """The identifiers, by page. Raises BadDocument for what is damaged, encrypted, or takes too much."""
    with _file(stream) as file:
        process = subprocess.Popen(  # noqa: S603  our own program and nothing else
            [sys.executable, "-I", str(PROGRAM)], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={},
        )  # fmt: skip
        with process:
            try:
                yield from _hits(process, notes=notes)
            finally:
                process.kill()


def _hits(process: subprocess.Popen[bytes], *, notes: bool) -> Iterator[Hit]:
    for said in _said(process):
        if "problem" in said:
            raise BadDocument(said["problem"])
        if "end" in said:
            return
        page = f"page {said['page']}"
        yield from find_in_each(((line, page, "") for line in said["text"].splitlines()), notes=notes)
        if said["images"]:
            yield photo(page)
    raise BadDocument("the PDF takes too much time or memory to be looked into")


def _said(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    while process.stdout and (line := process.stdout.readline(MAX_PAGE)).endswith(b"\n"):
        yield json.loads(line)


@contextlib.contextmanager
def _file(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """The document as a file that another process can read; its own place in the stream isn't shared with it."""
    if stream.seek(0, io.SEEK_END) > MAX_FILE:
        raise BadDocument(f"the PDF is larger than {MAX_FILE // 2**20} MiB")
    stream.seek(0)
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        yield file
