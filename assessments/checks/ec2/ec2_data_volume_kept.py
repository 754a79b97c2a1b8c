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
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    root, disks = instance.data.get("RootDeviceName"), instance.data.get("BlockDeviceMappings")
    if disks is None or root is None:
        return unknown("AWS did not list its volumes")
    data = [disk for disk in disks if disk.get("DeviceName") != root]
    flags = [(disk.get("Ebs") or {}).get("DeleteOnTermination") for disk in data]
    lost = [disk.get("DeviceName", "unnamed") for disk, flag in zip(data, flags, strict=True) if flag]
    if lost:
        return failed(f"terminating it deletes the volumes {', '.join(sorted(lost))}")
    if None in flags:
        return unknown("AWS did not say what termination does to its volumes")
    return (
        passed("its data volumes outlive it") if data else not_applicable("has no volume but the root volume")
    )


def _example(*, deleted: bool) -> dict[str, Any]:
    disks = [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "DeleteOnTermination": True}},
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-2", "DeleteOnTermination": deleted}},
    ]
    instance = {"InstanceId": "i-1", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": disks}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="Data volumes outlive the instance they are attached to",
    severity=Severity.LOW,
    collectors=("ec2",),
    supports=("164.312(c)(1)",),
    rationale="A data volume that is deleted with its instance lets one terminate call, or a scale-in, destroy ePHI that was meant to stay.",
    expected="DeleteOnTermination is false for every volume but the root volume.",
    fix=Fix(
        cli='aws ec2 modify-instance-attribute --instance-id i-ID --block-device-mappings \'[{"DeviceName":"/dev/sdf","Ebs":{"DeleteOnTermination":false}}]\'',
        terraform='resource "aws_instance" "app" {\n  ebs_block_device {\n    device_name           = "/dev/sdf"\n    delete_on_termination = false\n  }\n}',
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(_example(deleted=False),),
    failing=(_example(deleted=True),),
)
