"""The message that carries an invitation's link."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.access import TenantRequest
from accounts.services.invitations import InvitationMade


def send_after_commit(request: TenantRequest, made: InvitationMade) -> None:
    """Sends the link once the invitation stands.

    A mail server that fails is in the service's log, and the invitation can be made again. The link begins
    with SITE_URL, never with a header of the request.
    """
    message = EmailMessage(
        subject=f"Invitation to {request.tenant.name} in Surety".replace("\n", " ").replace("\r", " "),
        body=render_to_string(
            "accounts/invitation_mail.txt",
            {
                "tenant": request.tenant, "inviter": request.user, "role": made.invitation.get_role_display(),
                "url": settings.SITE_URL.rstrip("/") + reverse("invitation", args=[made.token]),
                "expires_at": made.invitation.expires_at,
            },
        ),
        to=[made.invitation.email],
    )  # fmt: skip
    transaction.on_commit(message.send, robust=True)
