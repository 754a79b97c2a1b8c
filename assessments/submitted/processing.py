"""Reads a submitted document: whether it holds PHI, what it says, and joins that to findings and statuses, once.

The row is the queue. A worker takes it by a lease and a fence; everything that the document leads to is written in one
transaction, in which the fence is looked at again, so that a worker that died or was overtaken leaves nothing.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from assessments.sharing.publishing import plan_publishing
from assessments.statuses import take_turn, write_statuses
from assessments.submitted.merge import Merge
from assessments.submitted.rows import CheckSaid, Columns, Terms, batches, columns_of, source_of
from evidence.formats.base import BadDocument, Source, read_document
from evidence.formats.kit.mapping import mapping_from
from evidence.formats.kit.outcomes import Header, Outcome, Result
from evidence.models import AwsConnection, Submission, SubmissionState, SubmissionStream
from evidence.phi.guard import Beside, scan
from evidence.submissions.endings import accept_document, hold_back, refuse
from evidence.submissions.quarantine import tell_held
from evidence.submissions.services import open_submission

MOST_ATTEMPTS = 5
LEASE, BYTES_PER_SECOND = timedelta(minutes=1), 500_000
READ_AT_ONCE = 2
"""Documents that a process reads at a time. Reading is work for the processor: more of it at once ends no sooner, and
what has been read waits with it for the database."""
MOST_SHOWN = 100
"""How many identifiers are listed; one is enough to hold a document back."""
MOST_OUTCOMES = 20_000_000
"""Of one document; where it may refer to a thing more than once (OSCAL) they are no measure of its size."""
MOST_NAMED = 100_000
"""Checks, and accounts, that one document may speak of: they are kept in memory while it is read."""

_reading = threading.BoundedSemaphore(READ_AT_ONCE)


def process_submission(*, tenant_id: UUID, submission_id: UUID) -> bool:
    """Takes a received document to its end; whether statuses may have changed. Another's document is let be.

    Raises vault.NotIntact, StoreUnavailable: then the row stays, and is tried again when its lease is over.
    """
    with TemporaryFile() as spool:
        with _reading:
            found = _claim_and_read(tenant_id, submission_id, spool)
        if found is None:
            return False
        with open_tenant(tenant_id):
            return _join(*found)


def _claim_and_read(
    tenant_id: UUID, submission_id: UUID, spool: IO[bytes]
) -> tuple[Submission, _Read] | None:
    """What a document says. None where that is its end, or it isn't ours to read."""
    with open_tenant(tenant_id):
        row = _claim(submission_id)
    if row is None:
        return None
    if row.attempt > MOST_ATTEMPTS:
        _end(row, f"Given up after {MOST_ATTEMPTS} attempts: each time the worker died.")
        return None
    with TemporaryFile() as unnamed:
        document = cast("BinaryIO", unnamed)
        for piece in open_submission(row):
            document.write(piece)
        beside = Beside(MOST_SHOWN)
        try:
            read = _Read.of(row, document, spool, beside)
        except BadDocument as error:
            _end(row, str(error))
            return None
        found = _look_for_phi(row, document, beside)
    if found:
        with open_tenant(tenant_id):
            if hold_back(row, found):
                tell_held(row)
        return None
    return row, read


def _claim(submission_id: UUID) -> Submission | None:
    """The row with a new fence, leased for as long as reading it may take."""
    now = timezone.now()
    free = Submission.objects.filter(pk=submission_id, state=SubmissionState.RECEIVED, due_at__lte=now)
    row: Submission | None = free.select_for_update(skip_locked=True).first()
    if row is None:
        return None
    row.due_at = now + LEASE + timedelta(seconds=row.size / BYTES_PER_SECOND)
    row.fence, row.attempt = row.fence + 1, row.attempt + 1
    row.save(update_fields=["due_at", "fence", "attempt"])
    return row


def _end(row: Submission, problem: str) -> None:
    with open_tenant(cast("UUID", row.tenant_id)):
        refuse(row, problem)


def _look_for_phi(row: Submission, document: BinaryIO, beside: Beside) -> list[dict[str, str]]:
    if row.released:
        return []
    try:
        hits = scan(document, row.name, notes=False, beside=beside)
        return [
            {
                "weight": str(hit.weight),
                "kind": str(hit.kind),
                "place": hit.place[:200],
                "form": hit.sample[:60],
            }
            for hit in islice(hits, MOST_SHOWN)
        ]
    except BadDocument as error:
        return [{"weight": "review", "kind": "unreadable", "place": "", "form": str(error)[:60]}]


