"""SAML 2.0 as a service provider, by python3-saml: begun here alone, signed assertions alone.

python3-saml verifies signature, times, issuer and schema. What it leaves to choice is demanded here: an audience,
a recipient and a request that are exactly ours. Knows no database; nothing is fetched here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from accounts.errors import InvalidInput
from accounts.outbound import check_url
from accounts.sso.facts import SKEW, Asserted, RefusedAssertion, words
from accounts.sso.saml_document import ASSERTION, Element, decode, parse, read_response

NAME_ID = "NameID"
SMALLEST_RSA_BITS = 2048
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_NAMES = (
    "displayName",
    "name",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "urn:oid:2.16.840.1.113730.3.1.241",
)
"""Where providers put a person's name."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who talks to whom: our entity ID and ACS address, the provider's entity ID, address and certificates."""

    entity_id: str
    acs: str
    issuer: str
    sign_in_url: str
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A request: where to send the browser, and the ID that the answer must name."""

    url: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Verified:
    """An answer that holds: what it says, and what keeps it from being sent again."""

    asserted: Asserted
    assertion_id: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider's metadata say of it. `certificates` are base64 DER."""

    issuer: str
    sign_in_url: str
    certificates: tuple[str, ...]


def begin(parties: Parties, *, again: bool = False) -> Begun:
    """A request by redirect. `again` asks the provider to let the person prove themselves anew (ForceAuthn)."""
    auth = OneLogin_Saml2_Auth(_request(parties, {}), _settings(parties))
    return Begun(auth.login(return_to="", force_authn=again), auth.get_last_request_id())


def request_of(encoded: str) -> str:
    """The ID of the request that a response says to answer; nothing else of it is believed yet.

    Raises RefusedAssertion for what can't be read or names none.
    """
    said: str = parse(decode(encoded)).get("InResponseTo", "")
    if not said:
        raise RefusedAssertion("The sign-in must begin here, not at the provider.")
    return said


def verify(
    parties: Parties,
    encoded: str,
    *,
    request_id: str,
    email_attribute: str,
    groups_attribute: str,
    now: datetime,
) -> Verified:
    """What a response asserts, once everything about it holds. Raises RefusedAssertion."""
    root = read_response(encoded)
    auth = OneLogin_Saml2_Auth(_request(parties, {"SAMLResponse": encoded}), _settings(parties))
    try:
        auth.process_response(request_id=request_id)
    except (OneLogin_Saml2_Error, ValueError) as error:
        raise RefusedAssertion("The SAML response can't be read.") from error
    if auth.get_errors() or not auth.is_authenticated():
        raise RefusedAssertion(f"The SAML response doesn't hold: {_reason(auth)}.")
    assertion = root.find(f"{ASSERTION}Assertion")
    ends_at = _require_ours(root, assertion, parties, request_id, now)
    return Verified(
        _asserted(auth, assertion, email_attribute, groups_attribute), assertion.get("ID"), ends_at
    )


def our_metadata(parties: Parties) -> bytes:
    """This portal's own metadata as a service provider, for one provider."""
    settings = OneLogin_Saml2_Settings(_settings(parties), sp_validation_only=True)
    said: str | bytes = settings.get_sp_metadata()
    return said.encode() if isinstance(said, str) else said


def read_metadata(document: bytes) -> ProviderMetadata:
    """The provider of a metadata document. Raises InvalidInput, which names the field `metadata`."""
    try:
        parse(document)
        said = OneLogin_Saml2_IdPMetadataParser.parse(document).get("idp", {})
    except (RefusedAssertion, ValueError) as error:
        raise InvalidInput(f"The metadata can't be read. {error}", field="metadata") from error
    certificates = said.get("x509certMulti", {}).get("signing") or [said.get("x509cert", "")]
    found = ProviderMetadata(
        str(said.get("entityId") or ""),
        str(said.get("singleSignOnService", {}).get("url") or ""),
        tuple(checked_certificate(one) for one in certificates if one),
    )
    if not found.issuer or not found.sign_in_url or not found.certificates:
        raise InvalidInput(
            "The metadata lack an entity ID, an HTTP-Redirect sign-in address, or a certificate.",
            field="metadata",
        )
    check_url(found.sign_in_url)
    return found


def checked_certificate(text: str) -> str:
    """A certificate as base64 DER. Raises InvalidInput for none, or a key that is too weak."""
    der = "".join(line for line in text.split() if "-----" not in line and line not in {"BEGIN", "END"})
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(der, validate=True)).public_key()
    except ValueError as error:
        raise InvalidInput("A certificate can't be read.", field="metadata") from error
    strong = isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA_BITS
    if not strong and not isinstance(key, EllipticCurvePublicKey):
        raise InvalidInput(
            "A certificate's key must be RSA with 2048 bits or more, or ECDSA.", field="metadata"
        )
    return der


