from __future__ import annotations

from typing import Any

from assessments.checks.base import (
    Check,
    Fix,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from assessments.checks.subjects import network_acls, vpc
from evidence.types import Seen

_PORTS = {22: "SSH", 3389: "RDP"}


def judge(acl: Resource, _seen: Seen) -> Verdict:
    entries = acl.data.get("Entries")
    if entries is None:
        return unknown("AWS did not list its rules")
    if acl.data.get("Associations") == []:
        return not_applicable("no subnet uses it")
    answers = {port: network_acls.lets_world_in(entries, port) for port in _PORTS}
    opened = [f"{port} ({_PORTS[port]})" for port, answer in answers.items() if answer]
    if opened:
        return failed(f"open to the world: {', '.join(opened)}")
    if None in answers.values():
        return unknown("AWS did not say what its rules let in")
    return passed("keeps administration ports closed to the world")


def _example(*entries: dict[str, Any]) -> dict[str, Any]:
    last = {
        "RuleNumber": 32767,
        "Egress": False,
        "Protocol": "-1",
        "RuleAction": "deny",
        "CidrBlock": "0.0.0.0/0",
    }
    acl = {"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], "Entries": [*entries, last]}
    return {"vpc": {"DescribeNetworkAcls": {"": {"NetworkAcls": [acl]}}}}


_ALL = {"RuleNumber": 100, "Egress": False, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
_SPAN = {"Protocol": "6", "PortRange": {"From": 22, "To": 22}}
_WEB = {"Protocol": "6", "PortRange": {"From": 443, "To": 443}}
_RDP = {"Protocol": "6", "PortRange": {"From": 3389, "To": 3389}}

CHECK = Check(
    title="Network ACLs keep SSH and RDP closed to the world",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="The network ACL is the second lock of a subnet. If it lets everybody reach administration ports, one wrong security group rule is enough to expose machines with ePHI.",
    expected="The inbound rules, in their order, let the whole internet reach neither port 22 nor 3389.",
    fix=Fix(
        console="VPC, Network ACLs, the ACL, Edit inbound rules: add deny rules for 22 and 3389 before the rule that allows, or allow only what is needed.",
        cli="aws ec2 create-network-acl-entry --network-acl-id acl-ID --ingress --rule-number 50 --protocol tcp --port-range From=22,To=22 --cidr-block 0.0.0.0/0 --rule-action deny",
    ),
    resources=vpc.network_acls,
    judge=judge,
    passing=(
        _example({**_ALL, **_WEB}),
        _example(
            {**_ALL, **_SPAN, "RuleNumber": 50, "RuleAction": "deny"},
            {**_ALL, **_RDP, "RuleNumber": 60, "RuleAction": "deny"},
            _ALL,
        ),
    ),
    failing=(_example(_ALL), _example({**_ALL, **_SPAN, "RuleNumber": 110, "RuleAction": "deny"}, _ALL)),
)
