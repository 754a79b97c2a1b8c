"""The token endpoint: client credentials (RFC 6749 section 4.4) and token exchange (RFC 8693), by Authlib.

Authlib reads requests, authenticates by secret (in the header or the body), and words the answers; here stands what
it asks for: whose client it is, and the token. Proofs in place of a secret are accounts.clients.keyless.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from authlib.integrations.django_oauth2.requests import DjangoOAuth2Payload
from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    ClientMixin,
    InvalidClientError,
    InvalidScopeError,
    OAuth2Request,
    scope_to_list,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.clients.keyless.exchange import prove
from accounts.clients.keyless.grant import GRANT_TYPE, ExchangeGrant
from accounts.clients.keyless.proofs import Proof, RefusedProof
from accounts.clients.scopes import WORDS, Scope
from accounts.clients.services import secret_digest
from accounts.clients.tokens import TOKEN_SECONDS, sign_token
from accounts.models import ApiClient, ApiSecret, ClientTrust, TrustKind
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import api_client_tenant

NO_CLIENT = (
    "There is no live client with this id and secret: the secret may be wrong, revoked, or its client over."
)
METHODS = ["client_secret_basic", "client_secret_post"]


class Caller(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """Who asks for a token. `client` is None where nobody has that id: their secret is then wrong like any other."""

    def __init__(
        self,
        tenant_id: UUID | None = None,
        client: ApiClient | None = None,
        secrets: Iterable[ApiSecret] = (),
        trusts: Iterable[ClientTrust] = (),
    ) -> None:
        self.tenant_id, self.client = tenant_id, client
        self.secret: ApiSecret | None = None
        self.proof: Proof | None = None
        self.refused: RefusedProof | None = None
        self._secrets, self._trusts = tuple(secrets), tuple(trusts)

    def prove(self, kind: TrustKind, token: str) -> None:
        """Takes a proof in place of a secret. Raises RefusedProof."""
        if self.tenant_id is None:
            raise TypeError("nobody's client proves nothing")
        self.proof = prove(self.tenant_id, self._trusts, kind, token)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is one of the live secrets, of a client that is live."""
        digest = secret_digest(client_secret)
        for secret in self._secrets:
            if hmac.compare_digest(bytes(secret.secret_digest), digest):
                self.secret = secret
        return self.secret is not None and self.client is not None and self.client.is_live(timezone.now())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """By secret alone."""
        return method in METHODS and endpoint == "token"

    def check_grant_type(self, grant_type: str) -> bool:
        """By a secret, or by a proof."""
        return grant_type in {Grant.GRANT_TYPE, GRANT_TYPE}

    def get_allowed_scope(self, scope: str | None) -> str:
        """What was asked for, or all that the client has. Raises InvalidScopeError for more than it has."""
        mine = self.client.scopes if self.client else []
        asked = scope_to_list(scope) if scope else mine
        if not set(asked) <= set(mine):
            raise InvalidScopeError("The client doesn't have all of these scopes.")
        return " ".join(sorted(set(asked)))


class TokenRequest(OAuth2Request):  # type: ignore[misc] # as above
    """A request as Authlib reads one; its address says https: plain HTTP was refused before (accounts.transport)."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(str(request.method), f"https://portal{request.path_info}", headers=request.headers)
        self.payload = DjangoOAuth2Payload(request)
        self._asked = request

    @property
    def form(self) -> Any:
        """The body's fields."""
        return self._asked.POST


class Grant(ClientCredentialsGrant):  # type: ignore[misc] # as above
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_token_endpoint_client(self) -> Caller:
        """Whoever's secret it is. Raises InvalidClientError in words that help, and tell nobody who exists."""
        try:
            caller: Caller = super().authenticate_token_endpoint_client()
        except InvalidClientError as error:
            error.description = NO_CLIENT
            raise
        return caller


class TokenServer(AuthorizationServer):  # type: ignore[misc] # as above
    """One request's token endpoint; `caller` is who asked, once that was read, and `address` where from."""

    def __init__(self, address: str) -> None:
        super().__init__(scopes_supported=[str(scope) for scope in WORDS])
        self.caller: Caller | None = None
        self.address = address
        self.register_grant(Grant)
        self.register_grant(ExchangeGrant)
        self.register_token_generator("default", BearerTokenGenerator(_sign, None, TOKEN_SECONDS))

    def query_client(self, client_id: str) -> Caller:
        self.caller = _find(client_id)
        return self.caller

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Nothing is kept of a token: it is signed, and its client and secret are looked up at each use."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: HttpRequest) -> OAuth2Request:
        return TokenRequest(request)

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> HttpResponse:
        return HttpResponse(json.dumps(dict(body)), status=status, headers=dict(headers))


def _find(client_id: str) -> Caller:
    try:
        wanted = UUID(client_id)
    except ValueError:
        return Caller()
    tenant_id = api_client_tenant(wanted)
    if tenant_id is None:
        return Caller()
    with open_tenant(tenant_id):
        client = ApiClient.objects.filter(pk=wanted).first()
        live = {"client": wanted, "revoked_at": None}
        return Caller(tenant_id, client, ApiSecret.objects.filter(**live), ClientTrust.objects.filter(**live))


def _sign(client: Caller, scope: str, **_: Any) -> str:
    proof, tenant_id = client.proof, client.tenant_id
    by = proof.trust if proof else client.secret
    if by is None or tenant_id is None:
        raise TypeError("a token is signed for a secret or a trust that was proved")
    scopes = frozenset(Scope(one) for one in scope.split())
    return sign_token(tenant_id=tenant_id, by=by, scopes=scopes, proven=proof.subject if proof else "")
