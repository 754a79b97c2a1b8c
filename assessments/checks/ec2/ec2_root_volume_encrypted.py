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
    data = instance.data
    if data.get("RootDeviceType") == "instance-store":
        return not_applicable("the root device is an instance store, which is no EBS volume")
    root = data.get("RootDeviceName")
    disks = [
        disk.get("Ebs") or {}
        for disk in data.get("BlockDeviceMappings") or ()
        if disk.get("DeviceName") == root
    ]
    volume_id = disks[0].get("VolumeId") if disks and root else None
    if volume_id is None:
        return unknown("AWS did not name the root volume")
    match data["Volumes"].get(volume_id, {}).get("Encrypted"):
        case True:
            return passed(f"root volume {volume_id} is encrypted")
        case False:
            return failed(f"root volume {volume_id} is not encrypted")
    return unknown(f"root volume {volume_id} is not among the region's volumes")


def _example(*, encrypted: bool) -> dict[str, Any]:
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}
    instance = {"InstanceId": "i-1", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [disk]}
    return {
        "ec2": {
            "DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}},
            "DescribeVolumes": {"": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": encrypted}]}},
        }
    }


CHECK = Check(
    title="Root volumes of instances are encrypted",
    severity=Severity.HIGH,
    collectors=("ec2",),
    supports=("164.312(a)(2)(iv)",),
    rationale="The root volume holds logs, swap, temporary files and caches, where an application leaves ePHI even if its data volume is encrypted.",
    expected="The volume attached as the root device is encrypted.",
    fix=Fix(
        console="Create an image of the instance, copy the image with encryption, launch a replacement from the copy.",
        cli="aws ec2 copy-image --source-region REGION --source-image-id ami-ID --name NAME --encrypted --kms-key-id KEY",
        terraform='resource "aws_instance" "app" {\n  root_block_device {\n    encrypted  = true\n    kms_key_id = aws_kms_key.ebs.arn\n  }\n}',
    ),
    resources=ec2.instances_with_volumes,
    judge=judge,
    passing=(_example(encrypted=True),),
    failing=(_example(encrypted=False),),
)
