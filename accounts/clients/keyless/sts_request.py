"""A signed request to AWS STS as it was handed to us, taken apart and judged before anything is sent.

Whoever can make this server send a request of their own choice can lead it elsewhere, and can bring back an identity
that nobody proved (HashiCorp Vault's CVE-2020-16250, AWS IAM Authenticator's CVE-2022-2385). So nothing is passed on
but what is known: one method, one body, an address of a list, headers of a list, each once. What names this portal
and the nonce must be signed, so that nobody can send on a request that was made for somebody else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.clients.keyless.proofs import LONGEST_PROOF, RefusedProof, Why

MEMBERS = {"url", "method", "headers", "body"}
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
AUDIENCE, NONCE = "x-surety-audience", "x-surety-nonce"
MUST_SIGN = frozenset({"host", "x-amz-date", AUDIENCE, NONCE})
OURS = frozenset({"host", "content-length", "user-agent", "accept-encoding"})
"""Headers that this server writes itself; a signed one must say what it writes."""
PASSED_ON = frozenset({
    "authorization", "content-type", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", AUDIENCE, NONCE,
})  # fmt: skip
CONTENT_TYPE = re.compile(r"application/x-www-form-urlencoded(; ?charset=utf-8)?", re.IGNORECASE)
HOSTS = re.compile(
    r"sts\.amazonaws\.com"
    r"|sts(-fips)?\.(us|eu|ap|sa|ca|me|af|il|mx)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d"
    r"\.amazonaws\.com"
    r"|sts\.us-gov-(east|west)-\d\.amazonaws\.com"
    r"|sts\.cn-(north|northwest)-\d\.amazonaws\.com\.cn"
)
"""AWS's own names for STS: global, regional, GovCloud, China. https://docs.aws.amazon.com/general/latest/gr/sts.html"""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}/\d{8}/[a-z0-9-]{1,32}/sts/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]{1,400}), ?Signature=[0-9a-f]{64}"
)
_VALUE = re.compile(r"[\x20-\x7e]{1,8192}")


@dataclass(frozen=True, slots=True)
class StsRequest:
    """What may be sent to STS. `headers` by lower-case name, without those that are written here."""

    url: str
    headers: Mapping[str, str]
    nonce: str


def read_request(token: str) -> StsRequest:
    """The request in a subject token: base64url of JSON with url, method, headers and body. Raises RefusedProof."""
    said = _decoded(token)
    url, headers = said["url"], _headers(said["headers"])
    if not isinstance(url, str) or not is_sts(url):
        raise RefusedProof(Why.URL, "The address isn't one of AWS STS.", url=url)
    if said["method"] != "POST" or said["body"] != BODY:
        raise RefusedProof(Why.ACTION, f"The request must be a POST of {BODY}")
    _check_signed(url, headers)
    if headers[AUDIENCE] != settings.SITE_URL.rstrip("/"):
        raise RefusedProof(Why.AUDIENCE, f"{AUDIENCE} names another portal.", audience=headers[AUDIENCE])
    passed = {name: value for name, value in headers.items() if name in PASSED_ON}
    return StsRequest(url, passed, headers[NONCE])


def is_sts(url: str) -> bool:
    """Whether it is exactly an address of STS: AWS's, or where the operator says that AWS is."""
    if settings.STS_ENDPOINT_URL:
        return url.rstrip("/") == settings.STS_ENDPOINT_URL.rstrip("/")
    host = url.removeprefix("https://").removesuffix("/")
    return url.startswith("https://") and HOSTS.fullmatch(host) is not None


def _decoded(token: str) -> dict[str, Any]:
    said: object = None
    with suppress(ValueError, RecursionError):
        raw = base64.b64decode(token[:LONGEST_PROOF] + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        said = json.loads(raw)
    if len(token) > LONGEST_PROOF or not isinstance(said, dict) or set(said) != MEMBERS:
        raise RefusedProof(
            Why.MALFORMED, "The proof is base64url of JSON with url, method, headers and body alone."
        )
    return said


def _headers(given: object) -> dict[str, str]:
    """By lower-case name, each once: two of a name let signer and sender mean different ones."""
    if not isinstance(given, dict):
        raise RefusedProof(Why.MALFORMED, "headers is an object.")
    found: dict[str, str] = {}
    for name, value in given.items():
        key = name.lower()
        if key in found or not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise RefusedProof(Why.HEADER, "Give each header once, as printable ASCII.", header=name)
        found[key] = value
    return found


def _check_signed(url: str, headers: Mapping[str, str]) -> None:
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise RefusedProof(Why.HEADER, "Authorization must be of Signature Version 4, for STS.")
    signed = set(found[1].split(";"))
    missing = sorted(
        name for name in MUST_SIGN if name not in signed or (name not in headers and name != "host")
    )
    if missing:
        raise RefusedProof(
            Why.HEADER, f"These headers must be there and signed: {', '.join(missing)}.", missing=missing
        )
    unknown = sorted(signed - PASSED_ON - OURS)
    if unknown:
        raise RefusedProof(
            Why.HEADER, f"These headers can't be passed on: {', '.join(unknown)}.", unknown=unknown
        )
    written = {
        "host": urlsplit(url).netloc, "content-length": str(len(BODY)), "user-agent": "Surety",
        "accept-encoding": "identity",
    }  # fmt: skip
    if any(headers.get(name, value) != value for name, value in written.items() if name in signed):
        raise RefusedProof(Why.HEADER, "A signed header says otherwise than what is sent.")
    if not CONTENT_TYPE.fullmatch(headers.get("content-type", "application/x-www-form-urlencoded")):
        raise RefusedProof(Why.HEADER, "The body is a form: application/x-www-form-urlencoded.")
