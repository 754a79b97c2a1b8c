"""The pages on which a tenant makes API clients, renews their secrets, and revokes them; see also trust_pages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.clients.scopes import WORDS, Scope
from accounts.clients.services import (
    MOST_SECRETS,
    SecretMade,
    add_secret,
    create_client,
    create_keyless_client,
    revoke_client,
    revoke_secret,
)
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import ApiClient, AuditEntry
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.models import Engagement
from evidence.models import AwsConnection
from portal.api.forms import ApiClientForm

SHOWN_CLIENTS, SHOWN_REQUESTS = 200, 20


class ShownRequest(NamedTuple):
    """A request of a client as its page shows it. `why`: why it was refused, with what its proof said."""

    pk: UUID
    words: str
    occurred_at: datetime
    outcome: str
    why: str
    address: str | None


@requires(Permission.API_CLIENT_CHANGE)
@require_safe
def client_list(request: TenantRequest) -> HttpResponse:
    record(Act.API_CLIENT_READ, object_type="page", object_id="api-clients")
    clients = ApiClient.objects.select_related("created_by").order_by("-created_at", "-id")[:SHOWN_CLIENTS]
    return TemplateResponse(request, "api/client_list.html", {"clients": clients})


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_CREATE, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def client_new(request: TenantRequest) -> HttpResponse:
    """Shows the secret this once: it is in no address and nowhere kept."""
    form = ApiClientForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return form_page(request, "api/client_new.html", form)
    try:
        if form.cleaned_data["keyless"]:
            return redirect("api-client", create_keyless_client(**form.wanted(), by=request.membership).pk)
        made = create_client(**form.wanted(), by=request.membership)
    except (InvalidInput, Conflict) as error:
        form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        return form_page(request, "api/client_new.html", form)
    return _secret_page(request, made)


@requires(Permission.API_CLIENT_CHANGE)
@require_safe
def client_detail(request: TenantRequest, api_client_id: UUID) -> HttpResponse:
    client = ApiClient.objects.select_related("created_by").filter(pk=api_client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    record(Act.API_CLIENT_READ, object_type="api_client", object_id=client.pk)
    secrets = list(client.secrets.select_related("created_by").order_by("-created_at", "-id"))
    entries = AuditEntry.objects.filter(actor_id=str(client.pk)).order_by("-occurred_at")[:SHOWN_REQUESTS]
    return TemplateResponse(
        request, "api/client_detail.html",
        {"client": client, "engagement": _engagement_of(client),
         "scopes": [(scope, WORDS[Scope(scope)]) for scope in client.scopes if scope in WORDS],
         "secrets": secrets, "trusts": client.trusts.order_by("-created_at", "-id"),
         "requests": [_shown(entry) for entry in entries],
         "connections": AwsConnection.objects.filter(pk__in=client.connections).order_by("name"),
         "may_add": client.state == "active" and sum(not each.revoked_at for each in secrets) < MOST_SECRETS},
    )  # fmt: skip


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_SECRET, step_up=True)
@require_POST
def secret_new(request: TenantRequest, api_client_id: UUID) -> HttpResponse:
    return _secret_page(request, add_secret(client_id=api_client_id, by=request.membership))


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_SECRET_REVOKE, step_up=True)
@require_POST
def secret_revoke(request: TenantRequest, api_client_id: UUID, secret_id: UUID) -> HttpResponse:
    secret = revoke_secret(client_id=api_client_id, secret_id=secret_id)
    say(request, f"The secret {secret} is revoked, with every token that was got by it.")
    return redirect("api-client", api_client_id)


@requires(Permission.API_CLIENT_CHANGE, act=Act.API_CLIENT_REVOKE, step_up=True)
@require_POST
def client_revoke(request: TenantRequest, api_client_id: UUID) -> HttpResponse:
    client = revoke_client(client_id=api_client_id)
    say(request, f"{client.name} is revoked. Its next request is refused.")
    return redirect("api-client", api_client_id)


def _shown(entry: AuditEntry) -> ShownRequest:
    words = Act(entry.act).label if entry.act in set(Act) else entry.act
    why = "" if entry.outcome == ActOutcome.DONE else _why(entry)
    return ShownRequest(entry.pk, words, entry.occurred_at, entry.outcome, why, entry.address)


def _why(entry: AuditEntry) -> str:
    """Of a proof its reason first, then what it said; of another request the words of its answer."""
    details: dict[str, object] = json.loads(bytes(entry.body))["details"]
    if "refused" not in details:
        unsaid = "wrong secret, scope or network" if entry.act == Act.API_CLIENT_TOKEN else ""
        return str(details.get("reason", unsaid))
    said = [f"{name} {value}" for name, value in details.items() if name != "refused"]
    return "; ".join([f"its proof: {details['refused']}", *said])


def _engagement_of(client: ApiClient) -> Engagement | None:
    found: Engagement | None = None
    if client.engagement is not None:
        found = Engagement.objects.filter(pk=client.engagement).first()
    return found


def _secret_page(request: TenantRequest, made: SecretMade) -> HttpResponse:
    site = settings.SITE_URL.rstrip("/")
    return TemplateResponse(
        request, "api/client_secret.html",
        {"made": made, "site": site, "token_url": site + reverse("api-token")},
    )  # fmt: skip
