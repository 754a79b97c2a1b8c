"""Packages that prove themselves: a ZIP whose manifest is signed, with all that is needed to check it without us.

docs/evidence-package.md describes the format; verifier/verify.py, which goes with each package, checks it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from zipstream import ZIP_DEFLATED, ZipStream

from accounts.audit.signing import request_signature

Part = tuple[str, Iterable[bytes]]
"""One file: its path in the package and its bytes, read once, when its turn comes."""

VERIFIER = Path(__file__).parent / "verifier" / "verify.py"
PATH = re.compile(r"[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*(/[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*)*", re.ASCII)
LONGEST_PATH = 240
COMPRESSION = 1
"""A third of the time that 6 takes, for a tenth more bytes: compressing is most of what a large package costs."""

README = """\
{title}
{name}, {created_at}
Package {id}, format {format}

What this is
  A part of the audit log of {name}, kept by Surety{beyond}. Whoever changes, removes or adds a single byte is
  found out by a program of a few hundred lines, which needs neither Surety nor a network.

How to check it
  1. Python 3.9 or newer, and its package "cryptography":   python3 -m pip install cryptography
  2. Take verify.py from where you trust it: the copy beside this file is for reading. Whoever could alter the
     package could alter that copy too. It is the same for every package of one release.
  3. Ask {name}, by another way than the one this package came by, for the fingerprint of the log's key, and run
        python3 verify.py PACKAGE.zip --key FINGERPRINT
     A package that was unpacked is checked by naming its folder.
  4. If you have a checkpoint from before (log/checkpoint.txt of an earlier package), add --earlier FILE: the log
     of today must then be that log, and more.

  It prints a sentence for each thing that holds. Exit code 0: all holds. 1: refused; the last line says what is
  wrong and in which file. 2: the package can't be read.

How to check it without our program
  docs/evidence-package.md of Surety describes each file and each computation. It is SHA-256, Merkle trees as in
  RFC 6962, and signed notes as in C2SP (https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint).
"""


class PackageFormat(StrEnum):
    """What a package is; also the first line of what is signed."""

    EVIDENCE = "surety-evidence-package/1"
    LOG = "surety-log-export/1"
    VERIFICATION = "surety-verification/1"
    EXIT = "surety-exit/1"


@dataclass(frozen=True, slots=True)
class PackageInfo:
    """What package.json says. `more` are further JSON values of the package's kind (scope, period, who asked)."""

    format: PackageFormat
    tenant_id: UUID
    tenant_name: str
    id: UUID = field(default_factory=uuid4)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            **self.more,
            "format": str(self.format),
            "id": str(self.id),
            "tenant": {"id": str(self.tenant_id), "name": self.tenant_name},
            "created_at": self.created_at.astimezone(UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z"),
        }


class Listed(NamedTuple):
    """A file as the manifest lists it: `sha256` in hex, `bytes` its length."""

    path: str
    sha256: str
    bytes: int


def stream_package(
    *, info: PackageInfo, parts: Iterable[Part], sign: Callable[[str], str] | None = None
) -> Iterator[bytes]:
    """The ZIP, piece by piece, at constant memory.

    README.txt, verify.py, package.json, manifest.json and signature.txt come by themselves.
    `parts` may be lazy: each part's bytes are read to their end before the next part is asked for, so it may count
    progress as it goes. `sign` makes a signed note of a text; without it the sealer is asked and waited for, so
    the last piece must not be pulled inside a transaction. Raises ValueError for a path that a package can't hold
    or that comes twice, and what `parts` and `sign` raise (Unavailable when the sealer doesn't answer).
    """
    archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=COMPRESSION)
    listed: dict[str, Listed] = {}
    for path, pieces in _with_own_parts(info, parts):
        _refuse_path(path, listed)
        archive.add(_hashed(path, pieces, listed), path)
        yield from archive.all_files()
    manifest = manifest_of(listed.values())
    archive.add(manifest, "manifest.json")
    yield from archive.all_files()
    text = signed_text(info, manifest)
    note = sign(text) if sign else request_signature(tenant_id=info.tenant_id, text=text)
    archive.add(note.encode(), "signature.txt")
    yield from archive.all_files()
    yield from archive.finalize()


def manifest_of(files: Iterable[Listed]) -> bytes:
    """manifest.json: every file but itself and signature.txt, sorted by path."""
    lines = [json.dumps(listed._asdict()) for listed in sorted(files)]
    return ('{"files":[\n' + ",\n".join(lines) + "\n]}\n").encode()


def signed_text(info: PackageInfo, manifest: bytes) -> str:
    """What signature.txt signs."""
    return f"{info.format}\n{info.id}\n{hashlib.sha256(manifest).hexdigest()}\n"


def _with_own_parts(info: PackageInfo, parts: Iterable[Part]) -> Iterator[Part]:
    yield "README.txt", [_readme(info).encode()]
    yield "verify.py", [VERIFIER.read_bytes()]
    yield "package.json", [json.dumps(info.to_json(), indent=1, ensure_ascii=False).encode() + b"\n"]
    yield from parts


def _readme(info: PackageInfo) -> str:
    title, beyond = _ABOUT[info.format]
    return README.format(
        title=title,
        beyond=beyond,
        name=" ".join(info.tenant_name.split()),
        created_at=info.to_json()["created_at"],
        id=info.id,
        format=info.format,
    )


_ABOUT = {
    PackageFormat.EVIDENCE: (
        "Evidence package",
        ", and evidence for safeguards of the HIPAA Security Rule",
    ),
    PackageFormat.LOG: ("Export of the audit log", ""),
    PackageFormat.VERIFICATION: (
        "Verification of a business associate",
        ", and verification.pdf, which that log says was certified",
    ),
    PackageFormat.EXIT: (
        "Certificate of return or destruction",
        ", and certificate.pdf, which that log says was certified",
    ),
}
"""What README.txt calls a package, and says of it beside the log."""


def _refuse_path(path: str, listed: Mapping[str, Listed]) -> None:
    if not PATH.fullmatch(path) or len(path) > LONGEST_PATH:
        raise ValueError(f"a package can't hold a file named {path!r}")
    if path in listed or path in {"manifest.json", "signature.txt"}:
        raise ValueError(f"the package already holds a file named {path!r}")


def _hashed(path: str, pieces: Iterable[bytes], listed: dict[str, Listed]) -> Iterator[bytes]:
    digest, length = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        length += len(piece)
        yield piece
    listed[path] = Listed(path, digest.hexdigest(), length)
