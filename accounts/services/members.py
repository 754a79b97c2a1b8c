"""Memberships of the open tenant. Only an owner makes or changes owners, and the last owner stays one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, Forbidden, NotFound
from accounts.models import Membership, Person, Tenant
from accounts.permissions import MEMBER_ROLES, Permission, Role, allows
from accounts.sso.models import BreakGlass
from accounts.tenancy.scope import current_tenant_id


def grantable_roles(by: Role) -> list[Role]:
    """The roles that a member may give or take, in the table's order."""
    if not allows(by, Permission.MEMBER_CHANGE):
        return []
    return [role for role in MEMBER_ROLES if role is not Role.OWNER or by is Role.OWNER]


def require_grantable(role: Role, by: Role) -> None:
    """Raises Forbidden where the member may not give or take the role."""
    if role not in grantable_roles(by):
        raise Forbidden(f"Your role may not decide about the role {role.label}.")


def add_member(*, person: Person, role: Role, ends_at: datetime | None = None) -> Membership:
    """Makes a person a member of the open tenant. A membership that ended is taken up again in the new role.

    Raises Conflict for a living member.
    """
    Membership.objects.filter(person=person, ends_at__lte=timezone.now()).delete()
    try:
        with transaction.atomic():
            membership: Membership = Membership.objects.create(person=person, role=role, ends_at=ends_at)
    except IntegrityError as error:
        raise Conflict(f"{person} is a member already.") from error
    until = ends_at.isoformat() if ends_at else None
    record(Act.MEMBER_ADD, object_type="person", object_id=person.pk, role=str(role), ends_at=until)
    return membership


def change_role(*, membership_id: UUID, role: Role, by: Membership) -> Membership:
    """Gives a member another role; it holds from their next request.

    Raises NotFound, Forbidden, or Conflict for the last owner.
    """
    owners = locked_owners()
    membership = _membership(membership_id)
    before = Role(membership.role)
    for involved in (before, role):
        require_grantable(involved, Role(by.role))
    if before is Role.OWNER and role is not Role.OWNER:
        require_another_owner(owners, membership)
        _require_another_way_in(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    record(
        Act.MEMBER_ROLE_CHANGE,
        object_type="person",
        object_id=membership.person_id,
        before=str(before),
        after=str(role),
    )
    return membership


def remove_member(*, membership_id: UUID, by: Membership) -> None:
    """Ends a membership; the person's next request finds the tenant closed.

    Raises NotFound, Forbidden, or Conflict for the last owner.
    """
    owners = locked_owners()
    membership = _membership(membership_id)
    require_grantable(Role(membership.role), Role(by.role))
    if membership.role == Role.OWNER:
        require_another_owner(owners, membership)
        _require_another_way_in(membership)
    record(Act.MEMBER_REMOVE, object_type="person", object_id=membership.person_id, role=membership.role)
    membership.delete()


def find_living_member(*, email: str) -> Membership | None:
    """The member with an e-mail address, if their membership hasn't ended."""
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    found: Membership | None = Membership.objects.filter(living, person__email=email).first()
    return found


def set_auditors_end(*, person_id: UUID, ends_at: datetime) -> None:
    """Moves the end of an auditor's membership; other members' have nothing to do with it."""
    Membership.objects.filter(person=person_id, role=Role.AUDITOR).update(ends_at=ends_at)


def locked_owners() -> list[Membership]:
    """The living owners, locked."""
    # Locked in one order before any decision, or two owners could remove each other at the same time.
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return list(Membership.objects.filter(living, role=Role.OWNER).select_for_update().order_by("id"))


def _require_another_way_in(membership: Membership) -> None:
    """Where single sign-on is required, somebody can still come in on the day when the provider is down."""
    glass = BreakGlass.objects.all()
    if (
        glass.filter(membership=membership).exists()
        and not glass.exclude(membership=membership).exists()
        and Tenant.objects.get(pk=current_tenant_id()).sso_required
    ):
        raise Conflict(
            "This is the last owner who may come in without single sign-on. Name another one for that first."
        )


def _membership(membership_id: UUID) -> Membership:
    found: Membership | None = Membership.objects.filter(pk=membership_id).select_for_update().first()
    if found is None:
        raise NotFound("There is no such member.")
    return found


def require_another_owner(owners: list[Membership], leaving: Membership) -> None:
    """Raises Conflict where nobody else is an owner. `owners` are those of locked_owners."""
    if all(owner.pk == leaving.pk for owner in owners):
        raise Conflict("This is the last owner. Make somebody else an owner first.")
