"""Links by e-mail for those who have no account: they open one questionnaire for a while, and nothing else.

Who holds the link can answer; it is told so. Only the SHA-256 of its token is kept. A network that tries wrong tokens
has to wait as one that tries passwords does; one link can be used 60 times a minute.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record, record_at_end
from accounts.errors import Conflict, NotFound, TooManyRequests
from accounts.models import Person
from accounts.notices import send_after_commit, site_link
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import guest_link_tenant
from accounts.throttle import begin_network_try, clear_tries
from assessments.questionnaires.answering import find_kept
from assessments.questionnaires.models import GuestLink, Questionnaire
from assessments.questionnaires.sending import lock_sent
from assessments.questionnaires.states import OPEN, State

VALID_AFTER_DUE = timedelta(days=14)
MOST_A_MINUTE = 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who holds an open link, inside the tenant that sent it."""

    link: GuestLink
    questionnaire: Questionnaire


def send_link(*, questionnaire_id: UUID, email: str, by: Person) -> GuestLink:
    """Mails a link that works until 14 days after the due day; older ones of the questionnaire end.

    Raises NotFound, and Conflict for one that is ended or answered by a tenant.
    """
    questionnaire = lock_sent(questionnaire_id=questionnaire_id)
    if not questionnaire.by_guests:
        raise Conflict(f"{questionnaire.downstream_name} answers in its own tenant and needs no link.")
    if State(questionnaire.state) not in OPEN:  # type: ignore[attr-defined] # annotated
        raise Conflict("It isn't open for answers now.")
    revoke_links(questionnaire=questionnaire)
    token = secrets.token_urlsafe(32)
    last_day = max(questionnaire.due_on, timezone.now().date()) + VALID_AFTER_DUE
    link = GuestLink.objects.create(
        questionnaire=questionnaire, email=email, token_digest=_digest(token), created_by=by,
        expires_at=datetime.combine(last_day, time.max, UTC),
    )  # fmt: skip
    send_after_commit(
        to=email,
        subject=f"{questionnaire.title} of {questionnaire.upstream_name}: please answer",
        template="questionnaires/guest_mail.txt",
        questionnaire=questionnaire,
        expires_at=link.expires_at,
        url=site_link("questionnaire-guest", token),
    )
    record(
        Act.QUESTIONNAIRE_LINK,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        email=email,
        link=str(link.pk),
    )
    return link


def revoke_links(*, questionnaire: Questionnaire) -> int:
    """Ends the questionnaire's links at once; how many there were."""
    open_ones = GuestLink.objects.filter(questionnaire=questionnaire, revoked_at=None)
    return open_ones.update(revoked_at=timezone.now())


@contextmanager
def as_guest(*, token: str, address: str) -> Iterator[Guest]:
    """Opens the link's tenant for one request. Raises NotFound for a link that isn't open, TooManyRequests."""
    tenant_id = _tenant_of(token, address)
    with open_tenant(tenant_id):
        link = GuestLink.objects.select_for_update().filter(token_digest=_digest(token)).first()
        if link is None or not link.is_open(timezone.now()):
            raise NotFound(_CLOSED)
        _count(link)
        questionnaire = find_kept(questionnaire_id=link.questionnaire_id)
        record_at_end(Act.QUESTIONNAIRE_READ, object_type="questionnaire", object_id=questionnaire.pk)
        yield Guest(link, questionnaire)


def _tenant_of(token: str, address: str) -> UUID:
    until = begin_network_try(address)
    if until:
        raise TooManyRequests(max(1, round((until - timezone.now()).total_seconds())))
    tenant_id = guest_link_tenant(_digest(token))
    if tenant_id is None:
        raise NotFound(_CLOSED)
    clear_tries("guest", address)
    return tenant_id


def _count(link: GuestLink) -> None:
    now = timezone.now()
    if now - link.asked_since >= _MINUTE:
        link.asked_since, link.asked = now, 0
    if link.asked >= MOST_A_MINUTE:
        raise TooManyRequests(max(1, round((link.asked_since + _MINUTE - now).total_seconds())))
    link.asked += 1
    link.used_at = now
    link.save(update_fields=["asked", "asked_since", "used_at"])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


_CLOSED = "This link isn't open: it is over, withdrawn, or not complete. Ask who sent it for a new one."
