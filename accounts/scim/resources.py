"""Rows as SCIM's resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from scim2_models import Context, GroupMember, GroupMembership, Meta, Reference

from accounts.models import Membership, ScimGroup, ScimGroupMember, ScimUser
from accounts.scim.schema import Group, User

if TYPE_CHECKING:
    from datetime import datetime

_NOT_ATTRIBUTES = ("schemas", "id", "meta", "externalId", "userName", "active", "groups")


def name_key(user_name: str) -> str:
    """What user names are compared by: RFC 7643 has them differ in more than case."""
    return normalize("NFC", normalize("NFC", user_name).lower())


def kept_attributes(user: User) -> dict[str, Any]:
    """The attributes that have no column."""
    said = user.model_dump(scim_ctx=Context.DEFAULT)
    return {name: value for name, value in said.items() if name not in _NOT_ATTRIBUTES}


def user_resources(rows: Iterable[ScimUser], base: str) -> list[User]:
    """Users as they are now, in three queries however many there are. `base` is the address of the service."""
    users = list(rows)
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    people = [user.person_id for user in users]
    active = set(Membership.objects.filter(living, person__in=people).values_list("person_id", flat=True))
    groups: dict[UUID, list[ScimGroup]] = {}
    links = ScimGroupMember.objects.filter(user__in=[user.pk for user in users]).select_related("group")
    for link in links.order_by("group__display_name", "group_id"):
        groups.setdefault(link.user_id, []).append(link.group)
    return [
        _user(user, active=user.person_id in active, groups=groups.get(user.pk, []), base=base)
        for user in users
    ]


def user_resource(row: ScimUser, base: str) -> User:
    """One user as it is now."""
    return user_resources([row], base)[0]


def group_resources(rows: Iterable[ScimGroup], base: str) -> list[Group]:
    """Groups with their members, in two queries."""
    groups = list(rows)
    members: dict[UUID, list[ScimGroupMember]] = {}
    links = ScimGroupMember.objects.filter(group__in=[group.pk for group in groups]).select_related("user")
    for link in links.order_by("user__user_name_key"):
        members.setdefault(link.group_id, []).append(link)
    return [_group(group, members.get(group.pk, []), base) for group in groups]


def group_resource(row: ScimGroup, base: str) -> Group:
    """One group as it is now."""
    return group_resources([row], base)[0]


def _user(row: ScimUser, *, active: bool, groups: list[ScimGroup], base: str) -> User:
    user = User.model_validate(row.attributes)
    user.id, user.external_id = str(row.pk), row.external_id or None
    user.user_name, user.active = row.user_name, active
    user.groups = [
        GroupMembership(
            value=str(group.pk), display=group.display_name, ref=Reference(f"{base}/Groups/{group.pk}"), type="direct"
        )
        for group in groups
    ] or None  # fmt: skip
    user.meta = _meta(user, "User", row.created_at, row.changed_at, f"{base}/Users/{row.pk}")
    return user


def _group(row: ScimGroup, members: list[ScimGroupMember], base: str) -> Group:
    group = Group(display_name=row.display_name)
    group.id, group.external_id = str(row.pk), row.external_id or None
    group.members = [
        GroupMember(
            value=str(link.user_id), display=link.display or link.user.user_name, type="User",
            ref=Reference(f"{base}/Users/{link.user_id}"),
        )
        for link in members
    ] or None  # fmt: skip
    group.meta = _meta(group, "Group", row.created_at, row.changed_at, f"{base}/Groups/{row.pk}")
    return group


def _meta(
    resource: User | Group, resource_type: str, created: datetime, changed: datetime, location: str
) -> Meta:
    # Of the whole representation: a membership that ends in the portal changes the user as well.
    said = json.dumps(resource.model_dump(scim_ctx=Context.DEFAULT), sort_keys=True).encode()
    version = f'W/"{hashlib.sha256(said).hexdigest()[:32]}"'
    return Meta(
        resource_type=resource_type,
        created=created,
        last_modified=changed,
        location=location,
        version=version,
    )
