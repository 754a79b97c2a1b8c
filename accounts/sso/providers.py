"""Identity providers of the open tenant: adding, setting up, enabling, the roles of their groups, removing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.outbound import fetch
from accounts.permissions import Role
from accounts.sealing import seal, unseal
from accounts.sso import oidc, saml
from accounts.sso.models import (
    ExternalIdentity,
    GroupRole,
    IdentityProvider,
    ProviderKind,
    SecondFactorProof,
)
from accounts.sso.policy import require_way_back

METADATA_SECONDS = 8.0
MOST_PROVIDERS = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tenant decides about a provider's people. `values` say "a second factor"; empty: the usual ones."""

    email_claim: str
    groups_claim: str
    proof: SecondFactorProof
    values: tuple[str, ...]
    just_in_time: bool
    default_role: Role
    listed: bool


def add_provider(*, kind: ProviderKind, name: str) -> IdentityProvider:
    """A provider that is still to be set up; it exists so that its addresses can be copied to the other side."""
    if IdentityProvider.objects.count() >= MOST_PROVIDERS:
        raise Conflict(f"A tenant has {MOST_PROVIDERS} providers at most. Remove one first.")
    email, groups = ("email", "groups") if kind is ProviderKind.OIDC else ("", "groups")
    made: IdentityProvider = IdentityProvider.objects.create(
        kind=kind, name=name.strip(), email_claim=email, groups_claim=groups
    )
    record(Act.SSO_PROVIDER_ADD, object_type="provider", object_id=made.pk, kind=str(kind), name=made.name)
    return made


def set_up_oidc(*, provider: IdentityProvider, issuer: str, client_id: str, secret: str) -> None:
    """Reads the issuer's discovery document and keys. An empty secret keeps the one that is there.

    Raises InvalidInput, UnreachableError.
    """
    endpoints = oidc.discover(issuer)
    keys = oidc.fetch_keys(endpoints)
    if not keys["keys"]:
        raise InvalidInput("The provider publishes no key that is accepted.", field="issuer")
    changed = client_id.strip() != provider.client_id
    provider.client_id = client_id.strip()
    if secret:
        provider.client_secret = seal(secret.encode(), place=provider.secret_place)
    _save_identity(provider, issuer, endpoints, keys, changed=changed)


def set_up_saml(*, provider: IdentityProvider, metadata: str, metadata_url: str) -> None:
    """Takes the provider from its metadata, as text or from its address. Raises InvalidInput, UnreachableError."""
    document = metadata.strip().encode() or _fetch_metadata(metadata_url)
    said = saml.read_metadata(document)
    provider.metadata_url = "" if metadata.strip() else metadata_url
    keys = {"certificates": list(said.certificates)}
    _save_identity(provider, said.issuer, {"sign_in": said.sign_in_url}, keys, changed=False)


def change_rules(*, provider: IdentityProvider, rules: Rules) -> None:
    """Changes what the tenant decides about the provider's people."""
    provider.email_claim, provider.groups_claim = rules.email_claim, rules.groups_claim
    provider.provider_proves_second_factor, provider.second_factor_values = rules.proof, list(rules.values)
    provider.just_in_time, provider.default_role = rules.just_in_time, rules.default_role
    provider.listed = rules.listed
    provider.save()
    record(
        Act.SSO_PROVIDER_CHANGE, object_type="provider", object_id=provider.pk, second_factor=str(rules.proof),
        just_in_time=rules.just_in_time, default_role=str(rules.default_role), email=rules.email_claim,
        groups=rules.groups_claim, listed=rules.listed,
    )  # fmt: skip


def enable_provider(*, provider: IdentityProvider, enabled: bool) -> None:
    """Lets people in by it, or not any more: their sessions end at the next request.

    Raises Conflict where it isn't set up, or while single sign-on is required.
    """
    if enabled and not provider.is_set_up:
        raise Conflict("Set the provider up first.")
    if not enabled:
        require_way_back("A provider can be disabled")
    provider.enabled = enabled
    provider.save(update_fields=["enabled"])
    record(Act.SSO_PROVIDER_CHANGE, object_type="provider", object_id=provider.pk, enabled=enabled)


def remove_provider(*, provider: IdentityProvider) -> None:
    """Removes it with its groups and links; the people stay members. Raises Conflict while SSO is required."""
    require_way_back("A provider can be removed")
    record(Act.SSO_PROVIDER_REMOVE, object_type="provider", object_id=provider.pk, name=provider.name)
    provider.delete()