@dataclass(slots=True)
class _Read:
    """What a document says, with its rows outside of memory and of any transaction."""

    header: Header
    source: str
    terms: Terms
    spool: IO[bytes]
    checks: dict[str, CheckSaid] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, row: Submission, document: BinaryIO, spool: IO[bytes], beside: Beside) -> _Read:
        """Reads all of it. Raises BadDocument."""
        mapping = mapping_from(row.mapping) if row.mapping is not None else None
        reading = read_document(
            Source(stream=document, name=row.name, mapping=mapping, watcher=None if row.released else beside),
            format_name=row.declared_format,
        )
        header = reading.header
        source = source_of(header.producer, header.format)
        seen_at = row.effective_to or header.produced_at or row.received_at
        within = frozenset(row.reach_safeguards) if row.reach_safeguards else None
        terms = Terms(source, seen_at, row.complete, tuple(row.citations), within)
        read = cls(header, source, terms, spool, outcomes=dict.fromkeys((str(each) for each in Result), 0))
        for batch in batches(read.counted(reading.outcomes), terms, read.checks):
            read.check_size()
            pickle.dump(columns_of(batch), spool)
        return read

    def counted(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """Counts what goes by. Raises BadDocument for too many."""
        for number, outcome in enumerate(outcomes):
            if number >= MOST_OUTCOMES:
                raise BadDocument(f"it has more than {MOST_OUTCOMES:,} outcomes: send it in parts")
            self.outcomes[str(outcome.result)] += 1
            if outcome.resource:
                self.accounts.add(outcome.resource.account_id)
            yield outcome

    def check_size(self) -> None:
        """Raises BadDocument for a document that says too much."""
        if max(len(self.checks), len(self.accounts)) > MOST_NAMED:
            raise BadDocument(f"it speaks of more than {MOST_NAMED:,} checks or accounts: send it in parts")

    def batches(self) -> Iterator[Columns]:
        """The rows again, from this process's own unnamed file."""
        end = self.spool.tell()
        self.spool.seek(0)
        while self.spool.tell() < end:
            yield pickle.load(self.spool)  # noqa: S301 (written above)


def _join(row: Submission, read: _Read) -> bool:
    """Everything that the document leads to, in the open transaction; whether a status changed."""
    take_turn()
    held = Submission.objects.select_for_update().filter(
        pk=row.pk, fence=row.fence, state=SubmissionState.RECEIVED
    )
    if not held.exists():
        return False
    problem = _beyond_reach(row, read)
    if problem:
        refuse(row, problem)
        return False
    stream = _stream(row, read)
    merge = Merge(row, stream, read.source)
    for columns in read.batches():
        merge.take(columns)
    merge.finish(read.checks, complete_at=read.terms.seen_at if row.complete else None)
    statuses = write_statuses(timezone.now())
    counts = {**_told(read), **merge.merged.counts(), "statuses_changed": statuses}
    accept_document(row, read.header, stream, counts, said=_header(read.header))
    plan_publishing(rings=False)
    if statuses:
        emit(
            EventType.SAFEGUARD_STATUS_CHANGED, row.pk, page=("safeguard-list",), at=timezone.now(),
            statuses_changed=statuses, findings_failing_anew=merge.merged.appeared, findings_fixed=merge.merged.fixed,
        )  # fmt: skip
    return True


def _told(read: _Read) -> dict[str, int]:
    named = {"PASS": "passed", "FAIL": "failed", "UNKNOWN": "unknown", "NOT_APPLICABLE": "not_applicable"}
    return {
        "outcomes": sum(read.outcomes.values()), "checks": len(read.checks),
        **{named[result]: number for result, number in read.outcomes.items()},
    }  # fmt: skip


def _header(header: Header) -> dict[str, Any]:
    return {
        "title": header.title, "version": header.version, "notes": list(header.notes), "verified": header.verified,
    }  # fmt: skip


def _beyond_reach(row: Submission, read: _Read) -> str:
    """What is wrong where a narrowed client speaks of other accounts than its own."""
    if not row.reach_connections:
        return ""
    mine = AwsConnection.objects.filter(pk__in=row.reach_connections).values_list("aws_account_id", flat=True)
    beyond = sorted(read.accounts - set(mine))
    if not beyond:
        return ""
    said = beyond[0] or "no account at all"
    return f"The client is narrowed to some AWS accounts, and the document speaks of {said}."


def _stream(row: Submission, read: _Read) -> SubmissionStream:
    name = row.stream_name or read.header.producer[:100] or read.header.format
    return SubmissionStream.objects.get_or_create(producer=read.source, name=name)[0]
