"""How an exit stands, read alike by both sides: each row is of the party that it must be of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from accounts.errors import NotFound
from accounts.tenancy.scope import current_tenant_id
from assessments.exits.items import Item, item_of
from assessments.exits.models import (
    Exit,
    ExitCertificate,
    ExitEvidence,
    ExitPaper,
    ExitProof,
    ExitReview,
    Said,
    Verdict,
)


class Standing(StrEnum):
    """Where an item, or an exit, stands."""

    WAITING = "waiting"
    MORE = "more"
    REVIEW = "review"
    ACCEPTED = "accepted"
    OVERDUE = "overdue"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    Standing.WAITING: "not answered yet",
    Standing.MORE: "more is needed",
    Standing.REVIEW: "to be reviewed",
    Standing.ACCEPTED: "accepted",
    Standing.OVERDUE: "overdue",
    Standing.CLOSED: "closed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One item with what counts of it: the newest answer, and the newest word on that answer."""

    item: Item
    proof: ExitProof | None
    review: ExitReview | None
    by_upstream: bool = False
    """The upstream party wrote it down itself, so that it needs no review."""

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.proof is None:
            return Standing.WAITING
        if self.by_upstream:
            return Standing.ACCEPTED
        if self.review is None:
            return Standing.REVIEW
        return Standing.ACCEPTED if self.review.verdict == Verdict.ACCEPTED else Standing.MORE

    @property
    def is_exception(self) -> bool:
        """Whether it says that something couldn't be returned, destroyed or done."""
        return self.proof is not None and self.proof.said == Said.NOT_FEASIBLE


@dataclass(frozen=True, slots=True)
class Picture:
    """All of an exit. `certificates` are the newest first; `papers` are the upstream party's own."""

    exit: Exit
    lines: list[Line]
    evidence: ExitEvidence | None
    certificates: list[ExitCertificate]
    papers: list[ExitPaper]

    @property
    def certificate(self) -> ExitCertificate | None:
        """The newest that was certified here."""
        return self.certificates[0] if self.certificates else None

    @property
    def certificate_is_current(self) -> bool:
        """Whether nothing was answered anew since it was certified."""
        if self.certificate is None:
            return False
        later = [each for each in self.lines if each.proof and not each.by_upstream]
        return all(
            each.proof is None or each.proof.said_at <= self.certificate.certified_at for each in later
        )

    @property
    def shows_downstream(self) -> bool:
        """Whether anything of it is the downstream party's word."""
        answers = any(each.proof and not each.by_upstream for each in self.lines)
        return answers or self.evidence is not None or bool(self.certificates)

    @property
    def answered(self) -> int:
        """How many items have an answer that isn't sent back."""
        return sum(each.standing in {Standing.REVIEW, Standing.ACCEPTED} for each in self.lines)

    @property
    def accepted(self) -> int:
        """How many items are accepted."""
        return sum(each.standing is Standing.ACCEPTED for each in self.lines)

    @property
    def standing(self) -> Standing:
        """Of the whole exit."""
        if self.exit.closed_at:
            return Standing.CLOSED
        if self.exit.is_overdue(timezone.now()):
            return Standing.OVERDUE
        found = {each.standing for each in self.lines}
        order = (Standing.MORE, Standing.REVIEW, Standing.WAITING)
        return next((each for each in order if each in found), Standing.ACCEPTED)

    @property
    def blocking(self) -> list[str]:
        """What is missing before the upstream party can close it, as sentences."""
        missing = []
        left = len(self.lines) - self.accepted
        if left:
            missing.append(f"{left} of {len(self.lines)} items are not accepted yet.")
        if not self.papers and self.certificate is None:
            missing.append("There is no certificate yet, neither certified here nor recorded from paper.")
        elif not self.papers and not self.certificate_is_current:
            missing.append("Items were answered anew after the certificate: it has to be certified anew.")
        return missing

    @property
    def remarks(self) -> list[str]:
        """What whoever closes it has to take a stand on, as sentences."""
        said = []
        exceptions = sum(each.is_exception for each in self.lines)
        if exceptions:
            said.append(f"{exceptions} items are said not to be feasible: their protections go on.")
        if self.certificate and not self.certificate.complete:
            said.append("The certificate is incomplete, by its own words.")
        shown = self.evidence
        if shown and shown.gone < shown.total:
            said.append(
                f"AWS shows {shown.gone} of {shown.total} resources gone; {shown.pending} pending deletion,"
                f" {shown.there} still there, {shown.unknown} not known."
            )
        return said