def certificate_end(der: str) -> datetime:
    """When a certificate ends."""
    return x509.load_der_x509_certificate(base64.b64decode(der)).not_valid_after_utc


def _settings(parties: Parties) -> dict[str, Any]:
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": parties.entity_id,
            "assertionConsumerService": {"url": parties.acs, "binding": Names.BINDING_HTTP_POST},
            "NameIDFormat": Names.NAMEID_UNSPECIFIED,
        },
        "idp": {
            "entityId": parties.issuer,
            "singleSignOnService": {"url": parties.sign_in_url, "binding": Names.BINDING_HTTP_REDIRECT},
            "x509certMulti": {"signing": list(parties.certificates)},
        },
        "security": {
            "wantAssertionsSigned": True, "wantAttributeStatement": False, "requestedAuthnContext": False,
            "rejectDeprecatedAlgorithm": True, "allowSingleLabelDomains": True, "signatureAlgorithm": Names.RSA_SHA256,
        },
    }  # fmt: skip


def _request(parties: Parties, form: Mapping[str, str]) -> dict[str, Any]:
    """The request as python3-saml compares it: at our own address as configured, never as a header says."""
    parts = urlsplit(parties.acs)
    https = "on" if parts.scheme == "https" else "off"
    return {
        "https": https,
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": dict(form),
    }


def _require_ours(
    root: Element, assertion: Element, parties: Parties, request_id: str, now: datetime
) -> datetime:
    """Demands what python3-saml accepts when it is left out. Returns when the assertion ends."""
    audiences = [node.text for node in assertion.iter(f"{ASSERTION}Audience")]
    if audiences != [parties.entity_id]:
        raise RefusedAssertion("The assertion must be for this portal alone (Audience).")
    if root.get("InResponseTo") != request_id:
        raise RefusedAssertion("The SAML response answers another request.")
    if root.get("Destination", parties.acs) != parties.acs:
        raise RefusedAssertion("The SAML response was made for another address (Destination).")
    confirmations = list(assertion.iter(f"{ASSERTION}SubjectConfirmation"))
    data = list(assertion.iter(f"{ASSERTION}SubjectConfirmationData"))
    if len(confirmations) != 1 or len(data) != 1 or confirmations[0].get("Method") != Names.CM_BEARER:
        raise RefusedAssertion("The assertion must have one bearer confirmation.")
    if data[0].get("Recipient") != parties.acs or data[0].get("InResponseTo") != request_id:
        raise RefusedAssertion(
            "The assertion was made for another address or request (Recipient, InResponseTo)."
        )
    conditions = assertion.find(f"{ASSERTION}Conditions")
    ends = [_instant(node.get("NotOnOrAfter")) for node in (data[0], conditions)]
    if any(end is None or end + SKEW <= now for end in ends):
        raise RefusedAssertion("The assertion must say when it ends, and not have ended.")
    return max(end for end in ends if end)


def _asserted(auth: Any, assertion: Element, email_attribute: str, groups_attribute: str) -> Asserted:
    if auth.get_nameid_format() == _TRANSIENT or not auth.get_nameid():
        raise RefusedAssertion("The assertion needs a NameID that stays the same (persistent or e-mail).")
    attributes = {**auth.get_friendlyname_attributes(), **auth.get_attributes()}
    subject = auth.get_nameid()
    said = words(attributes.get(email_attribute)) if email_attribute else (subject,)
    statement = assertion.find(f"{ASSERTION}AuthnStatement")
    names = [name for key in _NAMES for name in words(attributes.get(key))]
    return Asserted(
        subject=subject,
        email=said[0] if len(said) == 1 else "",
        name=names[0][:200] if names else "",
        groups=words(attributes.get(groups_attribute)) if groups_attribute else (),
        methods=words(auth.get_last_authn_contexts()),
        authenticated_at=_instant(statement.get("AuthnInstant")) if statement is not None else None,
    )


def _instant(said: str | None) -> datetime | None:
    if not said:
        return None
    try:
        return datetime.fromtimestamp(OneLogin_Saml2_Utils.parse_SAML_to_time(said), UTC)
    except ValueError as error:
        raise RefusedAssertion("The assertion names a time that can't be read.") from error


def _reason(auth: Any) -> str:
    said = str(auth.get_last_error_reason() or "it was refused")
    return "".join(sign for sign in said if sign.isprintable())[:300].rstrip(".")
