"""The ZIP of an AWS Audit Manager assessment report, and the digests in its digest.txt.

The user guide ("Assessment reports") says which files there are: <assessment>/<report>/AssessmentReportSummary.pdf,
README.txt, digest.txt, and evidence as PDF in folders by control, data source and day. It gives no outcomes of a form
that machines can read: the header counts controls and evidence. AWS doesn't publish the form of digest.txt; lines that
join a name of the ZIP and a SHA-256 (hex or base64) in either order, or a JSON object of such pairs, are understood.
Where one disagrees the report is refused; where none is understood, it is told to be unverified. The signature itself
is verified by AWS alone (ValidateAssessmentReportIntegrity).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from evidence.archives import BadArchive, Entry, Limits, zip_entries
from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.outcomes import Header
from evidence.formats.kit.start import Start

SUMMARY, DIGEST = "AssessmentReportSummary.pdf", "digest.txt"
MAX_DIGEST = 4 * 1024 * 1024
CHUNK = 1024 * 1024
_HASH = re.compile(r"(?<![0-9A-Za-z+/=])(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)(?![0-9A-Za-z+/=])")


def read(source: Source) -> Reading:
    """Raises BadDocument for an archive beyond the limits, without a summary, or with a wrong digest."""
    try:
        entries = {entry.name: entry for entry in zip_entries(source.stream, Limits())}
        summary = _find(entries, SUMMARY)
        if summary is None:
            raise BadDocument(f"the archive holds no {SUMMARY}")
        verified, note = _verify(entries)
    except BadArchive as error:
        raise BadDocument(str(error)) from error
    evidence = [name for name in entries if name.lower().endswith(".pdf") and not name.endswith(SUMMARY)]
    return Reading(
        Header(
            title=summary.name.split("/")[0],
            producer="AWS Audit Manager",
            media_type="application/zip",
            verified=verified,
            notes=(f"{len(_controls(evidence))} controls, {len(evidence)} evidence files", note),
        ),
        iter(()),
    )


def _find(entries: Mapping[str, Entry], name: str) -> Entry | None:
    return next((entry for path, entry in entries.items() if path.rpartition("/")[2] == name), None)


def _controls(evidence: list[str]) -> set[str]:
    """The folders of controls: <assessment>/<report>/<control>/<data source>/<day>/<evidence>."""
    return {"/".join(name.split("/")[:-3]) for name in evidence if name.count("/") >= 3}  # noqa: PLR2004


def _verify(entries: Mapping[str, Entry]) -> tuple[bool | None, str]:
    digest = _find(entries, DIGEST)
    if digest is None:
        return None, f"there is no {DIGEST}: nothing to verify by"
    if digest.size > MAX_DIGEST:
        raise BadDocument(f"it is larger than {MAX_DIGEST} bytes", place=DIGEST)
    told = dict(_digests(digest.read().decode("utf-8", "replace"), entries))
    if not told:
        return False, f"{DIGEST} names no file with a SHA-256 in a form that is known: not verified"
    for name, expected in told.items():
        if _sha256(entries[name]) != expected:
            raise BadDocument(f"its SHA-256 is not what {DIGEST} says", place=quoted(name))
    covered = len(told)
    left = len([name for name in entries if name not in told and name != digest.name])
    return left == 0, f"{covered} files are as {DIGEST} says, {left} it doesn't name"


def _digests(text: str, entries: Mapping[str, Entry]) -> Iterator[tuple[str, bytes]]:
    """Names with their digest, line by line; a name may be the whole path or its end, if no other ends so."""
    ends: dict[str, list[str]] = {}
    for path in entries:
        parts = path.split("/")
        for start in range(len(parts)):
            ends.setdefault("/".join(parts[start:]), []).append(path)
    for line in re.split(r"[\n\r,{}]", text):
        found = _HASH.search(line)
        if not found:
            continue
        name = (
            f"{line[: found.start()]} {line[found.end() :]}".strip(" \t\"':=*-()")
            .removeprefix("SHA256")
            .strip(" \t\"':=*-()")
        )
        paths = ends.get(name.removeprefix("./"), [])
        if len(paths) == 1:
            yield paths[0], _decode(found[0])


def _decode(text: str) -> bytes:
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)  # noqa: PLR2004
    except (binascii.Error, ValueError) as error:
        raise BadDocument("a digest is no SHA-256", place=DIGEST) from error


def _sha256(entry: Entry) -> bytes:
    digest = hashlib.sha256()
    try:
        with entry.open() as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadArchive(f"{entry.name[:100]} is damaged") from error
    return digest.digest()


def _recognises(start: Start) -> bool:
    return start.head.startswith(b"PK\x03\x04") and SUMMARY.encode() in start.head


FORMAT = Format(
    title="AWS Audit Manager's assessment report (ZIP)",
    media_types=("application/vnd.aws.auditmanager+zip",),
    recognises=_recognises,
    read=read,
    order=30,
)
