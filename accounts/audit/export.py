"""The log as files: CSV for people, JSON lines for programs, OCSF for a SIEM, and a package that proves itself.

Each piece is read in a transaction of its own, so that neither a slow reader nor a long log holds one open, and
memory stays the same however much is exported.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from uuid import UUID

from accounts.audit import proofs
from accounts.audit.events import POLLING
from accounts.audit.log import rfc3339
from accounts.audit.models import AuditEntry
from accounts.audit.ocsf import to_line
from accounts.audit.package import PackageFormat, PackageInfo, stream_package
from accounts.audit.search import Wanted, find_ids, first_id
from accounts.audit.segment import choose_segment, segment_parts, show_all
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant

BATCH = 1000
COLUMNS = (
    "time", "actor", "actor id", "actor kind", "act", "outcome", "object type", "object", "address", "request",
    "session", "on behalf of", "details", "leaf", "entry",
)  # fmt: skip
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection)."""


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    OCSF = "ocsf"
    PROVABLE = "provable"

    @property
    def label(self) -> str:
        """What it is, for people."""
        return _LABELS[self]


_LABELS = {
    ExportFormat.CSV: "CSV, for a spreadsheet",
    ExportFormat.JSON: "JSON lines, each entry as it was recorded",
    ExportFormat.OCSF: "OCSF 1.8 API Activity, for a SIEM",
    ExportFormat.PROVABLE: "A package that proves itself, with the verifier",
}


def stream_entries(*, tenant_id: UUID, wanted: Wanted, format: ExportFormat) -> Iterator[bytes]:  # noqa: A002
    """The entries that fit, newest first, as CSV, JSON lines or OCSF; to be read outside of any transaction."""
    if format is ExportFormat.CSV:
        yield _csv_lines([list(COLUMNS)])
    write = _WRITERS[format]
    for batch in _batches(tenant_id, wanted):
        yield write(batch)


def stream_provable(
    *,
    tenant_id: UUID,
    tenant_name: str,
    wanted: Wanted,
    asked_by: str,
    sign: Callable[[str], str] | None = None,
) -> Iterator[bytes]:
    """The whole sealed log as a ZIP that proves itself; of entries that don't fit, the hashes alone.

    Raises Unavailable while nothing is sealed.
    """
    segment = choose_segment(tenant_id=tenant_id)
    info = PackageInfo(
        PackageFormat.LOG, tenant_id, tenant_name,
        more={"asked_by": asked_by, "filters": {key: str(value) for key, value in _given(wanted).items()}},
    )  # fmt: skip
    withhold = (lambda said: not fits(said, wanted)) if _given(wanted) else show_all
    return stream_package(info=info, parts=segment_parts(segment, withhold=withhold), sign=sign)


def fits(said: dict[str, object], wanted: Wanted) -> bool:
    """Whether an entry's body is among what is looked for."""
    actor, thing = said["actor"], said["object"]
    if not isinstance(actor, dict) or not isinstance(thing, dict):
        return False
    at = str(said["at"])
    return (
        wanted.actor_id in {None, actor["id"]}
        and wanted.object_id in {"", thing["id"]}
        and (wanted.act is None or said["act"] == wanted.act)
        and (wanted.outcome is None or said["outcome"] == wanted.outcome)
        and (wanted.since is None or at >= rfc3339(wanted.since))
        and (wanted.until is None or at < rfc3339(wanted.until))
    )


def _given(wanted: Wanted) -> dict[str, object]:
    found = {
        "actor": wanted.actor_id, "object": wanted.object_id, "act": wanted.act, "outcome": wanted.outcome,
        "since": wanted.since, "until": wanted.until,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value not in {None, ""}}


Batch = list[tuple[AuditEntry, int | None]]


def _batches(tenant_id: UUID, wanted: Wanted) -> Iterator[Batch]:
    before = new_id()
    while True:
        with open_tenant(tenant_id):
            ids = find_ids(wanted, before=before, limit=BATCH) if wanted.narrows else _newest(wanted, before)
            entries, leaves = AuditEntry.objects.in_bulk(ids), proofs.leaves_of(ids)
        if not ids:
            return
        shown = [
            entries[each] for each in ids if wanted.polling or wanted.act or entries[each].act not in POLLING
        ]
        yield [(entry, leaves.get(entry.pk)) for entry in shown]
        before = ids[-1]


def _newest(wanted: Wanted, before: UUID) -> list[UUID]:
    """Without a filter but of time the order of the ids is all it takes."""
    entries = AuditEntry.objects.filter(
        pk__lt=min(before, first_id(wanted.until)) if wanted.until else before
    )
    if wanted.since:
        entries = entries.filter(pk__gte=first_id(wanted.since))
    return list(entries.order_by("-pk").values_list("pk", flat=True)[:BATCH])


def _write_csv(batch: Batch) -> bytes:
    return _csv_lines(_cells(entry, index) for entry, index in batch)


def _cells(entry: AuditEntry, index: int | None) -> list[str]:
    said = json.loads(bytes(entry.body))
    details = json.dumps(said["details"], ensure_ascii=False) if said["details"] else ""
    cells = [
        rfc3339(entry.occurred_at), entry.actor_name, entry.actor_id, entry.actor_kind, entry.act, entry.outcome,
        entry.object_type, entry.object_id, entry.address or "", entry.request_id, said["actor"]["session"],
        said["on_behalf_of"], details, "" if index is None else str(index), str(entry.pk),
    ]  # fmt: skip
    return [inert(cell) for cell in cells]


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what looks like one begins with an apostrophe."""
    return f"'{cell}" if cell.startswith(_ACTIVE) else cell


def _csv_lines(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _write_json(batch: Batch) -> bytes:
    return b"".join(bytes(entry.body) + b"\n" for entry, _index in batch)


def _write_ocsf(batch: Batch) -> bytes:
    return b"".join(to_line(bytes(entry.body), index=index) for entry, index in batch)


_WRITERS = {ExportFormat.CSV: _write_csv, ExportFormat.JSON: _write_json, ExportFormat.OCSF: _write_ocsf}
