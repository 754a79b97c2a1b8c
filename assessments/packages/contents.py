"""The files of a package, one after the other: read when their turn comes, in transactions of their own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from assessments.engagements.models import Engagement
from assessments.models import FindingPeriod
from assessments.packages.documents import Document
from assessments.packages.gather import InScope, Piece, Work, check_of, findings_of
from assessments.packages.told import Part, Told
from assessments.packages.withholding import Withholding, values_in
from evidence import vault
from evidence.fields import commitment, leaves_of, shown

MOST_PARTED = 64 << 20
"""A document of more bytes is not shown with fields withheld, which takes it into memory; it is left out."""

COLUMNS = (
    "check", "title", "severity", "outcome", "observed", "resource", "arn", "kind", "region", "aws_account_id",
    "first_seen_at", "valid_from", "valid_to", "source", "document",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection)."""


class Held(NamedTuple):
    """The evidence of a scope: AWS's answers and other tools' documents."""

    pieces: list[Piece]
    documents: list[Document]


def withholding_for(pieces: Iterable[Piece], patterns: list[str]) -> Withholding:
    """Reads the evidence once for the values that the patterns' fields hold; none is read without a pattern."""
    if not patterns:
        return Withholding()
    documents = (_document(piece) for piece in pieces if _parts(piece))
    return Withholding(patterns, values_in(documents, patterns))


def _parts(piece: Piece) -> bool:
    """Whether its fields can be withheld one by one."""
    return bool(piece.blob.fields_root) and piece.blob.size <= MOST_PARTED


def _document(piece: Piece) -> Any:
    return json.loads(b"".join(vault.stream_blob(piece.blob)))


def evidence_parts(pieces: Iterable[Piece], withholding: Withholding, told: Told) -> Iterator[Part]:
    """Each piece in its original bytes, or with fields withheld, or not at all; `told` says which."""
    for piece in pieces:
        key = str(piece.snapshot_id)
        reason = _unprovable(piece) or (_unpartable(piece) if withholding else "")
        if reason:
            told.left_out[key] = reason
        elif not withholding:
            told.paths[key] = piece.path
            yield piece.path, vault.stream_blob(piece.blob)
        else:
            yield _parted(piece, withholding, told)


def salts_part(pieces: Iterable[Piece], told: Told) -> Part:
    """The salts that open the log's commitments to what is shown whole; of anything else they would betray fields."""
    whole = {
        str(piece.snapshot_id): bytes(piece.blob.salt).hex()
        for piece in pieces
        if told.paths.get(str(piece.snapshot_id)) == piece.path and piece.blob.salt
    }
    return "log/salts.json", [_json(whole)]


def _unprovable(piece: Piece) -> str:
    said = json.loads(piece.seal.body)["details"] if piece.seal else {}
    salt, digest = bytes(piece.blob.salt), piece.blob.digest
    sealed = said.get("commitment") == commitment(salt, digest) or said.get("sha256") == digest
    return "" if sealed else "the log has no entry that seals it"


def _unpartable(piece: Piece) -> str:
    if not piece.blob.fields_root:
        return "it was sealed without salted fields, so that none of them can be withheld by itself"
    if piece.blob.size > MOST_PARTED:
        return f"it is larger than the {MOST_PARTED >> 20} MiB up to which fields can be withheld"
    return ""


def _parted(piece: Piece, withholding: Withholding, told: Told) -> Part:
    leaves = leaves_of(_document(piece), bytes(piece.blob.salt))
    hidden = [withholding.hides(leaf.pointer, leaf.value) for leaf in leaves]
    key = str(piece.snapshot_id)
    if not any(hidden):
        told.paths[key] = piece.path
        return piece.path, vault.stream_blob(piece.blob)
    told.paths[key] = piece.withheld_path
    told.withheld[key] = (sum(hidden), len(leaves))
    document = {
        "snapshot": key,
        "fields_root": piece.blob.fields_root,
        "leaves": [shown(leaf, withheld=away) for leaf, away in zip(leaves, hidden, strict=True)],
    }
    return piece.withheld_path, [json.dumps(document, ensure_ascii=False).encode()]


