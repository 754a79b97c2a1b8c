"""Groups of the identity provider and who is in them. The roles that they give are the tenant's word (roles)."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.models import ScimGroup, ScimGroupMember, ScimUser
from accounts.scim.roles import follow_groups, roles_by_groups
from accounts.scim.schema import Group

MOST_MEMBERS = 10_000


def create_group(group: Group) -> ScimGroup:
    """Creates a group, which gives no role until an owner says which. Raises InvalidInput."""
    row = ScimGroup()
    _copy(group, row)
    row.save()
    members = _members(group)
    ScimGroupMember.objects.bulk_create(
        ScimGroupMember(group=row, user_id=user_id, display=display) for user_id, display in members.items()
    )
    record(
        Act.GROUP_PROVISION, object_type="scim_group", object_id=row.pk, name=row.display_name,
        members=len(members),
    )  # fmt: skip
    return row


def change_group(row: ScimGroup, group: Group) -> ScimGroup:
    """Makes the (locked) group as it is given; members' roles follow. Raises InvalidInput."""
    wanted = _members(group)
    there = {link.user_id: link for link in ScimGroupMember.objects.filter(group=row)}
    joining, leaving = wanted.keys() - there.keys(), there.keys() - wanted.keys()
    touched = [*joining, *leaving]
    before = roles_by_groups(touched)
    ScimGroupMember.objects.filter(group=row, user__in=leaving).delete()
    ScimGroupMember.objects.bulk_create(
        ScimGroupMember(group=row, user_id=user_id, display=wanted[user_id]) for user_id in joining
    )
    for user_id in wanted.keys() & there.keys():
        if there[user_id].display != wanted[user_id]:
            ScimGroupMember.objects.filter(group=row, user=user_id).update(display=wanted[user_id])
    _copy(group, row)
    row.changed_at = timezone.now()
    row.save()
    record(
        Act.GROUP_PROVISION_CHANGE, object_type="scim_group", object_id=row.pk, name=row.display_name,
        joined=sorted(map(str, joining)), left=sorted(map(str, leaving)), roles=follow_groups(before, touched),
    )  # fmt: skip
    return row


def delete_group(row: ScimGroup) -> None:
    """Forgets a group; who had a role by it gets what the other groups give."""
    users = list(ScimGroupMember.objects.filter(group=row).values_list("user_id", flat=True))
    before = roles_by_groups(users)
    ScimGroupMember.objects.filter(group=row).delete()
    record(
        Act.GROUP_DEPROVISION, object_type="scim_group", object_id=row.pk, name=row.display_name,
        roles=follow_groups(before, users),
    )  # fmt: skip
    row.delete()


def _copy(group: Group, row: ScimGroup) -> None:
    row.display_name, row.external_id = group.display_name or "", group.external_id or ""
    if not row.display_name.strip():
        raise InvalidInput("displayName is empty.")
    for label, value in (("displayName", row.display_name), ("externalId", row.external_id)):
        if len(value) > 254:  # noqa: PLR2004 (the columns' length)
            raise InvalidInput(f"{label} is longer than 254 characters.")


def _members(group: Group) -> dict[UUID, str]:
    """The ids of the group's users, each with what it is to be shown as. Groups in groups are refused."""
    given = {_user_id(member.value): (member.display or "")[:254] for member in group.members or []}
    if len(given) > MOST_MEMBERS:
        raise InvalidInput(f"A group holds at most {MOST_MEMBERS:,} members.")
    known = dict(ScimUser.objects.filter(pk__in=given).values_list("pk", "user_name"))
    unknown = given.keys() - known.keys()
    if unknown:
        raise InvalidInput(f"There is no user {min(unknown)}.")
    return {user_id: "" if display == known[user_id] else display for user_id, display in given.items()}


def _user_id(said: str | None) -> UUID:
    try:
        return UUID(said or "")
    except ValueError as error:
        raise InvalidInput("A member's value isn't the id of a user.") from error