def map_group(*, provider: IdentityProvider, group: str, role: Role) -> GroupRole:
    """Gives the people of a group a role, from their next sign-in. Raises InvalidInput for a group twice."""
    try:
        with transaction.atomic():
            made: GroupRole = GroupRole.objects.create(provider=provider, group=group.strip(), role=role)
    except IntegrityError as error:
        raise InvalidInput(f"{group} has a role already: remove it first.", field="group") from error
    record(
        Act.SSO_PROVIDER_CHANGE,
        object_type="provider",
        object_id=provider.pk,
        group=made.group,
        role=str(role),
    )
    return made


def unmap_group(*, group_id: UUID) -> IdentityProvider:
    """Takes a group's role away, from its people's next sign-in. Raises NotFound."""
    found = GroupRole.objects.filter(pk=group_id).select_related("provider").first()
    if found is None:
        raise NotFound("There is no such group.")
    provider: IdentityProvider = found.provider
    record(Act.SSO_PROVIDER_CHANGE, object_type="provider", object_id=provider.pk, group=found.group, role="")
    found.delete()
    return provider


def unlink(*, identity_id: UUID) -> IdentityProvider:
    """Forgets who a provider's subject is; the person's session by it ends at the next request. Raises NotFound."""
    found = ExternalIdentity.objects.filter(pk=identity_id).select_related("provider").first()
    if found is None:
        raise NotFound("There is no such link.")
    provider: IdentityProvider = found.provider
    record(Act.SSO_LINK_REMOVE, object_type="person", object_id=found.person_id, provider=str(provider.pk))
    found.delete()
    return provider


def find_provider(provider_id: UUID, *, lock: bool = False) -> IdentityProvider:
    """A provider of the open tenant. Raises NotFound."""
    rows = IdentityProvider.objects.filter(pk=provider_id)
    found: IdentityProvider | None = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise NotFound("There is no such identity provider.")
    return found


def client_of(provider: IdentityProvider) -> oidc.Client:
    """An OIDC provider with what this portal is to it."""
    sealed = bytes(provider.client_secret)
    secret = unseal(sealed, place=provider.secret_place).decode() if sealed else ""
    redirect = our_address("sso-callback", provider)
    return oidc.Client(provider.issuer, provider.client_id, secret, redirect, provider.endpoints)


def parties_of(provider: IdentityProvider) -> saml.Parties:
    """A SAML provider with what this portal is to it."""
    return saml.Parties(
        entity_id=our_address("sso-metadata", provider),
        acs=our_address("sso-acs", provider),
        issuer=provider.issuer,
        sign_in_url=provider.endpoints.get("sign_in", ""),
        certificates=tuple(provider.keys.get("certificates", ())),
    )


def our_address(view: str, provider: IdentityProvider) -> str:
    """An address of this portal for one provider; it begins with SITE_URL, never with a request's header."""
    return settings.SITE_URL.rstrip("/") + reverse(view, args=[provider.pk])


def renew_keys(*, provider: IdentityProvider, keys: dict[str, Any]) -> None:
    """Keeps keys that were fetched anew."""
    provider.keys, provider.keys_fetched_at = keys, timezone.now()
    provider.save(update_fields=["keys", "keys_fetched_at"])


def _save_identity(
    provider: IdentityProvider, issuer: str, endpoints: dict[str, Any], keys: dict[str, Any], *, changed: bool
) -> None:
    if provider.issuer not in {"", issuer}:
        require_way_back("The issuer can be changed")
        # Another issuer's subjects are other people, whatever they are called.
        ExternalIdentity.objects.filter(provider=provider).delete()
        changed = True
    provider.issuer, provider.endpoints = issuer, endpoints
    provider.keys, provider.keys_fetched_at = keys, timezone.now()
    if changed:
        provider.tested_at, provider.test_report = None, {}
    provider.save()
    record(
        Act.SSO_PROVIDER_CHANGE,
        object_type="provider",
        object_id=provider.pk,
        issuer=issuer,
        client_id=provider.client_id,
    )


def _fetch_metadata(url: str) -> bytes:
    if not url:
        raise InvalidInput("Give the metadata, or their address.", field="metadata")
    answer = fetch(url, seconds=METADATA_SECONDS)
    if answer.status != 200:  # noqa: PLR2004 (HTTP's own)
        raise InvalidInput(f"The address of the metadata answers {answer.status}.", field="metadata_url")
    return answer.body
