"""Whom a provider's word lets in, and as what. Inside the tenant, whose provider it is.

A provider speaks for its tenant's own verified domains alone. The first time it names somebody, the address finds
or makes the person; from then on its subject does, so an address that is given to somebody else at the provider
opens nobody's account here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.models import Membership, Person, ScimUser
from accounts.permissions import Role
from accounts.services.members import add_member
from accounts.services.people import create_person
from accounts.sso.domains import domain_of, holds
from accounts.sso.facts import Asserted, RefusedAssertion
from accounts.sso.models import (
    LONGEST_SUBJECT,
    MAPPED_ROLES,
    BreakGlass,
    ExternalIdentity,
    GroupRole,
    IdentityProvider,
)

_REMOVED = "Your membership has ended. Ask an owner of the tenant to let you in again."
_NOBODY = "Nobody here knows you yet. Ask an owner of the tenant for an invitation."


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a sign-in would do, for the test of a provider."""

    email: str
    role: Role
    known: bool


def admit(
    *, provider: IdentityProvider, asserted: Asserted, signing_in: Callable[[Person], object]
) -> Person:
    """Lets somebody in: finds or makes the person, the link and the membership, and gives the groups' role.

    `signing_in` is called as soon as the person is known, to record the sign-in before what follows from it.

    Who was a member once and isn't any more was removed by somebody, and stays so. Raises RefusedAssertion, whose
    message says why.
    """
    email = _own_address(asserted)
    identity = _identity(provider, asserted)
    newcomer = identity is None
    if identity:
        signing_in(identity.person)
    identity = identity or _link(provider, asserted, email, signing_in)
    if not identity.person.is_active or identity.person.is_operator:
        raise RefusedAssertion("This account is disabled.")
    membership = _living(identity.person)
    if membership:
        _follow_groups(provider, asserted, identity, membership)
    elif newcomer:
        _join(provider, asserted, identity)
    else:
        raise RefusedAssertion(_REMOVED)
    identity.last_used_at = timezone.now()
    identity.save(update_fields=["last_used_at", "role_given"])
    return identity.person


def foresee(*, provider: IdentityProvider, asserted: Asserted) -> Foreseen:
    """What `admit` would do, without doing it. Raises RefusedAssertion."""
    email = _own_address(asserted)
    person = Person.objects.filter(email=email).first()
    membership = _living(person) if person else None
    role = _mapped_role(provider, asserted)
    now = Role(membership.role) if membership else Role(provider.default_role)
    return Foreseen(email, role or now, membership is not None)


def _own_address(asserted: Asserted) -> str:
    if not 0 < len(asserted.subject) <= LONGEST_SUBJECT or "\x00" in asserted.subject:
        raise RefusedAssertion("The provider names no subject that can be kept.")
    try:
        email = normalize_email(asserted.email)
    except InvalidInput as error:
        raise RefusedAssertion("The provider gives no e-mail address.") from error
    if not holds(domain_of(email)):
        raise RefusedAssertion(f"{domain_of(email)} is not a verified domain of this tenant.")
    return email


def _identity(provider: IdentityProvider, asserted: Asserted) -> ExternalIdentity | None:
    known = ExternalIdentity.objects.filter(provider=provider, subject=asserted.subject)
    found: ExternalIdentity | None = known.select_related("person").select_for_update(of=("self",)).first()
    return found


def _link(
    provider: IdentityProvider, asserted: Asserted, email: str, signing_in: Callable[[Person], object]
) -> ExternalIdentity:
    # One newcomer of a provider at a time, or two answers at once could link one person twice.
    IdentityProvider.objects.select_for_update().get(pk=provider.pk)
    linked = _identity(provider, asserted)
    if linked:
        signing_in(linked.person)
        return linked
    person = Person.objects.filter(email=email).first()
    if person and ExternalIdentity.objects.filter(provider=provider, person=person).exists():
        raise RefusedAssertion(
            f"{email} is linked with another account of the provider. Ask an owner to end that link."
        )
    if not provider.just_in_time and (person is None or _living(person) is None):
        raise RefusedAssertion(_NOBODY)
    person = person or create_person(email=email, name=asserted.name or email)
    signing_in(person)
    made: ExternalIdentity = ExternalIdentity.objects.create(
        provider=provider, subject=asserted.subject, person=person, email=email
    )
    record(
        Act.SSO_LINK_ADD, object_type="person", object_id=person.pk, provider=str(provider.pk), email=email
    )
    return made


def _join(provider: IdentityProvider, asserted: Asserted, identity: ExternalIdentity) -> None:
    """Makes a newcomer a member. Whose membership an owner or the provisioning (SCIM) ended stays outside."""
    deprovisioned = ScimUser.objects.filter(person=identity.person).exists()
    if deprovisioned or Membership.objects.filter(person=identity.person).exists():
        raise RefusedAssertion(_REMOVED)
    mapped = _mapped_role(provider, asserted)
    add_member(person=identity.person, role=mapped or Role(provider.default_role))
    identity.role_given = mapped or ""


def _follow_groups(
    provider: IdentityProvider, asserted: Asserted, identity: ExternalIdentity, membership: Membership
) -> None:
    """Gives the groups' role; takes back one that groups gave and don't give any more.

    Auditors keep theirs, as do break-glass owners and the last owner: a provider can't lock a tenant out.
    """
    mapped, before = _mapped_role(provider, asserted), Role(membership.role)
    was_given = identity.role_given == before.value
    wanted = mapped or (Role(provider.default_role) if was_given else before)
    identity.role_given = mapped or ""
    if wanted is before or before is Role.AUDITOR:
        return
    if before is Role.OWNER and _must_stay_owner(membership):
        identity.role_given = ""
        return
    membership.role = wanted
    membership.save(update_fields=["role"])
    record(
        Act.MEMBER_ROLE_CHANGE, object_type="person", object_id=membership.person_id, before=str(before),
        after=str(wanted), by="single sign-on",
    )  # fmt: skip


def _must_stay_owner(membership: Membership) -> bool:
    owners = list(Membership.objects.filter(_is_living(), role=Role.OWNER).select_for_update().order_by("id"))
    named = BreakGlass.objects.filter(membership=membership).exists()
    return named or all(owner.pk == membership.pk for owner in owners)


def _mapped_role(provider: IdentityProvider, asserted: Asserted) -> Role | None:
    """The strongest role of the person's groups."""
    rows = GroupRole.objects.filter(provider=provider, group__in=asserted.groups)
    given = {row.role for row in rows}
    return next((role for role in MAPPED_ROLES if role.value in given), None)


def _living(person: Person) -> Membership | None:
    return Membership.objects.filter(_is_living(), person=person).first()


def _is_living() -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=timezone.now())
