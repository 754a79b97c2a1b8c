"""Reads IAM and resource policies: who may do what, with an explicit deny over any allow.

    parse(document) -> Policy            text or dict; ValueError if it is no policy (a check then says UNKNOWN)
    denies_plain_http(policy, bucket_arn) -> bool
    public_grants(policy, account_id) -> tuple[Grant, ...]   what anyone at all may do
    external_accounts(policy, account_id) -> tuple[str, ...] other accounts' ids that are let in, sorted
    allows_everything(policy) -> bool    administrator, or able to become one
    allows(policy, action, resource, principal="", context={}) -> bool   one request against this one policy
    covers_world(cidrs) -> bool          these ranges together are the Internet (IPv4 or IPv6)
    Grant.principal, .actions, .resources, .sid; str(grant) reads "anyone may s3:GetObject on arn:aws:s3:::b/*"
    Policy.statements: Statement.effect, .principals, .actions, .resources (Patterns, or None where not written),
    .conditions; Statement.for_anyone, .accounts

No library fits: those for resource policies read no Deny, take conditions as alternatives, count IfExists as a
restriction and know the world only as /0; parliament and policy-sentry check spelling and expand actions;
cloudsplaining reads identity policies only.
Patterns are compared as patterns here, so no list of AWS's actions, which would be out of date, is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from assessments.checks.conditions import (
    Condition,
    Context,
    covers,
    covers_world,
    meets,
    parse_conditions,
)

__all__ = [
    "Condition",
    "Effect",
    "Grant",
    "Patterns",
    "Policy",
    "Principal",
    "Principals",
    "Statement",
    "allows",
    "allows_everything",
    "covers_world",
    "denies_plain_http",
    "external_accounts",
    "parse",
    "public_grants",
]

_ACCOUNT = re.compile(r"(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::.*)?")


class Effect(StrEnum):
    """What a statement does to the requests that it is about."""

    ALLOW = "Allow"
    DENY = "Deny"


class Patterns(NamedTuple):
    """Action or Resource, or negated, NotAction or NotResource."""

    values: tuple[str, ...]
    negated: bool = False

    def cover(self, name: str) -> bool:
        """Whether it is about everything that the name or pattern stands for."""
        if self.negated:
            return not any(meets(value, name) for value in self.values)
        return any(covers(value, name) for value in self.values)

    def touch(self, name: str) -> bool:
        """Whether it is about some of what the name or pattern stands for."""
        if self.negated:
            return not any(covers(value, name) for value in self.values)
        return any(meets(value, name) for value in self.values)

    def __str__(self) -> str:
        listed = ", ".join(self.values)
        return f"everything except {listed}" if self.negated else listed


class Principal(NamedTuple):
    """One entry of Principal: kind is AWS, Service, Federated or CanonicalUser."""

    kind: str
    value: str

    @property
    def account_id(self) -> str:
        """The account that an AWS principal is or belongs to; empty for services and for anyone."""
        found = _ACCOUNT.fullmatch(self.value) if self.kind == "AWS" else None
        return found.group(1) if found else ""

    def admits(self, caller: str) -> bool:
        """Whether a caller (ARN, account id, service name, "*" for an anonymous one) is this principal."""
        if self.value in ("*", caller):
            return True
        account = self.account_id
        whole = account != "" and (self.value == account or self.value.endswith(":root"))
        return whole and account == Principal("AWS", caller).account_id


class Principals(NamedTuple):
    """Principal, or negated, NotPrincipal."""

    values: tuple[Principal, ...]
    negated: bool = False

    def admit(self, caller: str) -> bool:
        """Whether a caller is among them."""
        return any(principal.admits(caller) for principal in self.values) != self.negated


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Actions are in lower case; an element that is not written is None."""

    sid: str
    effect: Effect
    actions: Patterns
    resources: Patterns | None
    principals: Principals | None
    conditions: tuple[Condition, ...]

    @property
    def for_anyone(self) -> bool:
        """Whether, conditions aside, an Allow reaches strangers: a principal "*", or all but some."""
        named = self.principals
        return named is not None and (named.negated or any(one.value == "*" for one in named.values))

    @property
    def for_everyone(self) -> bool:
        """Whether nobody is left out, as a Deny must do to bind all."""
        named = self.principals
        return named is not None and not named.negated and Principal("AWS", "*") in named.values

    @property
    def accounts(self) -> frozenset[str]:
        """The ids of the AWS accounts in Principal, and for Principal "*" those in its conditions."""
        found = set() if self.principals is None else {p.account_id for p in self.principals.values}
        if self.for_anyone:
            found |= {_account_in(value) for condition in self.conditions for value in condition.callers}
        return frozenset(found - {""})

    def is_about(self, action: str, resource: str, caller: str, context: Context) -> bool:
        """Whether it applies to a request. An empty resource or caller is any.

        Where action or resource are patterns: an Allow applies to all that they stand for, a Deny to some of it.
        """
        reach = Patterns.cover if self.effect is Effect.ALLOW else Patterns.touch
        return (
            reach(self.actions, action.lower())
            and (self.resources is None or not resource or reach(self.resources, resource))
            and (self.principals is None or not caller or self.principals.admit(caller))
            and all(condition.holds(context) for condition in self.conditions)
        )


