"""sts:AssumeRole and sts:GetCallerIdentity, with the trust policy evaluated as AWS does (moto never does)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portal.demo.aws.authorize import layers_of, request_context, role_named
from portal.demo.aws.callers import Caller, CallerBook, Session
from portal.demo.aws.policy import Document, Effect, Request, evaluate, load_document
from portal.demo.aws.wire import AwsError, Call

_ROLE_ARN = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]{1,64})$")
_EXTERNAL_ID = re.compile(r"^[\w+=,.@:/-]{2,1224}$")
_SESSION_NAME = re.compile(r"^[\w+=,.@-]{2,64}$")
_MAX_CHAINED_SECONDS = 3600


def get_caller_identity(caller: Caller) -> dict[str, str]:
    return {"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn}


def _invalid(message: str) -> AwsError:
    return AwsError(400, "ValidationError", message)


def _validate(params: Mapping[str, Any]) -> tuple[str, str]:
    arn = _ROLE_ARN.match(params.get("RoleArn", ""))
    if arn is None:
        raise _invalid(f"{params.get('RoleArn')} is invalid")
    if not _SESSION_NAME.match(params.get("RoleSessionName", "")):
        raise _invalid("1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint")
    if "ExternalId" in params and not _EXTERNAL_ID.match(params["ExternalId"]):
        raise _invalid("1 validation error detected: Value at 'externalId' failed to satisfy constraint")
    if not 900 <= int(params.get("DurationSeconds", 3600)) <= 43200:
        raise _invalid("1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint")
    return arn.group(1), arn.group(2)


def _tags(params: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}


def _context(call: Call, caller: Caller) -> dict[str, tuple[str, ...]]:
    params = call.params
    context = request_context(caller, call.region, call.environ.get("REMOTE_ADDR", "127.0.0.1"))
    for key, name in (
        ("sts:externalid", "ExternalId"),
        ("sts:rolesessionname", "RoleSessionName"),
        ("sts:sourceidentity", "SourceIdentity"),
    ):
        if params.get(name):
            context[key] = (params[name],)
    tags = _tags(params)
    context.update({f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()})
    if tags:
        context["aws:tagkeys"] = tuple(tags)
    if params.get("TransitiveTagKeys"):
        context["sts:transitivetagkeys"] = tuple(params["TransitiveTagKeys"])
    return context


def _actions(params: Mapping[str, Any]) -> list[str]:
    actions = ["sts:AssumeRole"]
    if params.get("SourceIdentity"):
        actions.append("sts:SetSourceIdentity")
    if params.get("Tags"):
        actions.append("sts:TagSession")
    return actions


def _refused(caller: Caller, action: str, arn: str, reason: str = "") -> AwsError:
    message = f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}{reason}"
    return AwsError(403, "AccessDenied", message)


def _names_itself(document: Document, request: Request, caller: Caller) -> bool:
    """Whether the trust policy allows by naming the caller, not merely its account's root."""
    nobody = caller.principal._replace(account_id="-")
    return evaluate([document], request, principal=nobody) is Effect.ALLOW


def _check_side_of_caller(
    caller: Caller, request: Request, *, trusted_by_name: bool, scp: Document | None
) -> None:
    """Cross-account, and for a trust in the account as a whole, the caller's own policies must allow too."""
    if caller.unrestricted:
        return
    same_account = request.resource.split(":")[4] == caller.account_id
    for layer in layers_of(caller, scp):
        effect = evaluate(layer.documents, request)
        if effect is Effect.DENY:
            reason = f" with an explicit deny in {layer.article} {layer.name}"
            raise _refused(caller, request.action, request.resource, reason)
        if effect is Effect.NONE and not (same_account and trusted_by_name):
            raise _refused(caller, request.action, request.resource)


def assume_role(call: Call, caller: Caller, book: CallerBook, *, scp: Document | None) -> dict[str, Any]:
    """Answer sts:AssumeRole. ``scp`` is the service control policy of the caller's account.

    A role that does not exist gets the same refusal as one that does not trust the caller, as from AWS.

    :raises AwsError: ValidationError, MalformedPolicyDocument or AccessDenied.
    """
    account_id, role_name = _validate(call.params)
    arn = call.params["RoleArn"]
    role = role_named(account_id, role_name)
    if role is None or role.arn != arn:
        raise _refused(caller, "sts:AssumeRole", arn)
    trust = load_document(role.assume_role_policy_document)
    context = _context(call, caller)
    for action in _actions(call.params):
        request = Request(action, arn, context)
        effect = evaluate([trust], request, principal=caller.principal)
        if effect is Effect.DENY:
            raise _refused(caller, action, arn, " with an explicit deny in a resource-based policy")
        if effect is Effect.NONE:
            raise _refused(caller, action, arn)
        by_name = _names_itself(trust, request, caller)
        _check_side_of_caller(caller, request, trusted_by_name=by_name, scp=scp)
    return _answer(_open_session(call, caller, book, role), role)


def _session_policy(params: Mapping[str, Any]) -> Document | None:
    text = params.get("Policy")
    if not text:
        return None
    try:
        return load_document(text)
    except ValueError as error:
        raise AwsError(
            400, "MalformedPolicyDocument", "The policy is not in the valid JSON format."
        ) from error


def _open_session(call: Call, caller: Caller, book: CallerBook, role: Any) -> Session:
    params = call.params
    duration = int(params.get("DurationSeconds") or 3600)
    limit = _MAX_CHAINED_SECONDS if caller.session else int(role.max_session_duration or 3600)
    if duration > limit:
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    chained = caller.session.source_identity if caller.session else None
    return book.open_session(
        account_id=role.account_id,
        role_name=role.name,
        role_arn=role.arn,
        name=params["RoleSessionName"],
        source_identity=params.get("SourceIdentity") or chained,
        policy=_session_policy(params),
        tags=_tags(params),
        duration=duration,
    )


def _answer(session: Session, role: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expires_at,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{role.id}:{session.name}", "Arn": session.arn},
    }
    if session.source_identity:
        answer["SourceIdentity"] = session.source_identity
    return answer


def mark_role_used(session: Session, region: str, when: Any) -> None:
    """Keep IAM's RoleLastUsed, which moto leaves empty."""
    role = role_named(session.account_id, session.role_name)
    if role is not None:
        role.last_used, role.last_used_region = when, region
