"""What a network ACL lets in: the first rule that matches decides (VPC User Guide, network ACL rules)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assessments.checks.policy import covers_world
from evidence.types import Json

_TCP = ("-1", "6", "tcp")
_WORLD = ("0.0.0.0/0", "::/0")


def lets_world_in(entries: Sequence[Json], port: int) -> bool | None:
    """Whether most of the internet may send TCP to a port; None where the rules don't say."""
    inbound = [entry for entry in entries if entry.get("Egress") is not True]
    rules = sorted(inbound, key=lambda entry: entry.get("RuleNumber", 0))
    answers = [
        _family_in([rule for rule in rules if field in rule], field, port)
        for field in ("CidrBlock", "Ipv6CidrBlock")
    ]
    if True in answers:
        return True
    return None if None in answers or any(map(_is_vague, inbound)) else False


def _is_vague(entry: Json) -> bool:
    whole = {"Egress", "RuleNumber", "Protocol", "RuleAction"} <= entry.keys()
    return not whole or not ("CidrBlock" in entry or "Ipv6CidrBlock" in entry)


def _family_in(rules: Iterable[Json], field: str, port: int) -> bool | None:
    allowed: list[str] = []
    for rule in rules:
        matches = _matches(rule, port)
        if matches is None:
            return None
        if matches and rule.get("RuleAction") == "allow":
            allowed.append(rule[field])
            if rule[field] in _WORLD or covers_world(allowed):
                return True
        elif matches and rule[field] in _WORLD:
            return False
    return False


def _matches(rule: Json, port: int) -> bool | None:
    protocol = rule.get("Protocol")
    if protocol == "-1" or protocol is None:
        return True if protocol else None
    if protocol not in _TCP:
        return False
    span = rule.get("PortRange") or {}
    if "From" not in span or "To" not in span:
        return None
    return bool(span["From"] <= port <= span["To"])
