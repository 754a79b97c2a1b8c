"""What the ec2 collector lists in one region: instances, volumes, snapshots, images, and the region's settings.

Listings carry no ARNs: they are built in the form that AWS documents in its service authorization reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from assessments.checks.base import Resource
from assessments.checks.subjects import times
from evidence.types import Json, Seen

_GONE = ("terminated", "shutting-down")


def arn(seen: Seen, kind: str, name: str, owner: str | None = None) -> str:
    """An ARN of EC2 in the region of the view; AWS leaves the account out (`owner=""`) for snapshots and images."""
    account = seen.account_id if owner is None else owner
    return f"arn:{seen.partition}:ec2:{seen.region}:{account}:{kind}/{name}"


def instances(seen: Seen) -> Iterator[Resource]:
    """Instances that exist: a terminated one stays listed for an hour, without its disks."""
    for reservation in seen["ec2"].items("DescribeInstances", "Reservations"):
        for instance in reservation.get("Instances") or ():
            if (instance.get("State") or {}).get("Name") not in _GONE:
                yield _resource(seen, "instance", instance, "InstanceId")


def instances_with_volumes(seen: Seen) -> Iterator[Resource]:
    """Instances with `Volumes`: every listed volume of the region by id."""
    volumes = {row.get("VolumeId"): row for row in seen["ec2"].items("DescribeVolumes", "Volumes")}
    for instance in instances(seen):
        yield instance._replace(data={**instance.data, "Volumes": volumes})


def volumes(seen: Seen) -> Iterator[Resource]:
    """EBS volumes."""
    for volume in seen["ec2"].items("DescribeVolumes", "Volumes"):
        yield _resource(seen, "volume", volume, "VolumeId")


def volumes_in_use(seen: Seen) -> Iterator[Resource]:
    """Volumes that an instance uses (or whose use is not known), with `Snapshots`: their snapshots' listings."""
    snapshots: dict[str, list[Json]] = {}
    for row in seen["ec2"].items("DescribeSnapshots", "Snapshots"):
        snapshots.setdefault(row.get("VolumeId") or "", []).append(row)
    for volume in volumes(seen):
        if volume.data.get("State", "in-use") == "in-use":
            yield volume._replace(data={**volume.data, "Snapshots": snapshots.get(volume.name, [])})


def snapshots(seen: Seen) -> Iterator[Resource]:
    """The account's own EBS snapshots."""
    for snapshot in seen["ec2"].items("DescribeSnapshots", "Snapshots"):
        yield _resource(seen, "snapshot", snapshot, "SnapshotId", owner="")


def images(seen: Seen) -> Iterator[Resource]:
    """The account's own machine images."""
    for image in seen["ec2"].items("DescribeImages", "Images"):
        yield _resource(seen, "image", image, "ImageId", owner="")


def settings(seen: Seen) -> Iterator[Resource]:
    """The account's EC2 settings in this region, as one resource (AWS gives them no ARN of their own)."""
    name = f"arn:{seen.partition}:ec2:{seen.region}:{seen.account_id}:settings"
    yield Resource(name, seen.region, "settings", seen.region, {})


def snapshot_permissions(snapshot: Resource, seen: Seen) -> list[Json] | None:
    """Who may create a volume from a snapshot ({"Group": "all"} or {"UserId": ...}); None where AWS did not say."""
    answer = seen["ec2"].get("DescribeSnapshotAttribute", snapshot.name) or {}
    permissions: list[Json] | None = answer.get("CreateVolumePermissions")
    return permissions


def age(seen: Seen, moment: str | None) -> timedelta | None:
    """The time from an RFC 3339 moment to the evaluation; None where it is missing or unreadable."""
    then = times.moment(moment)
    return None if then is None else seen.at - then


def _resource(seen: Seen, kind: str, row: Json, id_field: str, owner: str | None = None) -> Resource:
    name = row.get(id_field) or ""
    return Resource(arn(seen, kind, name, owner), name, kind, seen.region, row)
