"""Mail to a person about their own ways in, so that a thief's changes don't pass unseen (ASVS 5.0 6.3.7)."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.audit.log import current_actor
from accounts.models import Person


class Notice(StrEnum):
    """What happened, in the words of the message; `{name}` is filled in."""

    PASSKEY_ADDED = "The passkey “{name}” was added to your account."
    PASSKEY_COPIED = (
        "A passkey of yours, “{name}”, was refused: its counter says that a copy of it may be in use. Remove it, and"
        " add a new one."
    )
    FACTOR_REMOVED = "A way to sign in was removed from your account: {name}."
    APP_ADDED = "An authenticator app was set up for your account."
    APP_REPLACED = "The authenticator app of your account was replaced by another."
    RECOVERY_CODES_MADE = "New recovery codes were made for your account. The old ones have ended."
    RECOVERY_CODE_USED = "A recovery code was used to sign in to your account, or to confirm that it is you."
    NEW_PASSWORD = "The password of your account was changed. Your other sessions were ended."  # noqa: S105 (a sentence)
    PASSWORD_BY_LINK = (
        "The password of your account was changed by a link sent to this address. All sessions were ended."  # noqa: S105 (words)
    )
    EMAIL_UNDONE = (
        "The change of your account's e-mail address was undone: this address is the account's again. All sessions"
        " were ended."
    )


def notify(person: Person, notice: Notice, *, name: str = "") -> None:
    """Tells the person, once the change stands. A mail server that fails is in the service's log."""
    send_after_commit(
        to=person.email,
        subject="Your Surety account: a change of your ways in",
        template="accounts/notice_mail.txt",
        what=notice.value.format(name=name),
        at=timezone.now(),
        address=current_actor().address,
        url=site_link("profile"),
    )


def send_after_commit(*, to: str, subject: str, template: str, **context: object) -> None:
    """Sends a message of ours after the transaction's commit, or at once outside of one."""
    message = EmailMessage(subject=subject, body=render_to_string(template, context), to=[to])
    transaction.on_commit(message.send, robust=True)


def site_link(view: str, *args: object) -> str:
    """The address of a page for a message: it begins with SITE_URL, never with a header of a request."""
    return settings.SITE_URL.rstrip("/") + reverse(view, args=args)
