"""Messages about partnerships: the link of an invitation, and what happened, to owners and security officials."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Person
from accounts.notices import send_after_commit, site_link
from accounts.permissions import Role
from assessments.partnerships.models import PartnershipInvitation

OFFICIALS = (Role.OWNER, Role.SECURITY_OFFICIAL)


def send_invitation(
    *, invitation: PartnershipInvitation, token: str, upstream_name: str, inviter: Person
) -> None:
    """Sends the link once the invitation stands. It begins with SITE_URL, never with a header of the request."""
    send_after_commit(
        to=invitation.email,
        subject=_one_line(f"{upstream_name} invites you to work together in Surety"),
        template="partnerships/invitation_mail.txt",
        upstream=upstream_name,
        inviter=inviter,
        url=site_link("partnership-invitation", token),
        expires_at=invitation.expires_at,
    )


def tell_officials(*, subject: str, text: str, url: str) -> None:
    """Tells the open tenant's owners and security officials, once what happened stands."""
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    officials = Membership.objects.filter(living, role__in=OFFICIALS, person__is_active=True)
    for address in officials.order_by("id").values_list("person__email", flat=True):
        send_after_commit(
            to=address,
            subject=_one_line(subject),
            template="partnerships/notice_mail.txt",
            text=text,
            url=url,
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
