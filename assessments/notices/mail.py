"""Mail about notices, sent inside the transaction that says so: killed between the two, it is sent again, never not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Membership
from accounts.permissions import Role

OFFICIALS = (Role.OWNER, Role.SECURITY_OFFICIAL)


def addresses_of(roles: Iterable[Role]) -> list[str]:
    """The open tenant's active people of these roles."""
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    found = Membership.objects.filter(living, role__in=roles, person__is_active=True)
    return sorted(found.values_list("person__email", flat=True))


def send_now(to: Sequence[str], subject: str, *, drill: bool, **context: object) -> None:
    """One message to all of them, in words that hold no details. Raises OSError, smtplib.SMTPException."""
    if not to:
        return
    subject = f"DRILL: {subject}" if drill else subject
    body = render_to_string("notices/mail.txt", {**context, "drill": drill})
    EmailMessage(subject=subject, body=body, to=list(to)).send()
