"""Invitations of an entry in the register to join with a tenant of its own: by e-mail, for 14 days, taken up once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import record, record_at_end
from accounts.errors import Conflict, NotFound
from accounts.models import Person, Tenant
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.tenancy.unscoped import partnership_invitation_tenant
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.mail import send_invitation
from assessments.partnerships.models import Partnership, PartnershipInvitation

VALID_FOR = timedelta(days=14)
_TOKEN_BYTES = 32
CLOSED = "This invitation isn't open: it was used, withdrawn, or is older than 14 days. Ask who sent it for a new one."


@dataclass(frozen=True, slots=True)
class InvitationSent:
    """A new invitation and the token of its link, which is kept nowhere."""

    invitation: PartnershipInvitation
    token: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the holder of a link may see."""

    upstream_id: UUID
    upstream_name: str
    email: str
    has_account: bool
    """Whether somebody has the address already."""


def invite_associate(*, associate_id: UUID, email: str, by: Person) -> InvitationSent:
    """Invites an address to join the entry; an open invitation of the same entry is revoked.

    Raises NotFound, InvalidInput for no address, Conflict where the relation has ended or works here already.
    """
    associate = _locked_associate(associate_id)
    if associate.ended_at:
        raise Conflict(f"The relation with {associate.name} has ended.")
    if Partnership.objects.filter(associate=associate, withdrawn_at=None).exists():
        raise Conflict(f"{associate.name} works with you here already.")
    address, token, now = normalize_email(email), secrets.token_urlsafe(_TOKEN_BYTES), timezone.now()
    open_invitations(associate).update(revoked_at=now)
    invitation = PartnershipInvitation.objects.create(
        associate=associate, email=address, token_digest=_digest(token), invited_by=by, expires_at=now + VALID_FOR
    )  # fmt: skip
    _record(Act.PARTNERSHIP_INVITE, invitation)
    name = Tenant.objects.get(pk=current_tenant_id()).name
    send_invitation(invitation=invitation, token=token, upstream_name=name, inviter=by)
    return InvitationSent(invitation, token)


def revoke_offer(*, associate_id: UUID, offer_id: UUID) -> None:
    """Closes an open invitation of the entry. Raises NotFound, or Conflict where it isn't open."""
    found = PartnershipInvitation.objects.filter(pk=offer_id, associate=associate_id)
    invitation = found.select_for_update().first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    if not invitation.is_open(timezone.now()):
        raise Conflict("This invitation is no longer open.")
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _record(Act.PARTNERSHIP_INVITATION_REVOKE, invitation)


def open_invitations(associate: BusinessAssociate) -> QuerySet[PartnershipInvitation]:
    """Those of the entry that were neither taken up nor revoked; one at most, which may be too old."""
    found: QuerySet[PartnershipInvitation] = PartnershipInvitation.objects.filter(
        associate=associate, accepted_at=None, revoked_at=None
    )
    return found


def find_offer(*, token: str) -> Offer:
    """What a link offers; the look is recorded in the inviting tenant's log.

    Raises NotFound for a link that is wrong, used, revoked or too old alike.
    """
    with open_tenant(inviting_tenant(token)) as tenant_id:
        invitation = open_invitation(token, lock=False)
        record_at_end(
            Act.PARTNERSHIP_INVITATION_READ, object_type="partnership_invitation", object_id=invitation.pk
        )
        return Offer(
            upstream_id=tenant_id,
            upstream_name=Tenant.objects.get(pk=tenant_id).name,
            email=invitation.email,
            has_account=Person.objects.filter(email=invitation.email).exists(),
        )


def inviting_tenant(token: str) -> UUID:
    """Whose invitation a link is; needs no open tenant. Raises NotFound."""
    tenant_id = partnership_invitation_tenant(_digest(token))
    if tenant_id is None:
        raise NotFound(CLOSED)
    return tenant_id


def open_invitation(token: str, *, lock: bool) -> PartnershipInvitation:
    """The open tenant's invitation of a link, locked where something follows from it. Raises NotFound."""
    found = PartnershipInvitation.objects.filter(token_digest=_digest(token), associate__ended_at=None)
    invitation: PartnershipInvitation | None = (
        found.select_for_update(of=("self",)) if lock else found
    ).first()
    if invitation is None or not invitation.is_open(timezone.now()):
        raise NotFound(CLOSED)
    return invitation


def _locked_associate(associate_id: UUID) -> BusinessAssociate:
    found: BusinessAssociate | None = (
        BusinessAssociate.objects.filter(pk=associate_id).select_for_update().first()
    )
    if found is None:
        raise NotFound("There is no such business associate.")
    return found


def _record(act: Act, invitation: PartnershipInvitation) -> None:
    record(
        act, object_type="partnership_invitation", object_id=invitation.pk, email=invitation.email,
        associate=str(invitation.associate_id),
    )  # fmt: skip


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
