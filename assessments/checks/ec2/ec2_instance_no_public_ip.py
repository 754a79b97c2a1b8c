from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Json, Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    data = instance.data
    if "NetworkInterfaces" not in data and not data.get("PublicIpAddress"):
        return unknown("AWS did not list its network interfaces")
    addresses = {data.get("PublicIpAddress")}
    for interface in data.get("NetworkInterfaces") or ():
        addresses |= _addresses(interface)
    public = sorted(address for address in addresses if address)
    return (
        failed(f"has the public addresses {', '.join(public)}") if public else passed("has no public address")
    )


def _addresses(interface: Json) -> set[str | None]:
    places = [interface, *(interface.get("PrivateIpAddresses") or ())]
    return {(place.get("Association") or {}).get("PublicIp") for place in places}


def _example(**fields: Any) -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, **fields}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="Instances have no public IP address",
    severity=Severity.HIGH,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="With a public address, one wrong security group rule puts a machine that works on ePHI on the internet. Behind a load balancer or a NAT gateway it can't be addressed at all.",
    expected="No network interface of the instance has a public IPv4 address.",
    fix=Fix(
        console="Launch a replacement in a private subnet behind a load balancer; disassociate Elastic IP addresses. Administer through Session Manager.",
        cli="aws ec2 disassociate-address --association-id eipassoc-ID",
        terraform='resource "aws_instance" "app" {\n  associate_public_ip_address = false\n  subnet_id                   = aws_subnet.private.id\n}',
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(_example(NetworkInterfaces=[{"PrivateIpAddress": "10.0.0.4"}]),),
    failing=(
        _example(
            PublicIpAddress="198.51.100.7", NetworkInterfaces=[{"Association": {"PublicIp": "198.51.100.7"}}]
        ),
        _example(
            NetworkInterfaces=[
                {"Association": {"PublicIp": "198.51.100.8"}},
                {"PrivateIpAddresses": [{"Association": {"PublicIp": "198.51.100.9"}}]},
            ]
        ),
    ),
)