def _account_in(value: str) -> str:
    found = re.fullmatch(r"(?:arn:[^:]*:[^:]*:[^:]*:)?(\d{12})(?::.*)?", value)
    return found.group(1) if found else ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, read."""

    statements: tuple[Statement, ...]

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    @property
    def allowing(self) -> tuple[Statement, ...]:
        """The statements that allow."""
        return tuple(one for one in self.statements if one.effect is Effect.ALLOW)

    @property
    def denying(self) -> tuple[Statement, ...]:
        """The statements that deny."""
        return tuple(one for one in self.statements if one.effect is Effect.DENY)


class Grant(NamedTuple):
    """What a statement lets somebody do."""

    principal: str
    actions: Patterns
    resources: Patterns | None
    sid: str

    def __str__(self) -> str:
        where = f" on {self.resources}" if self.resources else ""
        return f"{self.principal} may {self.actions}{where}"


def parse(document: str | Mapping[str, Any]) -> Policy:
    """Reads a policy document. Raises ValueError where it is not one: nothing is then known of it."""
    return _parse_text(document) if isinstance(document, str) else _parse(document)


@lru_cache(maxsize=8192)
def _parse_text(text: str) -> Policy:
    return _parse(json.loads(text))


def _parse(document: Any) -> Policy:
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("a policy is an object with Statement")
    return Policy(tuple(_statement(one) for one in _listed(document["Statement"])))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _statement(written: Any) -> Statement:
    actions = _patterns(written, "Action") if isinstance(written, Mapping) else None
    if actions is None:
        raise ValueError("a statement is an object with Action or NotAction")
    lowered = ("*" if value == "*:*" else value.lower() for value in actions.values)
    return Statement(
        sid=str(written.get("Sid", "")),
        effect=Effect(written.get("Effect")),
        actions=Patterns(tuple(lowered), actions.negated),
        resources=_patterns(written, "Resource"),
        principals=_principals(written),
        conditions=parse_conditions(written.get("Condition")),
    )


def _either(written: Mapping[str, Any], name: str) -> tuple[Any, bool]:
    """An element's value or that of its negation, and whether it was the negation."""
    if name in written and f"Not{name}" in written:
        raise ValueError(f"a statement has both {name} and Not{name}")
    return written.get(name, written.get(f"Not{name}")), f"Not{name}" in written


def _texts(values: Any, name: str) -> list[str]:
    texts = _listed(values)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} holds something other than text")
    return texts


def _patterns(written: Mapping[str, Any], name: str) -> Patterns | None:
    values, negated = _either(written, name)
    return None if values is None else Patterns(tuple(_texts(values, name)), negated)


def _principals(written: Mapping[str, Any]) -> Principals | None:
    values, negated = _either(written, "Principal")
    if values is None:
        return None
    kinds = values if isinstance(values, Mapping) else {"AWS": values}
    found = [Principal(kind, text) for kind, listed in kinds.items() for text in _texts(listed, "Principal")]
    return Principals(tuple(found), negated)


