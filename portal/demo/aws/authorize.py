"""What an IAM caller may do: its identity policies, cut down by boundary, session and organisation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from moto.iam.models import Group, Role, User

from portal.demo.aws.actions import NEEDS_NO_PERMISSION
from portal.demo.aws.callers import Caller, CallerKind, iam_of
from portal.demo.aws.conditions import Context
from portal.demo.aws.policy import Document, Effect, Request, evaluate, load_document
from portal.demo.aws.wire import Call

Holder = User | Role | Group


class Layer(NamedTuple):
    """One set of policies that must allow: its documents, and AWS's name for it with its article."""

    documents: list[Document]
    name: str
    article: str = "a"


def role_named(account_id: str, name: str) -> Any | None:
    return next((role for role in list(iam_of(account_id).roles.values()) if role.name == name), None)


def _managed_document(policy: Any) -> Document:
    return load_document(next(each.document for each in policy.versions if each.is_default))


def _documents_of(holder: Holder) -> Iterator[Document]:
    yield from (load_document(text) for text in list(holder.policies.values()))
    yield from (_managed_document(policy) for policy in list(holder.managed_policies.values()))


def _identity_documents(caller: Caller) -> list[Document]:
    backend = iam_of(caller.account_id)
    if caller.kind is CallerKind.ROLE:
        role = role_named(caller.account_id, caller.name)
        return [] if role is None else list(_documents_of(role))
    documents = list(_documents_of(backend.users[caller.name]))
    for group in backend.get_groups_for_user(caller.name):
        documents.extend(_documents_of(group))
    return documents


def _boundary_documents(caller: Caller) -> list[Document] | None:
    role = role_named(caller.account_id, caller.name) if caller.kind is CallerKind.ROLE else None
    arn = getattr(role, "permissions_boundary_arn", None)
    if arn is None:
        return None
    policy = iam_of(caller.account_id).managed_policies.get(arn)
    return [] if policy is None else [_managed_document(policy)]


def layers_of(caller: Caller, service_control_policy: Document | None) -> list[Layer]:
    """Every set that has a say about this caller, in the order in which AWS blames them."""
    layers = []
    if service_control_policy is not None:
        layers.append(Layer([service_control_policy], "service control policy"))
    layers.append(Layer(_identity_documents(caller), "identity-based policy", "an"))
    boundary = _boundary_documents(caller)
    if boundary is not None:
        layers.append(Layer(boundary, "permissions boundary"))
    if caller.session is not None and caller.session.policy is not None:
        layers.append(Layer([caller.session.policy], "session policy"))
    return layers


def request_context(caller: Caller, region: str, source_ip: str) -> dict[str, tuple[str, ...]]:
    """The global condition keys of a request. The stand-in speaks HTTP for what is TLS at AWS."""
    now = datetime.now(UTC)
    context: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:principalaccount": (caller.account_id,),
        "aws:principalarn": (caller.principal.arns[0],),
        "aws:principaltype": ("AssumedRole" if caller.session else "User",),
        "aws:requestedregion": (region,),
        "aws:securetransport": ("true",),
        "aws:sourceip": (source_ip,),
        "aws:userid": (caller.user_id,),
        "aws:viaawsservice": ("false",),
    }
    if caller.session is None:
        context["aws:username"] = (caller.name,)
    elif caller.session.source_identity is not None:
        context["aws:sourceidentity"] = (caller.session.source_identity,)
    return context


def resource_of(call: Call) -> str:
    """The ARN that the call addresses where its parameters tell it, else ``*``."""
    if call.service == "s3":
        bucket, key = call.uri_params.get("Bucket"), call.uri_params.get("Key")
        if bucket:
            return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
        return "*"
    if not call.body or b"arn" not in call.body:
        return "*"
    named = (value for value in call.params.values() if isinstance(value, str) and value.startswith("arn:"))
    return next(named, "*")


def refusal(
    call: Call, caller: Caller, *, context: Context, service_control_policy: Document | None
) -> str | None:
    """AWS's sentence refusing the call, or None when every layer allows it."""
    if caller.unrestricted or call.action in NEEDS_NO_PERMISSION:
        return None
    request = Request(call.action, resource_of(call), context)
    verdicts = [
        (layer, evaluate(layer.documents, request)) for layer in layers_of(caller, service_control_policy)
    ]
    for layer, effect in verdicts:
        if effect is Effect.DENY:
            return _sentence(caller, request, f"with an explicit deny in {layer.article} {layer.name}")
    for layer, effect in verdicts:
        if effect is Effect.NONE:
            reason = f"because no {layer.name} allows the {request.action} action"
            return _sentence(caller, request, reason)
    return None


def _sentence(caller: Caller, request: Request, reason: str) -> str:
    on_resource = "" if request.resource == "*" else f" on resource: {request.resource}"
    return f"User: {caller.arn} is not authorized to perform: {request.action}{on_resource} {reason}"


def ordered_refusal(call: Call, caller: Caller, *, explicit: bool) -> str:
    """The sentence of a denial that a test ordered: by a service control policy, or for want of an allow."""
    reason = (
        "with an explicit deny in a service control policy"
        if explicit
        else f"because no identity-based policy allows the {call.action} action"
    )
    return _sentence(caller, Request(call.action, resource_of(call), {}), reason)
