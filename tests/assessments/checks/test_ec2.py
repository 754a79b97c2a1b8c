"""What checks of instances, volumes and snapshots must not be fooled by."""

from typing import Any

import pytest

from assessments.checks.base import Outcome, Refused
from tests.examples_kit import REGION, assert_no_field_is_relied_on, checks_of, only, outcomes, results


def instances(*rows: dict[str, Any], **operations: Any) -> dict[str, Any]:
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": list(rows)}]}}, **operations}}


def volumes(*rows: dict[str, Any], **operations: Any) -> dict[str, Any]:
    return {"DescribeVolumes": {"": {"Volumes": list(rows)}}, **operations}


def snapshot(
    started: str = "2026-01-15T00:00:00Z", state: str = "completed", volume: str = "vol-1"
) -> dict[str, Any]:
    return {"SnapshotId": "snap-1", "VolumeId": volume, "State": state, "StartTime": started}


def test_no_check_of_ec2_relies_on_a_field_being_there() -> None:
    assert_no_field_is_relied_on("ec2", {})


def test_volumes_of_one_id_in_two_regions_are_two_resources() -> None:
    here, there = (
        volumes({"VolumeId": "vol-1", "Encrypted": True}),
        volumes({"VolumeId": "vol-1", "Encrypted": False}),
    )
    found = results("ec2_volume_encrypted", {"ec2": here, "ec2@eu-west-1": there})
    assert {(result.arn, result.outcome) for result in found} == {
        ("arn:aws:ec2:us-east-1:111122223333:volume/vol-1", Outcome.PASS),
        ("arn:aws:ec2:eu-west-1:111122223333:volume/vol-1", Outcome.FAIL),
    }


@pytest.mark.parametrize("check", ["ec2_snapshot_not_public", "ec2_snapshot_not_shared"])
def test_permissions_denied_for_one_snapshot_leave_the_others_judged(check: str) -> None:
    example: dict[str, Any] = {
        "ec2": {
            "DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1"}, {"SnapshotId": "snap-2"}]}},
            "DescribeSnapshotAttribute": {"snap-1": Refused(), "snap-2": {"CreateVolumePermissions": []}},
        }
    }
    assert outcomes(check, example) == {"snap-1": Outcome.UNKNOWN, "snap-2": Outcome.PASS}


def test_a_snapshots_arn_has_no_account_as_in_aws() -> None:
    example = {
        "ec2": {"DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1", "Encrypted": True}]}}}
    }
    (result,) = results("ec2_snapshot_encrypted", example)
    assert result.arn == "arn:aws:ec2:us-east-1::snapshot/snap-1"


def test_a_denied_listing_is_one_unknown_for_each_check() -> None:
    for check in checks_of("ec2"):
        found = results(check.id, {"ec2": {"*": {"": Refused()}}})
        assert [result.outcome for result in found] == [Outcome.UNKNOWN], check.id
        assert found[0].region == REGION


def on_dedicated_hosts(node: Any) -> Any:
    """Everything that a listing holds, with the tenancy of instances and of VPCs."""
    tenancy = {"InstanceTenancy": "dedicated", "Placement": {"Tenancy": "dedicated"}}
    if isinstance(node, list):
        return [{**on_dedicated_hosts(row), **tenancy} if isinstance(row, dict) else row for row in node]
    return (
        {name: on_dedicated_hosts(value) for name, value in node.items()} if isinstance(node, dict) else node
    )


@pytest.mark.parametrize("service", ["ec2", "vpc", "rds"])
def test_dedicated_tenancy_changes_no_outcome(service: str) -> None:
    for check in checks_of(service):
        for example in (*check.passing, *check.failing):
            assert outcomes(check.id, on_dedicated_hosts(example)) == outcomes(check.id, example)


def test_a_terminated_instance_is_no_longer_judged() -> None:
    gone, running = ({"InstanceId": name, "State": {"Name": name}} for name in ("terminated", "running"))
    assert set(outcomes("ec2_instance_profile_attached", instances(gone, running))) == {"running"}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([snapshot()], Outcome.PASS),
        ([snapshot("2026-01-13T12:00:00Z")], Outcome.PASS),
        ([snapshot("2026-01-13T11:59:59Z")], Outcome.FAIL),
        ([snapshot(state="pending")], Outcome.FAIL),
        ([snapshot(state="error"), snapshot("2026-01-01T00:00:00Z")], Outcome.FAIL),
        ([snapshot(volume="vol-2")], Outcome.FAIL),
        ([snapshot("2026-01-15T11:00:00.123000+00:00")], Outcome.PASS),
        ([snapshot("yesterday")], Outcome.UNKNOWN),
    ],
)
def test_only_a_completed_snapshot_of_the_volume_itself_is_a_backup(
    rows: list[Any], outcome: Outcome
) -> None:
    snapshots = {"DescribeSnapshots": {"": {"Snapshots": rows}}}
    example = {"ec2": volumes({"VolumeId": "vol-1", "State": "in-use"}, **snapshots)}
    assert only("ec2_volume_recent_snapshot", example) is outcome


def test_a_volume_that_nothing_uses_needs_no_snapshot() -> None:
    idle = volumes({"VolumeId": "vol-1", "State": "available"}, DescribeSnapshots={"": {"Snapshots": []}})
    assert results("ec2_volume_recent_snapshot", {"ec2": idle}) == []


@pytest.mark.parametrize(
    ("instance", "outcome"),
    [
        ({"RootDeviceType": "instance-store"}, Outcome.NOT_APPLICABLE),
        ({"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": []}, Outcome.UNKNOWN),
        (
            {
                "RootDeviceName": "/dev/xvda",
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "x"}}],
            },
            Outcome.UNKNOWN,
        ),
        (
            {
                "RootDeviceName": "/dev/xvda",
                "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-1"}}],
            },
            Outcome.UNKNOWN,
        ),
    ],
)
def test_a_root_volume_that_is_not_known_never_passes(instance: dict[str, Any], outcome: Outcome) -> None:
    example = instances(
        {"InstanceId": "i-1", **instance}, **volumes({"VolumeId": "vol-1", "Encrypted": True})
    )
    assert only("ec2_root_volume_encrypted", example) is outcome
