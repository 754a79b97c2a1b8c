"""What follows from a breach: the four factors of 164.402(2), and duties under 164.404, 164.406 and 164.408."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import savepoint
from assessments.notices.clocks import BREACH_DAYS, end_of_day, end_of_years_report, zone_named
from assessments.notices.kinds import Kind, Side
from assessments.notices.models import BreachAssessment, BreachStep, Occurrence
from assessments.notices.sending import Draft, find_occurrence, keep_occurrence

LARGE = 500
FACTORS: Mapping[str, str] = MappingProxyType(
    {
        "nature": "Nature and extent of the PHI: kinds of identifiers, likelihood of re-identification (164.402(2)(i))",
        "recipient": "The unauthorized person who used it or to whom it was disclosed (164.402(2)(ii))",
        "acquired": "Whether it was actually acquired or viewed (164.402(2)(iii))",
        "mitigated": "How far the risk has been mitigated (164.402(2)(iv))",
    }
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """An assessment as it was written: the four factors, the conclusion, the numbers."""

    factors: Mapping[str, str]
    low_probability: bool
    individuals: int | None
    most_in_one_state: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """A duty after a breach with its last instant, and when it was done."""

    slug: str
    title: str
    why: str
    due_at: datetime
    done_on: date | None


def open_breach(*, draft: Draft, by: Person, from_notice: UUID | None = None) -> Occurrence:
    """Starts the tenant's own clock as a covered entity; nobody is sent anything by it. Raises InvalidInput."""
    if draft.discovered_at > timezone.now():
        raise InvalidInput("Give a time that has passed.", field="discovered_at")
    made = keep_occurrence(draft, Side.COVERED_ENTITY, by=by, from_notice=from_notice)
    record(Act.BREACH_OPEN, object_type="occurrence", object_id=made.pk, drill=draft.drill)
    return made


def latest_assessment(occurrence: Occurrence) -> BreachAssessment | None:
    """The version that holds."""
    return BreachAssessment.objects.filter(occurrence=occurrence).order_by("-version").first()


def list_assessments(occurrence: Occurrence) -> list[BreachAssessment]:
    """All versions with who wrote them, the newest first."""
    found = BreachAssessment.objects.filter(occurrence=occurrence).select_related("by")
    return list(found.order_by("-version"))


def assess_breach(*, occurrence_id: UUID, weighed: Weighed, by: Person) -> BreachAssessment:
    """Writes the next version; earlier ones stay as they were. Raises NotFound, Conflict for what is no breach."""
    occurrence = find_occurrence(occurrence_id=occurrence_id, lock=True)
    if occurrence.kind != Kind.BREACH:
        raise Conflict("Only a breach is assessed by the four factors.")
    last = latest_assessment(occurrence)
    made = BreachAssessment.objects.create(
        occurrence=occurrence, version=last.version + 1 if last else 1, by=by, low_probability=weighed.low_probability,
        individuals=weighed.individuals, most_in_one_state=weighed.most_in_one_state, **weighed.factors,
    )  # fmt: skip
    record(
        Act.BREACH_ASSESS, object_type="occurrence", object_id=occurrence.pk, version=made.version,
        low_probability=made.low_probability,
    )  # fmt: skip
    return made


def list_steps(occurrence: Occurrence) -> list[Step]:
    """What a covered entity owes after the breach, by deadline.

    Nothing in a drill, for a business associate (its notices are its duty), or where the newest assessment shows a
    low probability of compromise. A number that isn't known counts as 500 or more, which has the earlier deadline.
    """
    if occurrence.kind != Kind.BREACH or occurrence.side != Side.COVERED_ENTITY or occurrence.drill:
        return []
    weighed = latest_assessment(occurrence)
    if weighed is not None and weighed.low_probability:
        return []
    holds = weighed or occurrence
    done = dict(BreachStep.objects.filter(occurrence=occurrence).values_list("step", "done_on"))
    steps = _steps(occurrence, holds.individuals, holds.most_in_one_state)
    owed = [Step(slug, title, why, due_at, done.get(slug)) for slug, title, why, due_at in steps]
    return sorted(owed, key=lambda step: step.due_at)


def _steps(
    occurrence: Occurrence, individuals: int | None, in_state: int | None
) -> list[tuple[str, str, str, datetime]]:
    zone = zone_named(occurrence.zone)
    soon = end_of_day(occurrence.discovered_at, BREACH_DAYS, zone)
    later = end_of_years_report(occurrence.discovered_at, zone)
    unknown = " (number not known: taken as 500 or more)" if individuals is None else ""
    why = "45 CFR 164.404(b): without unreasonable delay, at most 60 days"
    steps = [("individuals", "Notify the individuals", why, soon)]
    if in_state is not None and in_state > LARGE:
        why = "45 CFR 164.406: more than 500 residents of one State or jurisdiction, at most 60 days"
        steps.append(("media", "Notify prominent media outlets", why, soon))
    if individuals is None or individuals >= LARGE:
        why, due_at = f"45 CFR 164.408(b): 500 or more, with the individuals{unknown}", soon
    else:
        why, due_at = "45 CFR 164.408(c): fewer than 500, at most 60 days after the end of the year", later
    return [*steps, ("secretary", "Notify the Secretary of HHS", why, due_at)]


def require_step(occurrence: Occurrence, step: str) -> None:
    """Raises NotFound for what isn't owed."""
    if step not in {each.slug for each in list_steps(occurrence)}:
        raise NotFound("There is no such duty.")


def do_step(*, occurrence_id: UUID, step: str, done_on: date, note: str, by: Person) -> None:
    """Says that a duty was done. Raises NotFound, InvalidInput for a day to come, Conflict for one that is done."""
    occurrence = find_occurrence(occurrence_id=occurrence_id)
    require_step(occurrence, step)
    if done_on > timezone.now().astimezone(zone_named(occurrence.zone)).date():
        raise InvalidInput("Give a day that has come.", field="done_on")
    try:
        with savepoint():
            BreachStep.objects.create(occurrence=occurrence, step=step, done_on=done_on, note=note, by=by)
    except IntegrityError as error:
        raise Conflict("This was noted as done before.") from error
    record(
        Act.BREACH_STEP, object_type="occurrence", object_id=occurrence.pk, step=step, done_on=str(done_on)
    )
