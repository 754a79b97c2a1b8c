"""The owner's pages of single sign-on: domains, providers, roles of groups, requiring it, break-glass."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, Unavailable
from accounts.forms import RefusableForm
from accounts.models import Person
from accounts.permissions import Permission, Role
from accounts.sso import saml
from accounts.sso.domains import add_domain, check_domain, holds, record_name, record_value, remove_domain
from accounts.sso.flows import begin_flow
from accounts.sso.forms import (
    BreakGlassForm,
    DomainForm,
    GroupForm,
    OidcForm,
    ProviderForm,
    RulesForm,
    SamlForm,
    initial_rules,
)
from accounts.sso.models import (
    BreakGlass,
    ExternalIdentity,
    GroupRole,
    IdentityProvider,
    ProviderKind,
    Purpose,
    VerifiedDomain,
)
from accounts.sso.policy import add_break_glass, possible_break_glass, remove_break_glass, require_sso
from accounts.sso.providers import (
    add_provider,
    change_rules,
    enable_provider,
    find_provider,
    map_group,
    our_address,
    remove_provider,
    set_up_oidc,
    set_up_saml,
    unlink,
    unmap_group,
)
from accounts.views.pages import UNFIT, form_page, say
from accounts.views.single_sign_on import leave

MOST_LINKS = 200

reads = requires(Permission.TENANT_CHANGE)
changes = requires(Permission.TENANT_CHANGE, step_up=True)


@reads
@require_safe
def overview(request: TenantRequest) -> HttpResponse:
    record(Act.SSO_READ, object_type="page", object_id="sso")
    return _overview(request)


@changes
@require_POST
def require(request: TenantRequest) -> HttpResponse:
    required = request.POST.get("required") == "yes"
    require_sso(required=required)
    say(request, "Single sign-on is required now." if required else "Passwords open this tenant again.")
    return redirect("sso")


@changes
@require_POST
def domain_add(request: TenantRequest) -> HttpResponse:
    form = DomainForm(request.POST)
    if form.is_valid():
        try:
            made = add_domain(domain=form.cleaned_data["domain"])
        except (InvalidInput, Conflict) as error:
            form.show(InvalidInput(str(error), field="domain"))
        else:
            say(request, f"Now create the TXT record of {made.domain}, then check it.")
            return redirect("sso")
    return _overview(request, domain_form=form)


@changes
@require_POST
def domain_check(request: TenantRequest, domain_id: UUID) -> HttpResponse:
    row = check_domain(domain_id=domain_id)
    if not row.problem:
        say(request, f"{row.domain} is verified.")
    return redirect("sso")


@changes
@require_POST
def domain_remove(request: TenantRequest, domain_id: UUID) -> HttpResponse:
    remove_domain(domain_id=domain_id)
    say(request, "The domain is removed.")
    return redirect("sso")


@changes
@require_POST
def break_glass_add(request: TenantRequest) -> HttpResponse:
    form = BreakGlassForm(request.POST)
    if form.is_valid():
        try:
            add_break_glass(membership_id=form.cleaned_data["membership"], reason=form.cleaned_data["reason"])
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The owner can sign in by password even where single sign-on is required.")
            return redirect("sso")
    return _overview(request, glass_form=form)


@changes
@require_POST
def break_glass_remove(request: TenantRequest, break_glass_id: UUID) -> HttpResponse:
    remove_break_glass(break_glass_id=break_glass_id)
    say(request, "The owner comes by single sign-on like everybody.")
    return redirect("sso")


@changes
@require_POST
def provider_add(request: TenantRequest) -> HttpResponse:
    form = ProviderForm(request.POST)
    if not form.is_valid():
        return _overview(request, provider_form=form)
    made = add_provider(kind=ProviderKind(form.cleaned_data["kind"]), name=form.cleaned_data["name"])
    return redirect("sso-provider", made.pk)


@reads
@require_safe
def provider(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    record(Act.SSO_READ, object_type="provider", object_id=provider_id)
    return _provider(request, find_provider(provider_id))


@changes
@sensitive_post_parameters("client_secret")
@require_POST
def provider_set_up(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    found = find_provider(provider_id, lock=True)
    form: RefusableForm = OidcForm(request.POST) if found.is_oidc else SamlForm(request.POST)
    if form.is_valid():
        try:
            _set_up(found, form)
        except (InvalidInput, Conflict, Unavailable) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            say(request, "The provider is set up. Test a sign-in, then enable it.")
            return redirect("sso-provider", found.pk)
    return _provider(request, found, set_up_form=form)


@changes
@require_POST
def provider_rules(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    found = find_provider(provider_id, lock=True)
    form = RulesForm(request.POST, provider=found)
    if not form.is_valid():
        return _provider(request, found, rules_form=form)
    change_rules(provider=found, rules=form.chosen())
    say(request, "The rules are changed; they hold from the next sign-in.")
    return redirect("sso-provider", found.pk)


@changes
@require_POST
def provider_test(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    found = find_provider(provider_id)
    if not found.is_set_up:
        raise Conflict("Set the provider up first.")
    person = Person.objects.get(pk=request.user.pk)
    return leave(request, begin_flow(provider=found, purpose=Purpose.TEST, person=person))


@changes
@require_POST
def provider_enable(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    enabled = request.POST.get("enabled") == "yes"
    enable_provider(provider=find_provider(provider_id, lock=True), enabled=enabled)
    say(request, "People can sign in by it now." if enabled else "Nobody can sign in by it any more.")
    return redirect("sso-provider", provider_id)


@changes
@require_POST
def provider_remove(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    remove_provider(provider=find_provider(provider_id, lock=True))
    say(request, "The provider is removed. Its people stay members.")
    return redirect("sso")


@changes
@require_POST
def group_add(request: TenantRequest, provider_id: UUID) -> HttpResponse:
    found, form = find_provider(provider_id), GroupForm(request.POST)
    if form.is_valid():
        try:
            map_group(provider=found, group=form.cleaned_data["group"], role=Role(form.cleaned_data["role"]))
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The group's role holds from its people's next sign-in.")
            return redirect("sso-provider", found.pk)
    return _provider(request, found, group_form=form)


@changes
@require_POST
def group_remove(request: TenantRequest, group_id: UUID) -> HttpResponse:
    found = unmap_group(group_id=group_id)
    say(request, "The group gives no role any more.")
    return redirect("sso-provider", found.pk)


@changes
@require_POST
def link_remove(request: TenantRequest, identity_id: UUID) -> HttpResponse:
    found = unlink(identity_id=identity_id)
    say(request, "The link is ended.")
    return redirect("sso-provider", found.pk)


def _set_up(found: IdentityProvider, form: RefusableForm) -> None:
    said = form.cleaned_data
    if found.is_oidc:
        set_up_oidc(
            provider=found,
            issuer=said["issuer"],
            client_id=said["client_id"],
            secret=said["client_secret"],
        )
    else:
        set_up_saml(provider=found, metadata=said["metadata"], metadata_url=said["metadata_url"])


def _overview(
    request: TenantRequest,
    *,
    domain_form: DomainForm | None = None,
    provider_form: ProviderForm | None = None,
    glass_form: BreakGlassForm | None = None,
) -> HttpResponse:
    bound = domain_form or provider_form or glass_form
    return TemplateResponse(
        request,
        "accounts/sso.html",
        {
            "domains": [
                {
                    "row": row, "name": record_name(row.domain), "value": record_value(row.challenge),
                    "held": row.verified_at is not None and holds(row.domain),
                }
                for row in VerifiedDomain.objects.order_by("domain")
            ],
            "providers": IdentityProvider.objects.order_by("created_at"),
            "glasses": BreakGlass.objects.select_related("membership__person").order_by("created_at"),
            "owners": possible_break_glass(),
            "form": bound,
            "domain_form": domain_form or DomainForm(), "provider_form": provider_form or ProviderForm(),
            "glass_form": glass_form or BreakGlassForm(),
        },
        status=UNFIT if bound else 200,
    )  # fmt: skip


def _provider(
    request: TenantRequest,
    found: IdentityProvider,
    *,
    set_up_form: RefusableForm | None = None,
    rules_form: RulesForm | None = None,
    group_form: GroupForm | None = None,
) -> HttpResponse:
    kind = OidcForm if found.is_oidc else SamlForm
    initial = {"issuer": found.issuer, "client_id": found.client_id, "metadata_url": found.metadata_url}
    links = ExternalIdentity.objects.filter(provider=found).select_related("person").order_by("email")
    form: RefusableForm = set_up_form or rules_form or group_form or ProviderForm()
    return form_page(
        request,
        "accounts/sso_provider.html",
        form,
        provider=found,
        set_up_form=set_up_form or kind(initial=initial),
        rules_form=rules_form or RulesForm(initial=initial_rules(found), provider=found),
        group_form=group_form or GroupForm(),
        groups=GroupRole.objects.filter(provider=found).order_by("group"),
        links=links[:MOST_LINKS],
        addresses=_addresses(found),
        certificates=[saml.certificate_end(one) for one in found.keys.get("certificates", ())],
    )


def _addresses(found: IdentityProvider) -> list[tuple[str, str, str]]:
    """What the other side asks for: an id for copying, its name there, the value."""
    start = ("start", "Sign-in address for your list of applications", our_address("sso-start", found))
    if found.is_oidc:
        return [("redirect", "Redirect URI", our_address("sso-callback", found)), start]
    return [
        ("acs", "Reply address (Assertion Consumer Service, HTTP-POST)", our_address("sso-acs", found)),
        ("entity", "Entity ID (Audience), and address of our metadata", our_address("sso-metadata", found)),
        start,
    ]
