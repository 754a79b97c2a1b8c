"""POST /api/v1/oauth/token: a client's id and secret against a token of 15 minutes (RFC 6749 section 4.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.access import public
from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.log import acting, current_actor, record
from accounts.clients.oauth import TokenServer
from accounts.clients.tokens import check_address
from accounts.errors import Forbidden, InvalidInput, MethodNotAllowed, TooManyRequests, UnsupportedMedia
from accounts.machines import client_name
from accounts.models import ApiClient, ApiSecret
from accounts.recording import REFUSED_FROM
from accounts.requests import client_address
from accounts.tenancy.scope import open_tenant
from accounts.throttle import begin_try

FORM = "application/x-www-form-urlencoded"


@public
@csrf_exempt  # a browser holds no client's secret
def token(request: HttpRequest) -> HttpResponse:
    """Errors of the grant are RFC 6749's (section 5.2); those of the request are problem details, as elsewhere."""
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    if request.content_type != FORM:
        raise UnsupportedMedia(FORM)
    if request.GET:
        raise InvalidInput(
            "Give the parameters in the body, never in the address, where logs would keep them."
        )
    server = TokenServer()
    response: HttpResponse = server.create_token_response(request)
    caller = server.caller
    if caller is not None and caller.client is not None and caller.tenant_id is not None:
        with_client = Known(caller.tenant_id, caller.client, caller.secret)
        _note(request, with_client, done=response.status_code < REFUSED_FROM)
    response["Cache-Control"] = "no-store"
    return response


class Known(NamedTuple):
    """Who asked, where it is a client that there is; `secret` is the one that was proved."""

    tenant_id: UUID
    client: ApiClient
    secret: ApiSecret | None


def _note(request: HttpRequest, caller: Known, *, done: bool) -> None:
    """Puts it into the tenant's log. Raises Forbidden from elsewhere, TooManyRequests after ten failures."""
    client, address = caller.client, client_address(request)
    outcome, refused = ActOutcome.DONE if done else ActOutcome.REFUSED, None
    try:
        check_address(client, address)
    except Forbidden as error:
        outcome, refused = ActOutcome.REFUSED, error
    if not done:
        _slow_down(client, address)
    actor = replace(
        current_actor(), kind=ActorKind.MACHINE, id=str(client.pk), name=client_name(client), session=""
    )
    with acting(actor), open_tenant(caller.tenant_id):
        record(Act.API_CLIENT_TOKEN, object_type="api_client", object_id=client.pk, outcome=outcome)
        if outcome is ActOutcome.DONE and caller.secret is not None:
            now = timezone.now()
            client.secrets.filter(pk=caller.secret.pk).update(last_used_at=now)
            ApiClient.objects.filter(pk=client.pk).update(last_used_at=now, last_address=address or None)
    if refused:
        raise refused


def _slow_down(client: ApiClient, address: str) -> None:
    """A secret has 256 bits and is never guessed: what this bounds is how fast somebody can fill a tenant's log."""
    until = begin_try(f"api client {client.pk}", address, known_browser=True)
    if until:
        raise TooManyRequests(max(1, round((until - timezone.now()).total_seconds())))
