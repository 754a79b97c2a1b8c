"""A signed sts:GetCallerIdentity request as a proof: AWS itself says whose signature it is.

As HashiCorp Vault's AWS auth (iam) and AWS IAM Authenticator do it: we send what the client signed, and believe the
answer's account and ARN. The client's keys never come here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.conf import settings

from accounts import outbound
from accounts.clients.keyless.nonces import check_nonce, spend_nonce
from accounts.clients.keyless.patterns import matches
from accounts.clients.keyless.proofs import Proof, RefusedProof, Why
from accounts.clients.keyless.sts_request import BODY, StsRequest, read_request
from accounts.errors import InvalidInput, Unavailable
from accounts.models import ClientTrust

SECONDS, LONGEST_ANSWER = 5.0, 64 << 10
OK, TOO_MANY, BROKEN = 200, 429, 500
_NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_ROLE = re.compile(
    r"arn:(aws|aws-us-gov|aws-cn):sts::(\d{12}):assumed-role/([\w+=,.@-]{1,64})/[\w+=,.@-]{2,64}", re.ASCII
)
_USER = re.compile(r"arn:(?:aws|aws-us-gov|aws-cn):iam::(\d{12}):user/[\w+=,.@/-]{1,576}", re.ASCII)
_CODE = re.compile(rb"<Code>([A-Za-z.]{1,60})</Code>")


class Identity(NamedTuple):
    """Who AWS says signed. `principal` is the role where `arn` is a session of one, else the user."""

    account: str
    arn: str
    principal: str


def prove_caller(trusts: Sequence[ClientTrust], token: str) -> Proof:
    """Who AWS says signed the request. The nonce is used up by asking AWS. Raises RefusedProof."""
    request = read_request(token)
    check_nonce(request.nonce)
    spend_nonce(request.nonce)
    caller = _identity(_ask(request))
    of_account = [trust for trust in trusts if trust.account == caller.account]
    if not of_account:
        raise RefusedProof(
            Why.ACCOUNT, "The client trusts another AWS account.", account=caller.account, arn=caller.arn
        )
    for trust in of_account:
        if matches(trust.arn, caller.principal):
            return Proof(trust, caller.arn, {"account": caller.account})
    raise RefusedProof(
        Why.ARN, "The client doesn't trust this role or user.", account=caller.account, arn=caller.arn
    )


def _ask(request: StsRequest) -> bytes:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    try:
        answer = outbound.fetch(
            request.url, method="POST", headers={**form, **request.headers}, content=BODY.encode(),
            limit=LONGEST_ANSWER, seconds=SECONDS, judged=not settings.STS_ENDPOINT_URL,
        )  # fmt: skip
    except (InvalidInput, Unavailable) as error:
        raise RefusedProof(Why.UNREACHABLE, "AWS doesn't answer now: sign another request.") from error
    if answer.status == TOO_MANY or answer.status >= BROKEN:
        raise RefusedProof(
            Why.UNREACHABLE, "AWS doesn't answer now: sign another request.", status=answer.status
        )
    if answer.status != OK:
        code = _CODE.search(answer.body)
        said = code[1].decode() if code else str(answer.status)
        raise RefusedProof(Why.AWS, f"AWS refused the request: {said}.", code=said)
    return answer.body


def _identity(body: bytes) -> Identity:
    """By the one form that STS's answer has; anything else, though it held an ARN somewhere, is none."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise RefusedProof(Why.AWS, "AWS's answer can't be read.") from error
    result = root.findall(f"{_NAMESPACE}GetCallerIdentityResult")
    if root.tag != f"{_NAMESPACE}GetCallerIdentityResponse" or len(result) != 1:
        raise RefusedProof(Why.AWS, "AWS's answer is none to GetCallerIdentity.")
    arn, account = (result[0].findtext(f"{_NAMESPACE}{name}") or "" for name in ("Arn", "Account"))
    role, user = _ROLE.fullmatch(arn), _USER.fullmatch(arn)
    if role and role[2] == account:
        return Identity(account, arn, f"arn:{role[1]}:iam::{account}:role/{role[3]}")
    if user and user[1] == account:
        return Identity(account, arn, arn)
    raise RefusedProof(Why.ARN, "Only roles and users are let in.", account=account, arn=arn)