def safeguard_parts(
    of: Engagement, entries: Iterable[InScope], held: Held, work: Work, told: Told, withholding: Withholding,
    opened: Callable[[], AbstractContextManager[Any]],
) -> Iterator[Part]:  # fmt: skip
    """For each safeguard its status with reasons, coverage and evidence, and its findings as CSV.

    `opened` opens the tenant for one transaction.
    """
    for entry in entries:
        folder = f"safeguards/{entry.safeguard.citation}"
        yield f"{folder}/index.json", [_json(safeguard_json(entry, held, work, told))]
        if entry.derived.tallies:
            yield f"{folder}/findings.csv", _findings(of, entry, told, withholding, opened)


def safeguard_json(entry: InScope, held: Held, work: Work, told: Told) -> dict[str, Any]:
    """One safeguard as its index.json says it; the index pages show the same."""
    safeguard, derived = entry.safeguard, entry.derived
    evidence = [piece for piece in held.pieces if piece.collector in entry.collectors]
    documents = [each.key for each in held.documents if safeguard.citation in each.cites]
    of = {name: [row for row in getattr(work, name) if row["citation"] == safeguard.citation]
          for name in ("requests", "samples", "comments", "conclusions")}  # fmt: skip
    return {
        "citation": safeguard.citation,
        "title": safeguard.title,
        "level": entry.level,
        "summary": safeguard.summary,
        "status": str(derived.status),
        "status_label": derived.status.label,
        "why": derived.why,
        "coverage": {"decided": derived.decided, "total": derived.total},
        "needs": list(derived.needs),
        "specifications": {citation: str(status) for citation, status in derived.specifications.items()},
        "checks": [
            {"id": each.tally.check_id, "title": each.title, "severity": str(each.severity),
             "passed": each.tally.passed, "failed": each.tally.failed, "unknown": each.tally.unknown,
             "not_applicable": each.tally.not_applicable, "source": each.tool_check.tool if each.tool_check else ""}
            for each in entry.tallies
        ],
        "evidence": [path for piece in evidence if (path := told.paths.get(str(piece.snapshot_id)))],
        "evidence_left_out": [str(piece.snapshot_id) for piece in evidence if str(piece.snapshot_id) in told.left_out],
        "documents": [told.paths[key] for key in documents if key in told.paths],
        "documents_left_out": [key for key in documents if key in told.left_out],
        "findings": "findings.csv" if derived.tallies else None,
        "requests": [row["id"] for row in of["requests"]],
        "samples": [row["id"] for row in of["samples"]],
        "comments": of["comments"],
        "conclusions": of["conclusions"],
    }  # fmt: skip


def _findings(
    of: Engagement, entry: InScope, told: Told, withholding: Withholding,
    opened: Callable[[], AbstractContextManager[Any]],
) -> Iterator[bytes]:  # fmt: skip
    yield csv_lines([COLUMNS])
    last = None
    while True:
        with opened():
            rows = findings_of(of, entry.safeguard.citation, last)
        if not rows:
            return
        last = rows[-1].pk
        yield csv_lines(_finding(row, entry, told, withholding) for row in rows)


def _finding(row: FindingPeriod, entry: InScope, told: Told, withholding: Withholding) -> list[str]:
    finding = row.finding
    check = check_of(finding.check_id) or entry.tools.get(finding.check_id)
    cells = [
        finding.check_id, check.title if check else "", finding.severity, row.outcome, row.observed,
        finding.resource_name, finding.resource_arn, finding.resource_kind, finding.region,
        finding.connection.aws_account_id if finding.connection else "", finding.first_seen_at.isoformat(),
        row.valid_from.isoformat(),
        row.valid_to.isoformat() if row.valid_to else "", finding.source, told.paths.get(str(row.submission_id), ""),
    ]  # fmt: skip
    return [withholding.text(cell) for cell in cells]


def csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows as CSV (RFC 4180) in which no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([[harmless(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would calculate."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def sample_parts(work: Work, withholding: Withholding, told: Told) -> Iterator[Part]:
    """Each sample that was drawn; one whose items hold a withheld value can't prove itself and is left out."""
    for sample in work.samples:
        items = [*sample["population"], sample["seed"] or ""]
        if sample["seed"] is None:
            told.left_out[sample["id"]] = "no sample was drawn yet"
        elif any(withholding.mentions(item) for item in items):
            told.left_out[sample["id"]] = "its population holds a withheld value"
        else:
            told.paths[sample["id"]] = f"samples/{sample['id']}.json"
            yield told.paths[sample["id"]], [_json(sample)]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
