"""Policy documents and one decision over them: explicit deny over allow over nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from portal.demo.aws.conditions import Context, as_list, condition_holds, wildcard_match

Document = Mapping[str, Any]


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "explicit deny"
    NONE = "implicit deny"


class Request(NamedTuple):
    """What is asked: IAM action (``s3:GetBucketPolicy``), resource ARN or ``*``, condition context."""

    action: str
    resource: str
    context: Context


class Principal(NamedTuple):
    """Who asks. ``arns`` holds every ARN that names the caller: of the role and of its session."""

    account_id: str
    arns: tuple[str, ...]


def load_document(text: str | Document) -> Document:
    """A policy document from its JSON text. :raises ValueError: not a JSON object."""
    return _parse(text) if isinstance(text, str) else text


@lru_cache(maxsize=512)
def _parse(text: str) -> Document:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("a policy document is a JSON object")  # noqa: TRY004 - the text is wrong, not its type
    return document


def statements(document: Document) -> list[Mapping[str, Any]]:
    return as_list(document.get("Statement"))


def _any_action(patterns: Any, action: str) -> bool:
    return any(wildcard_match(action.lower(), str(pattern).lower()) for pattern in as_list(patterns))


def _action_matches(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_action(statement["NotAction"], action)
    return _any_action(statement.get("Action"), action)


def _resource_matches(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(wildcard_match(resource, str(each)) for each in as_list(statement["NotResource"]))
    # A trust policy has no Resource: it speaks of the role that it hangs on.
    return any(wildcard_match(resource, str(each)) for each in as_list(statement.get("Resource", "*")))


def _names(entry: str, principal: Principal) -> bool:
    if entry == "*":
        return True
    if entry == principal.account_id or entry.endswith(f"::{principal.account_id}:root"):
        return True
    # AWS refuses wildcards inside a principal's ARN when the policy is written: no wildcard match here.
    return entry in principal.arns


def _principal_matches(statement: Mapping[str, Any], principal: Principal) -> bool:
    negated = "NotPrincipal" in statement
    written = statement.get("NotPrincipal" if negated else "Principal")
    entries = [written] if written == "*" else as_list((written or {}).get("AWS"))
    return negated != any(_names(str(entry), principal) for entry in entries)


def evaluate(
    documents: Iterable[Document], request: Request, *, principal: Principal | None = None
) -> Effect:
    """Decide over all statements of all documents.

    ``principal`` is given for resource policies (a role's trust policy) and left out for identity policies.

    :raises MalformedCondition: a condition that AWS would have refused.
    """
    found = Effect.NONE
    for document in documents:
        for statement in statements(document):
            if not _action_matches(statement, request.action):
                continue
            if not _resource_matches(statement, request.resource):
                continue
            if principal is not None and not _principal_matches(statement, principal):
                continue
            if not condition_holds(statement.get("Condition") or {}, request.context):
                continue
            if statement.get("Effect") == "Deny":
                return Effect.DENY
            found = Effect.ALLOW
    return found
