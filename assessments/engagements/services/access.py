"""Engagements and who audits in them: made, changed and ended by the tenant; a change holds at the next request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Membership, Person
from accounts.permissions import Role
from accounts.services.invitations import InvitationMade, invite
from accounts.services.members import find_living_member, set_auditors_end
from assessments.models import Engagement, EngagementAuditor
from assessments.rule.model import SECURITY_RULE
from evidence.models import AwsConnection


@dataclass(frozen=True, slots=True)
class EngagementTerms:
    """What an engagement gives access to. None for `citations` or `connection_ids` is everything."""

    title: str
    firm: str
    period_from: date
    period_to: date
    opens_at: datetime
    closes_at: datetime
    citations: tuple[str, ...] | None = None
    connection_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class AuditorNamed:
    """A named auditor; `invitation` is there for who isn't an auditor of this tenant yet."""

    auditor: EngagementAuditor
    invitation: InvitationMade | None


def create_engagement(*, terms: EngagementTerms, by: Membership) -> Engagement:
    """Opens an engagement, without auditors yet. Raises InvalidInput for terms that can't be."""
    _check(terms)
    engagement = Engagement.objects.create(**_fields(terms), created_by_id=by.person_id)
    record(Act.ENGAGEMENT_CREATE, object_type="engagement", object_id=engagement.pk, terms=_told(terms))
    return engagement


def change_engagement(*, engagement: Engagement, terms: EngagementTerms) -> None:
    """Changes the terms; auditors meet them at their next request. Raises InvalidInput, Conflict for an ended one."""
    if engagement.ended_at:
        raise Conflict("This engagement was ended. Open another one.")
    _check(terms)
    for name, value in _fields(terms).items():
        setattr(engagement, name, value)
    engagement.save()
    record(Act.ENGAGEMENT_CHANGE, object_type="engagement", object_id=engagement.pk, terms=_told(terms))
    _move_ends(_people_of(engagement))


def end_engagement(*, engagement: Engagement) -> None:
    """Ends the access of its auditors at once. Raises Conflict where it was ended before."""
    if engagement.ended_at:
        raise Conflict("This engagement was ended already.")
    people = _people_of(engagement)
    engagement.ended_at = timezone.now()
    engagement.save(update_fields=["ended_at"])
    record(Act.ENGAGEMENT_END, object_type="engagement", object_id=engagement.pk)
    _move_ends(people)


def name_auditor(*, engagement: Engagement, email: str, name: str, by: Membership) -> AuditorNamed:
    """Names an auditor, and invites who isn't an auditor of the tenant yet.

    Raises InvalidInput for no address, Conflict for who is a member in another role or is named already, or where the
    engagement is over.
    """
    address = normalize_email(email)
    if engagement.state(timezone.now()) in {"ended", "over"}:
        raise Conflict("This engagement is over.")
    if engagement.auditors.filter(email=address, removed_at=None).exists():
        raise Conflict(f"{address} is an auditor of this engagement already.")
    member = find_living_member(email=address)
    if member and member.role != Role.AUDITOR:
        raise Conflict(f"{address} is a member of your organisation: an auditor comes from outside.")
    closes_at = engagement.closes_at
    made = None if member else invite(email=address, role=Role.AUDITOR, by=by, membership_ends_at=closes_at)
    auditor, _ = EngagementAuditor.objects.update_or_create(
        engagement=engagement, email=address,
        defaults={"name": name.strip(), "person_id": member.person_id if member else None, "removed_at": None,
                  "invitation": made.invitation if made else None},
    )  # fmt: skip
    record(Act.ENGAGEMENT_AUDITOR_ADD, object_type="engagement", object_id=engagement.pk, auditor=address)
    if member:
        _move_ends([member.person_id])
    return AuditorNamed(auditor, made)


def remove_auditor(*, engagement: Engagement, auditor_id: UUID) -> None:
    """Ends one auditor's access to the engagement. Raises NotFound."""
    auditor = engagement.auditors.filter(pk=auditor_id, removed_at=None).first()
    if auditor is None:
        raise NotFound("There is no such auditor.")
    auditor.removed_at = timezone.now()
    auditor.save(update_fields=["removed_at"])
    record(
        Act.ENGAGEMENT_AUDITOR_REMOVE,
        object_type="engagement",
        object_id=engagement.pk,
        auditor=auditor.email,
    )
    if auditor.person_id:
        _move_ends([auditor.person_id])


def bind_person(*, email: str, person: Person) -> None:
    """Ties the auditors named by an address to the person who proved to have it."""
    named = EngagementAuditor.objects.filter(email=email, person=None, removed_at=None).update(person=person)
    if named:
        _move_ends([person.pk])


def _check(terms: EngagementTerms) -> None:
    if terms.period_to < terms.period_from:
        raise InvalidInput("The period ends before it begins.", field="period_to")
    if terms.closes_at <= terms.opens_at:
        raise InvalidInput("Access ends before it begins.", field="closes_on")
    if terms.citations is not None and (not terms.citations or set(terms.citations) - set(SECURITY_RULE)):
        raise InvalidInput("Choose safeguards of the Rule, at least one.", field="citations")
    if terms.connection_ids is None:
        return
    known = set(AwsConnection.objects.filter(pk__in=terms.connection_ids).values_list("pk", flat=True))
    if not terms.connection_ids or set(terms.connection_ids) - known:
        raise InvalidInput("Choose accounts of yours, at least one.", field="connections")


def _fields(terms: EngagementTerms) -> dict[str, object]:
    return {
        **asdict(terms),
        "citations": None if terms.citations is None else list(terms.citations),
        "connection_ids": None if terms.connection_ids is None else list(terms.connection_ids),
    }


def _told(terms: EngagementTerms) -> dict[str, object]:
    """The terms for the log: dates and ids as text."""
    return {
        name: [str(each) for each in value] if isinstance(value, tuple) else value and str(value)
        for name, value in asdict(terms).items()
    }


def _people_of(engagement: Engagement) -> list[UUID]:
    people = engagement.auditors.filter(person__isnull=False, removed_at=None)
    return list(people.values_list("person_id", flat=True))


def _move_ends(people: Iterable[UUID]) -> None:
    """An auditor's membership ends with the last of their engagements."""
    for person_id in people:
        mine = Engagement.objects.filter(
            auditors__person=person_id, auditors__removed_at__isnull=True, ended_at__isnull=True
        )
        last = mine.aggregate(last=Max("closes_at"))["last"]
        set_auditors_end(person_id=person_id, ends_at=last or timezone.now())
