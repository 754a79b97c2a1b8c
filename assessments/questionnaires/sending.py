"""Sending questionnaires to many business associates at once, and withdrawing them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Value
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person, Tenant
from assessments.models import BusinessAssociate, Partnership, Timer
from assessments.questionnaires.authoring import Source, find_source, freeze
from assessments.questionnaires.content import digest_of
from assessments.questionnaires.models import GuestLink, Questionnaire
from assessments.questionnaires.reminders import NOTICE, REMINDER, next_reminder
from assessments.questionnaires.states import sent_with_state
from assessments.timers.services import clear_timer

MOST_AT_ONCE = 1000
BATCH = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending did: the questionnaires, and names of those who have one of the same template open already."""

    made: list[Questionnaire]
    already: list[str]


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent: from which template (shipped key or own id), due when, of which year, by whom of which tenant."""

    source: str
    due_on: date
    year: int
    by: Person
    tenant: Tenant


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all of them are asked, made once."""

    source: Source
    content: Mapping[str, Any]
    sha256: str


def send_questionnaires(*, sending: Sending, associate_ids: Collection[UUID]) -> Sent:
    """Sends one to each. Who has the same template open already is left out, so that sending twice does no harm.

    Raises NotFound for a template or business associate that isn't there, InvalidInput for a day that is over or for
    nobody, or more than 1000.
    """
    _check(sending, associate_ids)
    source = find_source(sending.source)
    freeze(source)
    content = source.content.as_json()
    asked = _Asked(source, content, digest_of(content))
    associates = _associates(associate_ids)
    last = _last_ones(source.key, associate_ids)
    busy = [each for each in associates if each.pk in last and _is_open(last[each.pk])]
    partnerships = {
        each.associate_id: each
        for each in Partnership.objects.filter(associate__in=associates, withdrawn_at=None)
    }
    made = [
        _new(sending, asked, associate, partnerships.get(associate.pk), last.get(associate.pk))
        for associate in associates
        if associate not in busy
    ]
    for each in made:
        # An expression, since without one Django sends arrays, whose quotes psycopg escapes one by one: ten seconds.
        each.content = Value(asked.content, output_field=JSONField())
    Questionnaire.objects.bulk_create(made, batch_size=BATCH)
    _set_clocks(made)
    record(
        Act.QUESTIONNAIRE_SEND, object_type="questionnaire_template", object_id=source.key, version=source.version,
        due_on=str(sending.due_on), sent=len(made), already=len(busy), first=str(made[0].pk) if made else "",
    )  # fmt: skip
    return Sent(made, [each.name for each in busy])


def withdraw_questionnaire(*, questionnaire_id: UUID) -> Questionnaire:
    """Takes it back: the other party no longer sees it, links to it end. Raises NotFound, Conflict when it is ended."""
    questionnaire = lock_sent(questionnaire_id=questionnaire_id)
    if questionnaire.withdrawn_at or questionnaire.accepted_at:
        raise Conflict("It is ended already.")
    questionnaire.withdrawn_at = timezone.now()
    questionnaire.save(update_fields=["withdrawn_at"])
    end_clocks_and_links(questionnaire)
    record(Act.QUESTIONNAIRE_WITHDRAW, object_type="questionnaire", object_id=questionnaire.pk)
    return questionnaire


def find_sent(*, questionnaire_id: UUID) -> Questionnaire:
    """One that the open tenant sent, with `state`. Raises NotFound."""
    found = sent_with_state(timezone.now().date()).filter(pk=questionnaire_id).first()
    if found is None:
        raise NotFound("There is no such questionnaire.")
    return found


def lock_sent(*, questionnaire_id: UUID) -> Questionnaire:
    """As find_sent, kept from others until the transaction ends."""
    locked = Questionnaire.objects.select_for_update().filter(pk=questionnaire_id).first()
    if locked is None:
        raise NotFound("There is no such questionnaire.")
    return find_sent(questionnaire_id=questionnaire_id)


def end_clocks_and_links(questionnaire: Questionnaire) -> None:
    """Stops what would remind of it, and the links that open it."""
    for kind in (NOTICE, REMINDER):
        clear_timer(kind, questionnaire.pk)
    GuestLink.objects.filter(questionnaire=questionnaire, revoked_at=None).update(revoked_at=timezone.now())


def _check(sending: Sending, associate_ids: Collection[UUID]) -> None:
    if sending.due_on < timezone.now().date():
        raise InvalidInput("Choose a day that isn't over.", field="due_on")
    if not associate_ids:
        raise InvalidInput("Choose at least one business associate.", field="associates")
    if len(associate_ids) > MOST_AT_ONCE:
        raise InvalidInput(f"Send to {MOST_AT_ONCE:,} at once at most.", field="associates")


def _associates(associate_ids: Collection[UUID]) -> list[BusinessAssociate]:
    found = list(BusinessAssociate.objects.filter(pk__in=associate_ids, ended_at=None).order_by("name", "id"))
    if len(found) != len(set(associate_ids)):
        raise NotFound("There is no such business associate, or it is ended.")
    return found


def _last_ones(template: str, associate_ids: Iterable[UUID]) -> Mapping[UUID, Questionnaire]:
    """The newest questionnaire by the template of each, without its questions."""
    sent = Questionnaire.objects.filter(template=template, associate__in=associate_ids, withdrawn_at=None)
    return {each.associate_id: each for each in sent.order_by("sent_at").defer("content", "reviews")}


def _is_open(questionnaire: Questionnaire) -> bool:
    return questionnaire.accepted_at is None


def _new(
    sending: Sending,
    asked: _Asked,
    associate: BusinessAssociate,
    partnership: Partnership | None,
    last: Questionnaire | None,
) -> Questionnaire:
    return Questionnaire(
        viewer_id=partnership.viewer_id if partnership else sending.tenant.pk,
        partnership_id=partnership.pk if partnership else None,
        associate=associate, title=asked.source.title, template=asked.source.key, version=asked.source.version,
        year=sending.year,
        content=asked.content, content_sha256=asked.sha256, upstream_name=sending.tenant.name,
        downstream_name=partnership.downstream_name if partnership else associate.name,
        due_on=sending.due_on, sent_by=sending.by, previous_id=last.pk if last else None,
    )  # fmt: skip


def _set_clocks(made: Iterable[Questionnaire]) -> None:
    # Messages are a worker's: the request that sends to hundreds doesn't wait for their mail.
    now, clocks = timezone.now(), []
    for each in made:
        clocks.append(Timer(kind=NOTICE, row_id=each.pk, due_at=now, ring_at=now))
        reminder = next_reminder(each.due_on, after=now, sent=0)
        if reminder:
            clocks.append(Timer(kind=REMINDER, row_id=each.pk, due_at=reminder, ring_at=reminder))
    Timer.objects.bulk_create(clocks, batch_size=1000)
