"""POST /api/v1/oauth/token: a client's secret or proof against a token of 15 minutes (RFC 6749, RFC 8693)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.access import public
from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.log import acting, current_actor, record
from accounts.clients.keyless.nonces import NONCE_SECONDS, make_nonce
from accounts.clients.oauth import Caller, TokenServer
from accounts.clients.tokens import check_address
from accounts.errors import Forbidden, InvalidInput, MethodNotAllowed, TooManyRequests, UnsupportedMedia
from accounts.machines import client_name
from accounts.models import ApiClient
from accounts.recording import REFUSED_FROM
from accounts.requests import client_address
from accounts.tenancy.scope import open_tenant
from accounts.throttle import begin_counted, begin_try

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
    server = TokenServer(client_address(request))
    response: HttpResponse = server.create_token_response(request)
    caller = server.caller
    if caller is not None and caller.client is not None and caller.tenant_id is not None:
        _note(
            request, Known(caller.tenant_id, caller.client, caller), done=response.status_code < REFUSED_FROM
        )
    response["Cache-Control"] = "no-store"
    return response


@public
@csrf_exempt  # it changes nothing
def nonce(request: HttpRequest) -> HttpResponse:
    """A nonce to be signed into a proof by AWS, for anybody. Raises TooManyRequests."""
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    until = begin_counted("api nonce", client_address(request), most=settings.API_NONCES_PER_MINUTE)
    if until:
        raise TooManyRequests(max(1, round((until - timezone.now()).total_seconds())))
    response = JsonResponse({"nonce": make_nonce(), "expires_in": NONCE_SECONDS})
    response["Cache-Control"] = "no-store"
    return response


class Known(NamedTuple):
    """Who asked, where it is a client that there is, and what was proved."""

    tenant_id: UUID
    client: ApiClient
    caller: Caller


def _note(request: HttpRequest, known: Known, *, done: bool) -> None:
    """Puts it into the tenant's log. Raises Forbidden from elsewhere, TooManyRequests after ten failures."""
    client, address = known.client, client_address(request)
    outcome, refused = ActOutcome.DONE if done else ActOutcome.REFUSED, None
    try:
        check_address(client, address)
    except Forbidden as error:
        outcome, refused = ActOutcome.REFUSED, error
    if not done:
        _slow_down(client, address)
    proof = known.caller.proof
    actor = replace(
        current_actor(), kind=ActorKind.MACHINE, id=str(client.pk), name=client_name(client), session="",
        proven=proof.subject if proof else "",
    )  # fmt: skip
    with acting(actor), open_tenant(known.tenant_id):
        record(
            Act.API_CLIENT_TOKEN,
            object_type="api_client",
            object_id=client.pk,
            outcome=outcome,
            **_seen(known.caller),
        )
        if outcome is ActOutcome.DONE:
            _keep_use(known, address)
    if refused:
        raise refused


def _seen(caller: Caller) -> dict[str, Any]:
    if caller.refused:
        return {"refused": str(caller.refused.why), **caller.refused.seen}
    return {"trust": str(caller.proof.trust.pk), **caller.proof.seen} if caller.proof else {}


def _keep_use(known: Known, address: str) -> None:
    now, client, proof = timezone.now(), known.client, known.caller.proof
    if known.caller.secret is not None:
        client.secrets.filter(pk=known.caller.secret.pk).update(last_used_at=now)
    if proof is not None:
        client.trusts.filter(pk=proof.trust.pk).update(last_used_at=now, last_proven=proof.subject)
    ApiClient.objects.filter(pk=client.pk).update(last_used_at=now, last_address=address or None)


def _slow_down(client: ApiClient, address: str) -> None:
    """A secret has 256 bits and is never guessed: what this bounds is how fast somebody can fill a tenant's log."""
    until = begin_try(f"api client {client.pk}", address, known_browser=True)
    if until:
        raise TooManyRequests(max(1, round((until - timezone.now()).total_seconds())))