def denies_plain_http(policy: Policy, bucket_arn: str) -> bool:
    """Whether requests without TLS are denied to everyone, for every action, on the bucket and its objects.

    Statements may share the work. A condition beside aws:SecureTransport narrows a Deny, which then doesn't count.
    A floor on s3:TlsVersion counts with IfExists only: a plain request has no TLS version to be below it.
    """
    binding = [
        one
        for one in policy.denying
        if one.for_everyone and one.actions.cover("s3:*") and all(map(_is_about_plain_http, one.conditions))
    ]
    targets = (bucket_arn, f"{bucket_arn}/*")
    return all(any(one.resources and one.resources.cover(target) for one in binding) for target in targets)


def _is_about_plain_http(condition: Condition) -> bool:
    """Whether it holds for every request without TLS."""
    if condition.key == "aws:securetransport":
        return condition.operator == "bool" and "false" in condition.values
    floor = condition.operator.startswith("numericlessthan") and condition.key == "s3:tlsversion"
    return floor and condition.if_exists


def public_grants(policy: Policy, account_id: str) -> tuple[Grant, ...]:
    """What a resource's policy lets anyone do, unless a condition narrows it or a Deny takes it away.

    Principal "*" narrowed to accounts, an organisation, a VPC (endpoint) or source addresses no wider than /8
    (IPv4) or /32 (IPv6) is not public; whom it admits then stands in external_accounts.
    """
    return tuple(
        Grant("anyone", one.actions, one.resources, one.sid)
        for one in policy.allowing
        if one.for_anyone
        and not any(condition.narrows(account_id) for condition in one.conditions)
        and not _is_taken_away(one, policy, account_id)
    )


def _is_taken_away(allow: Statement, policy: Policy, account_id: str) -> bool:
    """Whether one Deny covers all that the statement allows strangers."""
    return any(
        deny.for_everyone
        and all(condition.spares(account_id) for condition in deny.conditions)
        and _includes(deny.actions, allow.actions)
        and (deny.resources is None or allow.resources is None or _includes(deny.resources, allow.resources))
        for deny in policy.denying
    )


def _includes(outer: Patterns, inner: Patterns) -> bool:
    if inner.negated:
        return outer.cover("*") or (outer.negated and set(outer.values) <= set(inner.values))
    return all(outer.cover(value) for value in inner.values)


def external_accounts(policy: Policy, account_id: str) -> tuple[str, ...]:
    """The ids of other AWS accounts that it lets in, by name or by a condition on Principal "*".

    Whose account a canonical user is cannot be told from a policy, and an organisation is not listed by account.
    """
    found = (
        account
        for one in policy.allowing
        if one.principals is not None and not one.principals.negated
        for account in one.accounts
        if not _is_denied_to(account, one, policy)
    )
    return tuple(sorted(set(found) - {account_id}))


def _is_denied_to(account: str, allow: Statement, policy: Policy) -> bool:
    """Whether an unconditional Deny binds the account in all that the statement allows."""
    return any(
        not deny.conditions
        and deny.principals is not None
        and deny.principals.admit(account)
        and _includes(deny.actions, allow.actions)
        and (deny.resources is None or allow.resources is None or _includes(deny.resources, allow.resources))
        for deny in policy.denying
    )


def allows_everything(policy: Policy) -> bool:
    """Whether its holder is an administrator or can become one.

    That is iam:* on every resource, as part of * or of a NotAction that leaves IAM in, or by itself (with it one
    attaches AdministratorAccess to oneself), unless an unconditional Deny takes iam:* away. Conditions on the
    Allow do not excuse it: whoever meets them has everything.
    """
    return any(_is_about_all(one, "iam:*") for one in policy.allowing) and not any(
        _is_about_all(one, "iam:*") and not one.conditions for one in policy.denying
    )


def _is_about_all(statement: Statement, actions: str) -> bool:
    everywhere = statement.resources is not None and statement.resources.cover("*")
    return everywhere and statement.actions.cover(actions)


def allows(
    policy: Policy, action: str, resource: str = "", principal: str = "", context: Context | None = None
) -> bool:
    """Whether this policy alone allows a request; an explicit deny overrides any allow.

    `principal` is an ARN, an account id, a service's name or "*" (anonymous); an empty resource or principal is
    not looked at. `action` and `resource` may be patterns: then everything they stand for must be allowed.
    `context` holds condition keys in lower case. Raises ValueError where a context value can't be compared.
    """
    request = (action, resource, principal, context or {})
    if any(one.is_about(*request) for one in policy.denying):
        return False
    return any(one.is_about(*request) for one in policy.allowing)
