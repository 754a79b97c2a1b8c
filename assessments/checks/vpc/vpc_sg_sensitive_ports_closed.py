from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import security_groups

_PORTS = {
    20: "FTP data",
    21: "FTP",
    69: "TFTP",
    111: "RPC",
    135: "Windows RPC",
    139: "NetBIOS",
    161: "SNMP",
    389: "LDAP",
    445: "SMB",
    2049: "NFS",
    2375: "Docker",
    2379: "etcd",
    5601: "Kibana",
    5900: "VNC",
    6443: "Kubernetes",
    8089: "Splunk",
    9092: "Kafka",
    10250: "kubelet",
}


def _example(cidr: str) -> dict[str, Any]:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 440,
        "ToPort": 450,
        "IpRanges": [{"CidrIp": cidr}],
        "Ipv6Ranges": [],
    }
    return {
        "vpc": {
            "DescribeSecurityGroups": {"": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [rule]}]}}
        }
    }


CHECK = Check(
    title="Security groups keep file sharing and management ports closed to the world",
    severity=Severity.HIGH,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="File shares, directories and the interfaces of clusters hand out ePHI or control over what holds it, often without a password and without encryption.",
    expected="No rule lets the whole internet reach one of these ports, over IPv4 or IPv6.",
    fix=Fix(
        console="VPC, Security groups, the group, Edit inbound rules: delete the rule or name your own networks.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol tcp --port 445 --cidr 0.0.0.0/0",
    ),
    resources=security_groups.groups_with_openings,
    judge=security_groups.judge_ports(_PORTS),
    passing=(_example("192.0.2.0/24"),),
    failing=(_example("0.0.0.0/0"),),
)
