"""A forgotten password: a link by e-mail, good once and for half an hour. The second factor is still asked for."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import one_act
from accounts.errors import NotFound
from accounts.mailed_links import RESET_VALID_FOR
from accounts.models import PasswordReset, Person
from accounts.notices import Notice, notify, send_after_commit, site_link
from accounts.services.people import check_password_fitness, end_sessions
from accounts.services.person_log import record_for_person

MOST_LINKS_AN_HOUR = 3
TOKEN_BYTES = 32
CLOSED = "This link isn't good any more: it was used, is older than half an hour, or a newer one was sent."


def send_password_reset(*, email: str) -> None:
    """Sends a link where the address is a living person's who has a password; else does nothing.

    Says nothing and raises nothing for an unknown address: call it where neither answer nor time tells strangers.
    Who signs in through their organisation alone has no password, and gets none by this.
    """
    person = Person.objects.filter(email=email.strip().lower(), is_active=True).first()
    now = timezone.now()
    if person is None or not person.has_usable_password():
        return
    with one_act():
        Person.objects.select_for_update().get(pk=person.pk)
        links = PasswordReset.objects.filter(person=person)
        if links.filter(created_at__gt=now - timedelta(hours=1)).count() >= MOST_LINKS_AN_HOUR:
            return
        links.filter(used_at=None).update(expires_at=now)
        links.filter(created_at__lt=now - timedelta(days=1)).delete()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        PasswordReset.objects.create(
            person=person, token_digest=digest(token), expires_at=now + RESET_VALID_FOR
        )
        send_after_commit(
            to=person.email, subject="A new password for your Surety account",
            template="accounts/password_reset_mail.txt", url=site_link("password-reset", token),
        )  # fmt: skip


def find_password_reset(*, token: str) -> Person:
    """Whose password a link changes. Raises NotFound for a link that is wrong, used or too old alike."""
    return _open(token).person


def reset_password(*, token: str, new: str) -> None:
    """Changes the password and ends all sessions; opens none. Raises NotFound, or InvalidInput for an unfit one."""
    check_password_fitness(new, find_password_reset(token=token))
    with one_act():
        link = _open(token, lock=True)
        person: Person = link.person
        PasswordReset.objects.filter(person=person, used_at=None).update(used_at=timezone.now())
        person.set_password(new)
        person.save(update_fields=["password"])
        record_for_person(person.pk, Act.PASSWORD_RESET)
        end_sessions(person=person)
        notify(person, Notice.PASSWORD_BY_LINK)


def digest(token: str) -> bytes:
    """What is kept of a link's token."""
    return hashlib.sha256(token.encode()).digest()


def _open(token: str, *, lock: bool = False) -> PasswordReset:
    found = PasswordReset.objects.filter(
        token_digest=digest(token), used_at=None, expires_at__gt=timezone.now(), person__is_active=True
    )
    link = (found.select_for_update(of=("self",)) if lock else found).select_related("person").first()
    if link is None:
        raise NotFound(CLOSED)
    return link