def find_exit(*, exit_id: UUID) -> Exit:
    """One that the open tenant began. Raises NotFound."""
    found: Exit | None = Exit.objects.select_related("associate").filter(pk=exit_id).first()
    if found is None:
        raise NotFound("There is no such exit.")
    return found


def received_exits() -> QuerySet[Exit]:
    """Those that other tenants began with the open one."""
    found: QuerySet[Exit] = Exit.received.exclude(tenant_id=current_tenant_id())
    return found


def find_received(*, exit_id: UUID) -> Exit:
    """One that another tenant began with the open one. Raises NotFound."""
    found: Exit | None = received_exits().filter(pk=exit_id).first()
    if found is None:
        raise NotFound("There is no such exit.")
    return found


def picture_of(exit_: Exit) -> Picture:
    """All of one exit, for either side."""
    return pictures_of([exit_])[0]


def pictures_of(exits: Sequence[Exit]) -> list[Picture]:
    """All of some exits in a few questions, in their order."""
    ids = [each.pk for each in exits]
    parties = {each.pk: {each.upstream_id, each.downstream_id} for each in exits}
    upstreams = {each.pk: each.upstream_id for each in exits}
    proofs = _both(ExitProof, ids, parties)
    reviews = [each for each in _both(ExitReview, ids, parties) if each.tenant_id == upstreams[each.exit_id]]
    shown = {each.exit_id: each for each in _both(ExitEvidence, ids, parties)}
    certificates = _both(ExitCertificate, ids, parties, without=("pdf", "content"))
    papers = ExitPaper.objects.filter(exit__in=ids).select_related("recorded_by", "blob")
    kept = list(papers.order_by("-recorded_at"))
    return [
        Picture(
            each,
            _lines(each, proofs, reviews),
            shown.get(each.pk),
            sorted(
                (row for row in certificates if row.exit_id == each.pk),
                key=lambda row: row.certified_at,
                reverse=True,
            ),
            [row for row in kept if row.exit_id == each.pk],
        )
        for each in exits
    ]


def _both(
    model: type[Any], ids: list[UUID], parties: dict[UUID, set[UUID]], without: tuple[str, ...] = ()
) -> list[Any]:
    """Own and received rows of both parties; whoever else writes a row about an exit speaks for nobody."""
    own = model.objects.filter(exit_id__in=ids).defer(*without)
    theirs = model.received.filter(exit_id__in=ids).defer(*without)
    found = {row.pk: row for row in [*own, *theirs]}
    return [row for row in found.values() if row.tenant_id in parties[row.exit_id]]


def _lines(exit_: Exit, proofs: Iterable[ExitProof], reviews: Iterable[ExitReview]) -> list[Line]:
    newest: dict[str, ExitProof] = {}
    for proof in sorted(proofs, key=lambda row: (row.said_at, row.pk)):
        if proof.exit_id == exit_.pk:
            newest[proof.item] = proof
    said: dict[UUID, ExitReview] = {}
    for review in sorted(reviews, key=lambda row: (row.at, row.pk)):
        said[review.proof_id] = review
    return [
        Line(
            item, proof, said.get(proof.pk) if proof else None, bool(proof and proof.tenant_id == exit_.upstream_id)
        )
        for item in map(item_of, exit_.items)
        for proof in [newest.get(item.key)]
    ]  # fmt: skip


def note_reading(picture: Picture) -> None:
    """Says in the other party's log that what it shows was read; once for all that a page shows of it."""
    exit_ = picture.exit
    if exit_.by_hand:
        return
    upstream = current_tenant_id() == exit_.upstream_id
    if upstream and not picture.shows_downstream:
        return
    other = exit_.downstream_id if upstream else exit_.upstream_id
    reader = exit_.upstream_name if upstream else exit_.downstream_name
    tell_sharer(other, Act.EXIT_READ, reader=reader, object_type="exit", object_id=exit_.pk)
