"""Servers and their disks: encryption, sharing of snapshots and images, and the region's defaults."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope

_LARGEST_PAGE = 1000
_VOLUMES_A_PAGE = 500


def collect(aws: Reader) -> None:
    def look_at(snapshot: dict[str, Any]) -> None:
        aws.get(
            "DescribeSnapshotAttribute",
            key=snapshot["SnapshotId"],
            SnapshotId=snapshot["SnapshotId"],
            Attribute="createVolumePermission",
        )

    aws.list("DescribeInstances", "Reservations", MaxResults=_LARGEST_PAGE)
    aws.list("DescribeVolumes", "Volumes", MaxResults=_VOLUMES_A_PAGE)
    aws.list("DescribeImages", "Images", Owners=["self"])
    for setting in (
        "GetEbsEncryptionByDefault",
        "GetEbsDefaultKmsKeyId",
        "GetSnapshotBlockPublicAccessState",
        "GetInstanceMetadataDefaults",
    ):
        aws.get(setting)
    aws.each(look_at, aws.list("DescribeSnapshots", "Snapshots", OwnerIds=["self"], MaxResults=_LARGEST_PAGE))


COLLECTOR = Collector(
    title="EC2 instances and disks",
    service="ec2",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "ec2:DescribeInstances",
            "DescribeInstances",
            "Lists your servers, whether the internet reaches them and how they guard their credentials.",
        ),
        Action("ec2:DescribeVolumes", "DescribeVolumes", "Shows whether the servers' disks are encrypted."),
        Action(
            "ec2:DescribeSnapshots",
            "DescribeSnapshots",
            "Shows which copies of disks exist and whether they are encrypted.",
        ),
        Action(
            "ec2:DescribeSnapshotAttribute",
            "DescribeSnapshotAttribute",
            "Shows whether a copy of a disk is shared with other accounts or with everyone.",
        ),
        Action(
            "ec2:DescribeImages",
            "DescribeImages",
            "Shows whether server images of yours are open to the public.",
        ),
        Action(
            "ec2:GetEbsEncryptionByDefault",
            "GetEbsEncryptionByDefault",
            "Shows whether every new disk in the region is encrypted.",
        ),
        Action(
            "ec2:GetEbsDefaultKmsKeyId",
            "GetEbsDefaultKmsKeyId",
            "Shows with which key new disks are encrypted.",
        ),
        Action(
            "ec2:GetSnapshotBlockPublicAccessState",
            "GetSnapshotBlockPublicAccessState",
            "Shows whether copies of disks can be made public at all.",
        ),
        Action(
            "ec2:GetInstanceMetadataDefaults",
            "GetInstanceMetadataDefaults",
            "Shows whether new servers guard their credentials by default.",
        ),
    ),
    collect=collect,
)
