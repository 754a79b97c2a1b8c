"""Who must come by single sign-on, who may break the glass, and what a session of single sign-on may enter."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Membership, Tenant
from accounts.permissions import Role
from accounts.requests import is_sso
from accounts.services.second_factor import has_second_factor
from accounts.sso.facts import Asserted
from accounts.sso.models import (
    BreakGlass,
    ExternalIdentity,
    IdentityProvider,
    SecondFactorProof,
    VerifiedDomain,
)
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.tenancy.unscoped import domain_holder

DEFAULT_VALUES = {
    "oidc": frozenset({"mfa"}),  # RFC 8176
    "saml": frozenset(
        {"https://refeds.org/profile/mfa", "http://schemas.microsoft.com/claims/multipleauthn"}
    ),
}
"""What says "a second factor" where a tenant names no values of its own."""


class SingleSignOnNeeded(Forbidden):
    """The tenant lets people of its domains in by single sign-on alone."""

    slug = "single-sign-on-needed"


class LinkEnded(Forbidden):
    """The identity provider, or the link of the person with it, is gone or disabled."""

    slug = "single-sign-on-ended"


class FirstUseOfBreakGlass(Exception):
    """A session enters by break-glass and nobody was told yet."""


def check_way_in(request: HttpRequest, tenant: Tenant, membership: Membership) -> None:
    """Whether this session may be in the open tenant now; asked at each request, so that a change holds at once.

    Raises LinkEnded, SingleSignOnNeeded, FirstUseOfBreakGlass.
    """
    if is_sso(request):
        link = ExternalIdentity.objects.filter(
            person_id=_person_id(request),
            provider_id=request.session.get(sessions.SSO_PROVIDER),
            provider__enabled=True,
        )
        if not link.exists():
            raise LinkEnded("Your single sign-on for this tenant has ended. Sign in again.")
    elif tenant.sso_required and _is_of_held_domain(request.user.email):  # type: ignore[union-attr] # a member's
        glass = _break_glass(membership.pk)
        if glass is None:
            raise SingleSignOnNeeded("This tenant asks you to sign in with your organisation.")
        if request.session.get(sessions.BREAK_GLASS_TOLD) != str(current_tenant_id()):
            raise FirstUseOfBreakGlass


def note_break_glass(request: HttpRequest, tenant_id: UUID) -> None:
    """Records that a session enters by break-glass, and tells all owners by mail, in a transaction of its own."""
    with open_tenant(tenant_id):
        record(Act.BREAK_GLASS_USE, object_type="person", object_id=request.user.pk)
        glass = BreakGlass.objects.filter(membership__person_id=_person_id(request))
        glass.update(last_used_at=timezone.now())
        _tell_owners(request)
    request.session[sessions.BREAK_GLASS_TOLD] = str(tenant_id)


def proves_second_factor(provider: IdentityProvider, asserted: Asserted) -> bool:
    """Whether the provider's word counts as a second factor, by the tenant's policy."""
    proof = SecondFactorProof(provider.provider_proves_second_factor)
    if proof is SecondFactorProof.WHEN_SAID:
        accepted = set(provider.second_factor_values) or DEFAULT_VALUES[provider.kind]
        return bool(accepted & set(asserted.methods))
    return proof is SecondFactorProof.ALWAYS


def require_sso(*, required: bool) -> None:
    """Turns the requirement on or off. Raises Conflict where people would be locked out."""
    tenant = _locked_tenant()
    if required:
        _check_readiness()
    tenant.sso_required = required
    tenant.save(update_fields=["sso_required"])
    record(Act.SSO_POLICY_CHANGE, object_type="tenant", object_id=tenant.pk, sso_required=required)


def add_break_glass(*, membership_id: UUID, reason: str = "") -> BreakGlass:
    """Lets an owner in by password where single sign-on is required.

    Raises NotFound, or InvalidInput for who isn't an owner, has no second factor or no password.
    """
    owner = _living_owners().filter(pk=membership_id).select_related("person").first()
    if owner is None:
        raise NotFound("There is no such owner.")
    if not has_second_factor(owner.person) or not owner.person.has_usable_password():
        raise InvalidInput(
            f"{owner.person} needs a password and a second factor of their own first.", field="membership"
        )
    try:
        with transaction.atomic():
            made: BreakGlass = BreakGlass.objects.create(membership=owner, reason=reason.strip())
    except IntegrityError as error:
        raise InvalidInput(f"{owner.person} is named already.", field="membership") from error
    record(Act.BREAK_GLASS_CHANGE, object_type="person", object_id=owner.person_id, named=True)
    return made


def remove_break_glass(*, break_glass_id: UUID) -> None:
    """Takes the way in back. Raises NotFound, or Conflict for the last one while single sign-on is required."""
    tenant = _locked_tenant()
    found = BreakGlass.objects.filter(pk=break_glass_id).select_related("membership").first()
    if found is None:
        raise NotFound("There is nobody of this name here.")
    if tenant.sso_required and not _usable_break_glass().exclude(pk=found.pk).exists():
        raise Conflict("This is the last way in should the provider fail. Name somebody else first.")
    record(Act.BREAK_GLASS_CHANGE, object_type="person", object_id=found.membership.person_id, named=False)
    found.delete()


def require_way_back(what: str) -> None:
    """Raises Conflict while single sign-on is required."""
    if _locked_tenant().sso_required:
        raise Conflict(f"{what} once single sign-on isn't required any more.")


def possible_break_glass() -> QuerySet[Membership]:
    """Owners who could be named and aren't."""
    named = BreakGlass.objects.values("membership_id")
    return _living_owners().exclude(pk__in=named).select_related("person").order_by("person__name")


def _check_readiness() -> None:
    tested = IdentityProvider.objects.filter(enabled=True).exclude(tested_at=None)
    if not tested.exists():
        raise Conflict("First enable a provider and test a sign-in with it.")
    if not VerifiedDomain.objects.exclude(verified_at=None).exists():
        raise Conflict("First verify a domain.")
    if not _usable_break_glass().exists():
        raise Conflict("First name a break-glass owner, or nobody gets in when the provider fails.")


def _person_id(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _is_of_held_domain(email: str) -> bool:
    holder = domain_holder(email.rpartition("@")[2])
    return holder is not None and holder.tenant_id == current_tenant_id()


def _break_glass(membership_id: UUID) -> BreakGlass | None:
    return _usable_break_glass().filter(membership_id=membership_id).first()


def _usable_break_glass() -> QuerySet[BreakGlass]:
    return BreakGlass.objects.filter(membership__in=_living_owners())


def _living_owners() -> QuerySet[Membership]:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return Membership.objects.filter(living, role=Role.OWNER, person__is_active=True)


def _locked_tenant() -> Tenant:
    return Tenant.objects.select_for_update().get(pk=current_tenant_id())


def _tell_owners(request: HttpRequest) -> None:
    tenant = Tenant.objects.get(pk=current_tenant_id())
    message = EmailMessage(
        subject=f"Break-glass sign-in to {tenant.name} in Surety".replace("\n", " ").replace("\r", " "),
        body=render_to_string(
            "accounts/break_glass_mail.txt",
            {
                "tenant": tenant, "person": request.user, "at": timezone.now(),
                "address": getattr(request, "client_address", ""),
                "url": settings.SITE_URL.rstrip("/") + reverse("audit-log"),
            },
        ),
        to=[owner.person.email for owner in _living_owners().select_related("person")],
    )  # fmt: skip
    transaction.on_commit(message.send, robust=True)
