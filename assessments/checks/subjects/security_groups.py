"""Security groups and the ports that they open to the internet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from assessments.checks.base import Resource, Verdict, failed, passed, unknown
from assessments.checks.policy import covers_world
from assessments.checks.subjects.ec2 import arn
from evidence.types import Json, Seen

_LAST_PORT = 65535
_PROTOCOLS = {"-1": "all", "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_TOO_FEW_V4 = 2**30
_TOO_FEW_V6 = 2**123


class Ports(NamedTuple):
    """A span of ports; protocol is tcp, udp or all."""

    protocol: str
    first: int = 0
    last: int = _LAST_PORT

    @property
    def everything(self) -> bool:
        """Whether every port is in it."""
        return self.first <= 1 and self.last >= _LAST_PORT

    def __str__(self) -> str:
        if self.everything:
            return "all traffic" if self.protocol == "all" else f"all {self.protocol} ports"
        span = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {span}"


class _Rule(NamedTuple):
    ports: Ports
    cidrs: tuple[str, ...]
    doubt: str = ""


def groups(seen: Seen) -> Iterator[Resource]:
    """The account's security groups, as AWS lists them."""
    for row in seen["vpc"].items("DescribeSecurityGroups", "SecurityGroups"):
        if row.get("OwnerId", seen.account_id) == seen.account_id:
            name = row.get("GroupId") or ""
            yield Resource(arn(seen, "security-group", name), name, "security-group", seen.region, row)


def groups_with_openings(seen: Seen) -> Iterator[Resource]:
    """Groups with `Open` (Ports that anybody may reach) and `Doubts` (Ports that somebody unknown may, and why)."""
    for group in groups(seen):
        rules = list(_rules(group.data.get("IpPermissions")))
        doubts = sorted((rule.ports, rule.doubt) for rule in rules if rule.doubt)
        yield group._replace(data={"Open": sorted(set(_open(rules))), "Doubts": doubts})


def judge_ports(ports: Mapping[int, str]) -> Callable[[Resource, Seen], Verdict]:
    """A judge that fails groups which open one of the ports, given with what listens there, to the world."""

    def judge(group: Resource, _seen: Seen) -> Verdict:
        spans: list[Ports] = group.data["Open"]
        found = (
            [port for port in ports if any(span.first <= port <= span.last for span in spans)]
            if spans
            else []
        )
        if found:
            return failed(
                "open to the world: " + ", ".join(f"{port} ({ports[port]})" for port in sorted(found))
            )
        for span, why in group.data["Doubts"]:
            if any(span.first <= port <= span.last for port in ports):
                return unknown(f"{span} is open to {why}")
        return passed("not open to the world")

    return judge


def _rules(permissions: Iterable[Json] | None) -> Iterator[_Rule]:
    if permissions is None:
        yield _Rule(Ports("all"), (), "senders that AWS did not list")
        return
    for permission in permissions:
        protocol = permission.get("IpProtocol")
        if protocol is None:
            yield _Rule(Ports("all"), (), "a protocol that AWS did not name")
        elif protocol in _PROTOCOLS:
            yield _rule(permission, _PROTOCOLS[protocol])


def _rule(permission: Json, protocol: str) -> _Rule:
    first, last = permission.get("FromPort"), permission.get("ToPort")
    unsaid = protocol != "all" and (first is None or last is None)
    whole = protocol == "all" or unsaid or -1 in (first, last)
    ports = Ports(protocol) if whole else Ports(protocol, int(first or 0), int(last or 0))
    v4, v6 = permission.get("IpRanges"), permission.get("Ipv6Ranges")
    cidrs = [row.get("CidrIp") for row in v4 or ()] + [row.get("CidrIpv6") for row in v6 or ()]
    lists = [str(row.get("PrefixListId", "unnamed")) for row in permission.get("PrefixListIds") or ()]
    doubt = f"the prefix lists {', '.join(sorted(lists))}" if lists else ""
    if unsaid or v4 is None or v6 is None or not all(map(_is_range, cidrs)):
        doubt = "senders or on ports that AWS did not list"
    return _Rule(ports, () if unsaid else tuple(filter(_is_range, cidrs)), doubt)


def _is_range(cidr: str | None) -> bool:
    return cidr is not None and cidr.rpartition("/")[2].isdecimal()


def _open(rules: list[_Rule]) -> list[Ports]:
    """Spans that the rules, alone or together, open to the world."""
    alone = [rule.ports for rule in rules if _is_world(rule.cidrs)]
    rest = [rule for rule in rules if rule.cidrs and rule.ports not in alone]
    if len(rest) < 2 or not _may_be_world([cidr for rule in rest for cidr in rule.cidrs]):  # noqa: PLR2004 (alone is done)
        return alone
    return alone + [span for protocol in ("tcp", "udp") for span in _open_together(rest, protocol)]


def _open_together(rules: list[_Rule], protocol: str) -> Iterator[Ports]:
    """Between two neighbouring edges of spans the same rules hold, so that each interval is judged once."""
    rules = [rule for rule in rules if rule.ports.protocol in (protocol, "all")]
    edges = sorted({rule.ports.first for rule in rules} | {rule.ports.last + 1 for rule in rules})
    for first, following in pairwise(edges):
        cidrs = [
            cidr for rule in rules if rule.ports.first <= first <= rule.ports.last for cidr in rule.cidrs
        ]
        if _is_world(cidrs):
            yield Ports(protocol, first, following - 1)


def _is_world(cidrs: Iterable[str]) -> bool:
    known = tuple(cidrs)
    if "0.0.0.0/0" in known or "::/0" in known:
        return True
    return _may_be_world(known) and covers_world(known)


def _may_be_world(cidrs: Iterable[str]) -> bool:
    """A cheap bound that spares most groups the arithmetic: too few addresses in all to be most of the internet."""
    v4 = v6 = 0
    for cidr in cidrs:
        length = int(cidr.rpartition("/")[2])
        if ":" in cidr:
            v6 += 1 << (128 - length)
        else:
            v4 += 1 << (32 - length)
    return v4 >= _TOO_FEW_V4 or v6 >= _TOO_FEW_V6
