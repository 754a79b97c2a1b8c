"""What was found of each clause, and marking it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.models import Person
from assessments.agreements.clauses import BY_ID, CHAIN, CLAUSES, NEEDED, Clause, Weight
from assessments.agreements.models import Agreement, AgreementVersion, ClauseAnswer, ClauseMark


@dataclass(frozen=True, slots=True)
class Found:
    """A clause, and what was found of it, if anybody looked. `carried`: in an earlier version than the newest."""

    clause: Clause
    mark: ClauseMark | None
    carried: bool

    @property
    def answer(self) -> str:
        """A `ClauseAnswer`, or "open"."""
        return self.mark.answer if self.mark else "open"

    @property
    def is_gap(self) -> bool:
        """Whether it was looked for, is needed, and isn't there."""
        return self.answer == ClauseAnswer.MISSING and self.clause.id in NEEDED

    @property
    def is_open(self) -> bool:
        """Whether it is needed and nobody has looked yet."""
        return self.mark is None and self.clause.id in NEEDED


@dataclass(frozen=True, slots=True)
class Marking:
    """What somebody found, of one clause or of several at once."""

    clauses: Collection[str]
    answer: ClauseAnswer
    page: int | None = None
    quote: str = ""
    reason: str = ""


def checklist_of(agreement: Agreement) -> list[Found]:
    """Every clause in the order of the regulations."""
    newest = _newest_marks(agreement.pk)
    found = []
    for clause in CLAUSES:
        mark = newest.get(clause.id)
        found.append(Found(clause, mark, mark is not None and mark.version.number < agreement.version))
    return found


def count_clauses(agreement: Agreement) -> tuple[int, int]:
    """How many clauses are missing, and how many of those needed nobody has looked for."""
    rows = checklist_of(agreement)
    return sum(row.is_gap for row in rows), sum(row.is_open for row in rows)


def promises_chain(agreement: Agreement) -> bool | None:
    """Whether it promises agreements with subcontractors; None where nobody has looked.

    By its terms where they say, else by the clauses of 164.504(e)(2)(ii)(D) and 164.314(a)(2)(i)(B), both of which it
    takes.
    """
    if agreement.binds_subcontractors is not None:
        return agreement.binds_subcontractors
    newest = _newest_marks(agreement.pk)
    answers = [newest[each].answer for each in CHAIN if each in newest]
    if ClauseAnswer.MISSING in answers:
        return False
    return True if len(answers) == len(CHAIN) else None


def mark_clauses(*, agreement_id: UUID, marking: Marking, by: Person) -> Agreement:
    """Says what was found of clauses in the newest version. Raises NotFound, InvalidInput."""
    agreement: Agreement | None = Agreement.objects.select_for_update().filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound("There is no such agreement.")
    _check(marking)
    version = AgreementVersion.objects.get(agreement=agreement, number=agreement.version)
    ClauseMark.objects.bulk_create(
        ClauseMark(
            version=version, clause=each, answer=marking.answer, page=marking.page, quote=marking.quote,
            reason=marking.reason, marked_by=by,
        )
        for each in marking.clauses
    )  # fmt: skip
    agreement.clauses_missing, agreement.clauses_open = count_clauses(agreement)
    agreement.save()
    record(
        Act.AGREEMENT_CLAUSES, object_type="agreement", object_id=agreement.pk, version=agreement.version,
        clauses=sorted(marking.clauses), answer=str(marking.answer),
    )  # fmt: skip
    return agreement


def _check(marking: Marking) -> None:
    if not marking.clauses or not set(marking.clauses) <= set(BY_ID):
        raise InvalidInput("Choose the clauses that this is about.", field="clause")
    if marking.answer != ClauseAnswer.NOT_APPLICABLE:
        return
    if not marking.reason:
        raise InvalidInput("Say why it isn't applicable.", field="reason")
    needed = [BY_ID[each] for each in marking.clauses if BY_ID[each].weight is Weight.REQUIRED]
    if needed:
        raise InvalidInput(
            f"Every agreement needs this: {needed[0].title} ({needed[0].citation}). It is present or missing.",
            field="answer",
        )


def _newest_marks(agreement_id: UUID) -> dict[str, Any]:
    rows = ClauseMark.objects.filter(version__agreement_id=agreement_id).select_related("version")
    return {row.clause: row for row in rows.order_by("version__number", "marked_at", "id")}
