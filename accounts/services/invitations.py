"""Invitations to the open tenant: by e-mail, for seven days, taken up once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import record, record_at_end
from accounts.errors import Conflict, Forbidden, NotFound
from accounts.models import Invitation, Membership, Person, Tenant
from accounts.permissions import Role
from accounts.services.members import add_member, require_grantable
from accounts.signals import invitation_accepted
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import invitation_tenant

VALID_FOR = timedelta(days=7)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class InvitationMade:
    """A new invitation and the token of its link, which is kept nowhere."""

    invitation: Invitation
    token: str


@dataclass(frozen=True, slots=True)
class InvitationOffer:
    """What the holder of a link may see."""

    tenant: Tenant
    email: str
    role: Role
    membership_ends_at: datetime | None
    person: Person | None
    """Who has the address already, if anybody."""


def invite(
    *, email: str, role: Role, by: Membership, membership_ends_at: datetime | None = None
) -> InvitationMade:
    """Invites an address to the open tenant; an open invitation to the same address is revoked.

    Raises Forbidden for a role the inviter may not give, InvalidInput for no address, Conflict for a member.
    """
    require_grantable(role, Role(by.role))
    address, token = normalize_email(email), secrets.token_urlsafe(_TOKEN_BYTES)
    _require_no_member(address)
    now = timezone.now()
    Invitation.objects.filter(email=address, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation = Invitation.objects.create(
        email=address,
        role=role,
        token_digest=_digest(token),
        invited_by_id=by.person_id,
        expires_at=now + VALID_FOR,
        membership_ends_at=membership_ends_at,
    )
    record(
        Act.INVITATION_CREATE,
        object_type="invitation",
        object_id=invitation.pk,
        email=address,
        role=str(role),
    )
    return InvitationMade(invitation, token)


def revoke_invitation(*, invitation_id: UUID, by: Membership) -> None:
    """Closes an open invitation. Raises NotFound, Forbidden, or Conflict where it isn't open."""
    invitation = Invitation.objects.filter(pk=invitation_id).select_for_update().first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    require_grantable(Role(invitation.role), Role(by.role))
    if not invitation.is_open(timezone.now()):
        raise Conflict("This invitation is no longer open.")
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    record(Act.INVITATION_REVOKE, object_type="invitation", object_id=invitation.pk, email=invitation.email)


def find_invitation(*, token: str) -> InvitationOffer:
    """What a link offers; the look is recorded in the tenant's log.

    Raises NotFound for a link that is wrong, used, revoked or too old alike.
    """
    with open_tenant(_tenant_of(token)) as tenant_id:
        invitation = _open_invitation(token, lock=False)
        record_at_end(Act.INVITATION_READ, object_type="invitation", object_id=invitation.pk)
        return InvitationOffer(
            tenant=Tenant.objects.get(pk=tenant_id),
            email=invitation.email,
            role=Role(invitation.role),
            membership_ends_at=invitation.membership_ends_at,
            person=Person.objects.filter(email=invitation.email).first(),
        )


def accept_invitation(*, token: str, person: Person) -> Membership:
    """Makes the person a member; opens the tenant itself.

    Raises NotFound as find_invitation, Forbidden for a person with another address, Conflict for a member.
    """
    with open_tenant(_tenant_of(token)):
        invitation = _open_invitation(token, lock=True)
        if person.email != invitation.email:
            raise Forbidden(f"This invitation is for {invitation.email}. Sign in with that address.")
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
        record(
            Act.INVITATION_ACCEPT, object_type="invitation", object_id=invitation.pk, person=str(person.pk)
        )
        member = add_member(person=person, role=Role(invitation.role), ends_at=invitation.membership_ends_at)
        invitation_accepted.send(sender=Invitation, invitation=invitation, person=person)
        return member


def _tenant_of(token: str) -> UUID:
    tenant_id = invitation_tenant(_digest(token))
    if tenant_id is None:
        raise NotFound(_CLOSED)
    return tenant_id


def _open_invitation(token: str, *, lock: bool) -> Invitation:
    found = Invitation.objects.filter(token_digest=_digest(token))
    invitation: Invitation | None = (found.select_for_update() if lock else found).first()
    if invitation is None or not invitation.is_open(timezone.now()):
        raise NotFound(_CLOSED)
    return invitation


def _require_no_member(email: str) -> None:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    if Membership.objects.filter(living, person__email=email).exists():
        raise Conflict(f"{email} is a member already.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


_CLOSED = (
    "This invitation isn't open: it was used, withdrawn, or is older than seven days. Ask for a new one."
)
