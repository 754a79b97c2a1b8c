"""The exchange of a proof for a token (RFC 8693), as a grant of Authlib's."""

from __future__ import annotations

from typing import Any, ClassVar

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import BaseGrant, InvalidClientError, InvalidRequestError, TokenEndpointMixin
from django.conf import settings
from django.utils import timezone

from accounts.clients.keyless.proofs import RefusedProof, Why
from accounts.clients.tokens import check_address
from accounts.errors import Forbidden
from accounts.models import TrustKind

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (a name)
AWS_REQUEST = "urn:surety:token-type:aws-sts-request"
KINDS = {
    AWS_REQUEST: TrustKind.AWS,
    "urn:ietf:params:oauth:token-type:jwt": TrustKind.OIDC,
    "urn:ietf:params:oauth:token-type:id_token": TrustKind.OIDC,
}
"""What a proof can be."""


class UnavailableError(OAuth2Error):  # type: ignore[misc] # Authlib has no types
    """Whoever vouches doesn't answer now."""

    error = "temporarily_unavailable"
    status_code = 503


class InvalidTargetError(OAuth2Error):  # type: ignore[misc] # as above
    """The token is wanted for another server (RFC 8693 section 2.2.2)."""

    error = "invalid_target"


class ExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc] # as above
    GRANT_TYPE: ClassVar[str] = GRANT_TYPE

    def validate_token_request(self) -> None:
        """Raises OAuth2Error, whose error is `invalid_request` for a proof that isn't taken (section 2.2.2)."""
        given = {name: values[0] for name, values in self.request.form.lists()}
        if any(len(values) > 1 for _, values in self.request.form.lists()):
            raise InvalidRequestError("Give each parameter once.")
        caller = self.server.query_client(given.get("client_id", ""))
        if caller.client is None or not caller.client.is_live(timezone.now()):
            raise InvalidClientError("There is no such client, or it is over.")
        self.request.client = caller
        caller.get_allowed_scope(given.get("scope"))
        _check_wishes(given)
        try:
            check_address(caller.client, self.server.address)
        except Forbidden as error:
            raise InvalidRequestError("The client may not be used from here.") from error
        try:
            caller.prove(KINDS[given["subject_token_type"]], given.get("subject_token", ""))
        except RefusedProof as refused:
            caller.refused = refused
            kind = UnavailableError if refused.why is Why.UNREACHABLE else InvalidRequestError
            raise kind(str(refused)) from refused

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """The usual token, and what kind it is."""
        token = self.generate_token(scope=self.request.payload.scope, include_refresh_token=False)
        return 200, {**token, "issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER


def _check_wishes(given: dict[str, str]) -> None:
    if given.get("subject_token_type") not in KINDS:
        raise InvalidRequestError(f"subject_token_type is one of {', '.join(KINDS)}.")
    if given.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN or "actor_token" in given:
        raise InvalidRequestError("Only access tokens are given, and nobody acts for another.")
    ours = settings.SITE_URL.rstrip("/")
    for name in ("audience", "resource"):
        if given.get(name, ours).rstrip("/") != ours:
            raise InvalidTargetError("Tokens are for this portal alone.")
