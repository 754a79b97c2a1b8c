"""The index of a package for people: one set of facts, written as HTML (self-contained) and as PDF (Typst)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from assessments.packages.contents import Held, safeguard_json
from assessments.packages.documents import Deleted, Document
from assessments.packages.gather import InScope, Piece, Work
from assessments.packages.models import Package
from assessments.packages.told import Told
from assessments.packages.withholding import Withholding
from assessments.pdf import write_pdf
from assessments.status import EVIDENCE_LABELS, Status
from evidence.models import AwsConnection

TEMPLATE = Path(__file__).with_name("index.typ")
MOST_PDF_ROWS = 1000
"""Pieces of evidence that the PDF lists; index.html and manifest.json list all of them."""

NOT_CLAIMED = (
    "This package does not say that the Security Rule is met. That is for the organization's security official,"
    " and in the end for the regulator, to judge.",
    "It is not the risk analysis of 45 CFR 164.308(a)(1)(ii)(A).",
    "It shows what AWS answered when it was asked, through the connections and in the regions named here. Systems"
    " elsewhere, and what lies between two collections, are not shown.",
    "What another tool's document says is that tool's word. Its receipt shows when it arrived, and that it is unchanged"
    " since.",
    "A status rests on automatic checks. A check supports a safeguard; most administrative and physical safeguards"
    " also take documents, decisions and people's statements that AWS can't show.",
    "“No evidence yet” means that: something was not collected or could not be read. It counts neither for nor"
    " against.",
    "The proofs show that evidence and log are unchanged since they were sealed, and that nothing of the"
    " log's stretch is missing. They do not show that AWS's answers were right.",
)


def facts_of(
    *, package: Package, tenant_name: str, made_at: datetime, entries: list[InScope], held: Held,
    deleted: list[Deleted], connections: Iterable[AwsConnection], work: Work, told: Told, withholding: Withholding,
) -> dict[str, Any]:  # fmt: skip
    """Everything that the index says, as JSON. Texts of the evidence and of people are cleaned of withheld values."""
    clean = withholding.text
    engagement = package.engagement
    safeguards = [_safeguard(entry, held, work, told) for entry in entries]
    return {
        "id": str(package.pk),
        "tenant": tenant_name,
        "made_at": _moment(made_at),
        "requested_by": package.requested_by.name,
        "engagement": {"title": clean(engagement.title), "firm": clean(engagement.firm)} if engagement else None,
        "period_from": package.period_from.isoformat(),
        "period_to": package.period_to.isoformat(),
        "whole_rule": package.citations is None,
        "connections": [
            {"name": clean(row.name), "account": clean(row.aws_account_id), "regions": clean(", ".join(row.regions))}
            for row in connections
        ],
        "counts": [_count(status, safeguards) for status in Status],
        "safeguards": safeguards,
        "evidence": [_evidence(piece, told, clean) for piece in held.pieces],
        "documents": [_document(each, told, clean) for each in held.documents],
        "deleted": [
            {
                "sequence": each.sequence, "received_at": _moment(each.received_at),
                "deleted_at": _moment(each.deleted_at),
            }
            for each in deleted
        ],
        "requests": work.requests,
        "samples": [
            {**row, "path": told.paths.get(row["id"], ""), "reason": told.left_out.get(row["id"], "")}
            for row in work.samples
        ],
        "withheld": _withheld(package, told, clean),
        "not_claimed": list(NOT_CLAIMED),
    }  # fmt: skip


def _safeguard(entry: InScope, held: Held, work: Work, told: Told) -> dict[str, Any]:
    about = safeguard_json(entry, held, work, told)
    failing = [check for check in about["checks"] if check["failed"]]
    return {
        **about,
        "folder": f"safeguards/{about['citation']}",
        "needs_labels": [EVIDENCE_LABELS[need] for need in about["needs"]],
        "failing": failing,
        "passing": sum(1 for check in about["checks"] if check["passed"] and not check["failed"]),
        "evidence_count": len(about["evidence"]) + len(about["documents"]),
        "left_out_count": len(about["evidence_left_out"]) + len(about["documents_left_out"]),
    }


def _count(status: Status, safeguards: list[dict[str, Any]]) -> dict[str, Any]:
    return {"label": status.label, "number": sum(row["status"] == status for row in safeguards)}


def _evidence(piece: Piece, told: Told, clean: Any) -> dict[str, Any]:
    key = str(piece.snapshot_id)
    hidden, total = told.withheld.get(key, (0, 0))
    return {
        "id": key, "collector": piece.collector, "region": piece.region, "account": clean(piece.aws_account_id),
        "collected_at": _moment(piece.first_seen_at), "sha256": "" if hidden else piece.blob.digest,
        "bytes": piece.blob.size,
        "path": told.paths.get(key, ""), "left_out": told.left_out.get(key, ""), "hidden": hidden, "fields": total,
    }  # fmt: skip


def _document(document: Document, told: Told, clean: Any) -> dict[str, Any]:
    row, path = document.row, told.paths.get(document.key, "")
    return {
        "id": document.key, "sequence": row.sequence, "title": clean(row.title), "sender": clean(row.sender),
        "tool": clean(f"{row.producer or row.format} {row.producer_version}".strip()),
        "received_at": _moment(row.received_at), "sha256": row.digest if path else "", "path": path,
        "receipt": document.receipt_path if path else "", "left_out": told.left_out.get(document.key, ""),
    }  # fmt: skip


def _withheld(package: Package, told: Told, clean: Any) -> dict[str, Any] | None:
    if not package.withheld:
        return None
    return {
        "patterns": [clean(pattern) for pattern in package.withheld],
        "reason": clean(package.withheld_reason),
        "documents": len(told.withheld),
        "fields": sum(hidden for hidden, _total in told.withheld.values()),
    }


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def index_html(facts: Mapping[str, Any]) -> bytes:
    """The index as one HTML file without script, that needs nothing else."""
    page = _engine().get_template("assessments/packages/index.html")
    return page.render(Context({"facts": facts})).encode()


@cache
def _engine() -> Engine:
    """For this one page: the portal's engine would load the tags of every installed app, megabytes of a worker's."""
    return Engine(
        dirs=settings.TEMPLATES[0]["DIRS"],  # type: ignore[arg-type]
        libraries={"portal": "portal.templatetags.portal"},
    )


def index_pdf(facts: Mapping[str, Any]) -> bytes:
    """The index as PDF/A. Raises Unavailable where it can't be made."""
    evidence, documents = facts["evidence"], facts["documents"]
    given = {
        **facts,
        "documents": documents[:MOST_PDF_ROWS],
        "more_documents": max(0, len(documents) - MOST_PDF_ROWS),
        "evidence": evidence[:MOST_PDF_ROWS],
        "more_evidence": max(0, len(evidence) - MOST_PDF_ROWS),
    }
    return write_pdf(TEMPLATE, given)
