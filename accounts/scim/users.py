"""Users: the tenant's view of people, and their memberships.

A person is found, or made, by the address with which the user is created, and never changed afterwards.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from scim2_models import UniquenessException

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.models import Membership, Person, ScimUser
from accounts.permissions import Role
from accounts.scim.domains import require_own_domain
from accounts.scim.resources import kept_attributes, name_key
from accounts.scim.roles import default_role, roles_by_groups
from accounts.scim.schema import User
from accounts.services.members import locked_owners, require_another_owner
from accounts.services.people import create_person
from accounts.tenancy.scope import savepoint

LONGEST_ATTRIBUTES = 16_384
_TAKEN = "There is a user with this userName or address already."


class MembershipChange(NamedTuple):
    """What became of the membership, for the audit log."""

    membership: str
    role: str


def create_user(user: User) -> ScimUser:
    """Creates a user, and the membership unless it is to be inactive.

    Raises InvalidInput, Forbidden for an address that isn't the tenant's, UniquenessException.
    """
    _require_fit(user)
    row = ScimUser(person=_person_of(user))
    _copy(user, row)
    try:
        with savepoint():
            row.save()
    except IntegrityError as error:
        raise UniquenessException(detail=_TAKEN) from error
    change = _begin_membership(row) if user.active is not False else MembershipChange("none", "")
    record(
        Act.USER_PROVISION,
        object_type="person",
        object_id=row.person_id,
        user=str(row.pk),
        **change._asdict(),
    )
    return row


def change_user(row: ScimUser, user: User) -> ScimUser:
    """Makes the (locked) user as it is given; `active` begins or ends the membership.

    Raises as create_user, and Conflict for the last owner.
    """
    _require_fit(user)
    before = {"user_name": row.user_name, "external_id": row.external_id, **row.attributes}
    _copy(user, row)
    row.changed_at = timezone.now()
    try:
        with savepoint():
            row.save()
    except IntegrityError as error:
        raise UniquenessException(detail=_TAKEN) from error
    after = {"user_name": row.user_name, "external_id": row.external_id, **row.attributes}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    change = _follow_active(row, active=user.active)
    record(
        Act.USER_PROVISION_CHANGE, object_type="person", object_id=row.person_id, user=str(row.pk),
        changed=changed, **change._asdict(),
    )  # fmt: skip
    return row


def delete_user(row: ScimUser) -> None:
    """Forgets the tenant's view of a person, and ends the membership. Raises Conflict for the last owner."""
    change = _end_membership(row)
    record(
        Act.USER_DEPROVISION,
        object_type="person",
        object_id=row.person_id,
        user=str(row.pk),
        **change._asdict(),
    )
    row.delete()


def _follow_active(row: ScimUser, *, active: bool | None) -> MembershipChange:
    member = Membership.objects.filter(_living(), person=row.person_id).first()
    if active is None or active == (member is not None):
        return MembershipChange("kept" if member else "none", member.role if member else "")
    return _begin_membership(row) if active else _end_membership(row)


def _begin_membership(row: ScimUser) -> MembershipChange:
    """A member who is there already keeps the role that they have."""
    require_own_domain(row.person.email)
    Membership.objects.filter(person=row.person, ends_at__lte=timezone.now()).delete()
    role = roles_by_groups([row.pk]).get(row.pk) or default_role()
    member, created = Membership.objects.get_or_create(person=row.person, defaults={"role": role})
    return MembershipChange("begun" if created else "kept", str(Role(member.role)))


def _end_membership(row: ScimUser) -> MembershipChange:
    owners = locked_owners()
    member = Membership.objects.filter(_living(), person=row.person_id).select_for_update().first()
    if member is None:
        return MembershipChange("none", "")
    if member.role == Role.OWNER:
        require_another_owner(owners, member)
    member.delete()
    return MembershipChange("ended", member.role)


def _living() -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=timezone.now())


def _person_of(user: User) -> Person:
    address = normalize_email(_address(user))
    require_own_domain(address)
    found = Person.objects.filter(email=address).first()
    if found and found.is_operator:
        raise Conflict("This address can't be provisioned.")
    if found:
        return found
    try:
        return create_person(email=address, name=_shown_name(user)[:200])
    except Conflict:  # somebody else's request made it meanwhile
        return Person.objects.get(email=address)


def _address(user: User) -> str:
    """The primary address, else the one of work, else the first, else the user name."""
    emails = [email for email in user.emails or [] if email.value]
    emails.sort(key=lambda email: (not email.primary, str(email.type) != "work"))
    return str(emails[0].value if emails else user.user_name)


def _shown_name(user: User) -> str:
    name = user.name
    parts = " ".join(part for part in (name.given_name, name.family_name) if part) if name else ""
    return user.display_name or (name and name.formatted) or parts or user.user_name or ""


def _require_fit(user: User) -> None:
    if not (user.user_name or "").strip():
        raise InvalidInput("userName is empty.")
    for label, value in (("userName", user.user_name), ("externalId", user.external_id)):
        if len(value or "") > 254:  # noqa: PLR2004 (the columns' length)
            raise InvalidInput(f"{label} is longer than 254 characters.")
    if len(json.dumps(kept_attributes(user))) > LONGEST_ATTRIBUTES:
        raise InvalidInput("The user's attributes are longer than 16 KiB together.")


def _copy(user: User, row: ScimUser) -> None:
    row.user_name, row.external_id = user.user_name or "", user.external_id or ""
    row.user_name_key, row.attributes = name_key(row.user_name), kept_attributes(user)
