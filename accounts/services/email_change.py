"""A new e-mail address: it takes effect when a link sent to it is opened by its person, and can be undone from the old.

The link of the undoing goes to the old address when the change is asked for and again when it takes effect. Its
token is derived from a key that the database doesn't hold, so that both messages can carry it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import one_act
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.mailed_links import CHANGE_VALID_FOR
from accounts.models import EmailChange, PasswordReset, Person
from accounts.notices import Notice, notify, send_after_commit, site_link
from accounts.services.password_reset import TOKEN_BYTES, digest
from accounts.services.people import end_sessions
from accounts.services.person_log import record_for_person

CLOSED = "This link isn't good any more: it was used, is too old, or the change was undone."
TAKEN = "This address belongs to another account now. Ask an owner of your organisation."


def ask_email_change(*, person: Person, email: str) -> None:
    """Sends a link to the new address and a notice to the old. An address that somebody has gets a word, no link.

    The same work is done for every address, so that neither answer nor time says whose it is. Raises InvalidInput
    for no address, Forbidden for who signs in through their organisation alone.
    """
    if not person.has_usable_password():
        raise Forbidden("Your organisation keeps your address. Ask whoever keeps its directory.")
    wanted, token, now = normalize_email(email), secrets.token_urlsafe(TOKEN_BYTES), timezone.now()
    if wanted == person.email:
        raise InvalidInput("This is your address already.", field="email")
    taken = Person.objects.filter(email=wanted).exists()
    undo = _undo_token(digest(token))
    with one_act():
        _waiting(person).update(expires_at=now)
        EmailChange.objects.create(
            person=person, old_email=person.email, new_email=wanted, token_digest=digest(token),
            undo_digest=digest(undo), expires_at=now + CHANGE_VALID_FOR,
        )  # fmt: skip
        record_for_person(person.pk, Act.EMAIL_CHANGE_ASK, email=wanted)
        send_after_commit(
            to=wanted, subject="Your address in Surety", template="accounts/email_change_mail.txt",
            taken=taken, url=site_link("email-confirm", token),
        )  # fmt: skip
        _tell_old(person.email, wanted, undo, done=False)


def find_email_change(*, person: Person, token: str) -> EmailChange:
    """The change of the person that a link confirms. Raises NotFound, also for another person's link."""
    change = EmailChange.objects.filter(token_digest=digest(token), person=person).first()
    if change is None or not change.may_be_confirmed(timezone.now()):
        raise NotFound(CLOSED)
    return change


def confirm_email_change(*, person: Person, token: str, keep_session: str) -> Person:
    """Lets the address take effect; other sessions end. Raises NotFound, Conflict where somebody has it by now."""
    with one_act():
        Person.objects.select_for_update().get(pk=person.pk)
        change = find_email_change(person=person, token=token)
        _set_email(person, change.new_email)
        change.confirmed_at = timezone.now()
        change.save(update_fields=["confirmed_at"])
        PasswordReset.objects.filter(person=person, used_at=None).update(expires_at=timezone.now())
        record_for_person(person.pk, Act.EMAIL_CHANGE, before=change.old_email, after=change.new_email)
        end_sessions(person=person, keep=keep_session)
        _tell_old(change.old_email, change.new_email, _undo_token(bytes(change.token_digest)), done=True)
    return person


def find_undoing(*, token: str) -> EmailChange:
    """The change that a link from the old address undoes. Raises NotFound."""
    change = EmailChange.objects.filter(undo_digest=digest(token)).select_related("person").first()
    if change is None or not change.may_be_undone(timezone.now()):
        raise NotFound(CLOSED)
    return change


def undo_email_change(*, token: str) -> None:
    """Gives the account its old address again, or stops the change; ends all sessions. Raises NotFound, Conflict."""
    with one_act():
        change = find_undoing(token=token)
        person = Person.objects.select_for_update().get(pk=change.person_id)
        change = find_undoing(token=token)
        if change.confirmed_at:
            _set_email(person, change.old_email)
        # Later changes were made by whoever made this one.
        later = EmailChange.objects.filter(person=person, created_at__gte=change.created_at)
        later.update(undone_at=timezone.now())
        PasswordReset.objects.filter(person=person, used_at=None).update(expires_at=timezone.now())
        record_for_person(person.pk, Act.EMAIL_CHANGE_UNDO, email=change.old_email)
        end_sessions(person=person)
        notify(person, Notice.EMAIL_UNDONE)


def _set_email(person: Person, email: str) -> None:
    person.email = email
    try:
        with transaction.atomic():
            person.save(update_fields=["email"])
    except IntegrityError as error:
        raise Conflict(TAKEN) from error


def _waiting(person: Person) -> QuerySet[EmailChange]:
    return EmailChange.objects.filter(person=person, confirmed_at=None, undone_at=None)


def _tell_old(old: str, new: str, undo: str, *, done: bool) -> None:
    send_after_commit(
        to=old, subject="The address of your Surety account", template="accounts/email_notice_mail.txt",
        new=new, done=done, url=site_link("email-undo", undo),
    )  # fmt: skip


def _undo_token(token_digest: bytes) -> str:
    mac = hmac.new(settings.SECRET_KEY.encode(), b"undo a change of address\n" + token_digest, hashlib.sha256)
    return urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
