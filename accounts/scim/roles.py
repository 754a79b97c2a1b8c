"""Which roles the groups give. A member's role changes only when what the groups give changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypedDict
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.models import Membership, ScimGroup, ScimGroupMember, ScimUser, Tenant
from accounts.permissions import PROVISIONED_ROLES, Role
from accounts.tenancy.scope import current_tenant_id


class RoleChange(TypedDict):
    """A member's role before and after, as the audit log holds it."""

    person: str
    before: str
    after: str


def roles_by_groups(user_ids: Collection[UUID]) -> dict[UUID, Role]:
    """The highest role that their groups give to users; without those whom none gives one."""
    given: dict[UUID, Role] = {}
    links = ScimGroupMember.objects.filter(user__in=user_ids).exclude(group__role="")
    for user_id, role in links.values_list("user_id", "group__role"):
        given[user_id] = min(Role(role), given.get(user_id, Role(role)), key=PROVISIONED_ROLES.index)
    return given


def default_role() -> Role:
    """The role of a provisioned member whom no group gives one."""
    return Role(Tenant.objects.get(pk=current_tenant_id()).provisioned_role)


def follow_groups(before: Mapping[UUID, Role], user_ids: Collection[UUID]) -> list[RoleChange]:
    """Gives members the role that their groups give now, where that differs from `before` (roles_by_groups).

    Owners and auditors stay what they are: owners make the first, and engagements are for the second.
    """
    after = roles_by_groups(user_ids)
    changed = {user_id for user_id in user_ids if before.get(user_id) != after.get(user_id)}
    people = dict(ScimUser.objects.filter(pk__in=changed).values_list("person_id", "pk"))
    members = Membership.objects.filter(person__in=people).exclude(role__in=[Role.OWNER, Role.AUDITOR])
    made: list[RoleChange] = []
    fallback = default_role()
    for member in members.select_for_update().order_by("id"):
        wanted = after.get(people[member.person_id], fallback)
        if member.role != wanted:
            made.append(RoleChange(person=str(member.person_id), before=member.role, after=str(wanted)))
            member.role = wanted
            member.save(update_fields=["role"])
    return made


def give_group_role(*, group_id: UUID, role: str) -> ScimGroup:
    """Says which role a group gives ("" for none); it holds for its members from their next request.

    Raises NotFound, or InvalidInput for a role that no group can give.
    """
    if role not in {"", *PROVISIONED_ROLES}:
        raise InvalidInput("Choose one of the roles.", field="role")
    group = ScimGroup.objects.filter(pk=group_id).select_for_update().first()
    if group is None:
        raise NotFound("There is no such group.")
    users = list(ScimGroupMember.objects.filter(group=group).values_list("user_id", flat=True))
    before, earlier = roles_by_groups(users), group.role
    group.role, group.changed_at = role, timezone.now()
    group.save(update_fields=["role", "changed_at"])
    record(
        Act.PROVISIONING_CHANGE, object_type="scim_group", object_id=group.pk, before=earlier, after=role,
        roles=follow_groups(before, users),
    )  # fmt: skip
    return group


def change_default_role(*, role: str) -> None:
    """The role of members who are provisioned from now on and whom no group gives one. Raises InvalidInput."""
    if role not in PROVISIONED_ROLES:
        raise InvalidInput("Choose one of the roles.", field="role")
    tenant = Tenant.objects.select_for_update().get(pk=current_tenant_id())
    before, tenant.provisioned_role = tenant.provisioned_role, role
    tenant.save(update_fields=["provisioned_role"])
    record(Act.PROVISIONING_CHANGE, object_type="tenant", object_id=tenant.pk, before=before, after=role)
