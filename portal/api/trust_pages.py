"""The pages on which a client's ways in without a secret are made, looked at, and revoked."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.keyless.trusts import revoke_trust, trust_aws, trust_issuer
from accounts.errors import Conflict, InvalidInput, NotFound, Unavailable
from accounts.models import ApiClient, ClientTrust, TrustKind
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from portal.api.forms import AwsTrustForm, IssuerTrustForm

GITHUB = "token.actions.githubusercontent.com"
NEW = "api/trust_new.html"


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_TRUST, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trust_aws_new(request: TenantRequest, api_client_id: UUID) -> HttpResponse:
    return _new(request, api_client_id, AwsTrustForm(_given(request)), trust_aws)


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_TRUST, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trust_issuer_new(request: TenantRequest, api_client_id: UUID) -> HttpResponse:
    return _new(request, api_client_id, IssuerTrustForm(_given(request)), trust_issuer)


@requires(Permission.API_CLIENT_CHANGE)
@require_safe
def trust_detail(request: TenantRequest, api_client_id: UUID, trust_id: UUID) -> HttpResponse:
    """What is trusted, and a piece of a job to copy that gets a token by it."""
    trusts = ClientTrust.objects.select_related("client", "created_by")
    trust = trusts.filter(pk=trust_id, client=api_client_id).first()
    if trust is None:
        raise NotFound("There is no such trust.")
    record(Act.API_CLIENT_READ, object_type="api_client", object_id=trust.client_id, trust=str(trust.pk))
    site = settings.SITE_URL.rstrip("/")
    return TemplateResponse(
        request, "api/trust_detail.html",
        {"trust": trust, "client": trust.client, "site": site, "token_url": site + reverse("api-token"),
         "audience": trust.audience or site, "snippet": _snippet(trust),
         "push": f"export SURETY_URL={site} SURETY_CLIENT_ID={trust.client_id}\n"
         f"surety push FILE --keyless {_keyless(trust)}"},
    )  # fmt: skip


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_TRUST_REVOKE, step_up=True)
@require_POST
def trust_revoke(request: TenantRequest, api_client_id: UUID, trust_id: UUID) -> HttpResponse:
    trust = revoke_trust(client_id=api_client_id, trust_id=trust_id)
    say(request, f"{trust} is trusted no more, and every token that was got by it is over.")
    return redirect("api-client", api_client_id)


def _given(request: TenantRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _new(
    request: TenantRequest,
    client_id: UUID,
    form: AwsTrustForm | IssuerTrustForm,
    add: Callable[..., ClientTrust],
) -> HttpResponse:
    client = ApiClient.objects.filter(pk=client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    if not form.is_bound or not form.is_valid():
        return form_page(request, NEW, form, client=client)
    try:
        trust = add(client_id=client_id, by=request.membership, **form.cleaned_data)
    except (InvalidInput, Conflict, Unavailable) as error:
        form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        return form_page(request, NEW, form, client=client)
    return redirect("api-client-trust", client_id, trust.pk)


def _keyless(trust: ClientTrust) -> str:
    """What the command `surety` calls the identity."""
    if trust.kind == TrustKind.AWS:
        return "aws"
    return "github" if urlsplit(trust.issuer).hostname == GITHUB else "gitlab"


def _snippet(trust: ClientTrust) -> str:
    """Which template holds the piece of a job."""
    return f"api/snippets/{_keyless(trust)}.txt"
