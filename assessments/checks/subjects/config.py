"""AWS Config in one region: its recorders and their state."""

from __future__ import annotations

from collections.abc import Iterator

from assessments.checks.base import Resource
from evidence.types import Gap, GapReason, Json, Seen, Unseen


def region(seen: Seen) -> Iterator[Resource]:
    """AWS Config in the view's region, whether it is set up or not."""
    arn = f"arn:{seen.partition}:config:{seen.region}:{seen.account_id}:*"
    yield Resource(arn, seen.region, "region", seen.region, {})


def account(seen: Seen) -> Iterator[Resource]:
    """The account, if AWS Config was read in any region. Raises Unseen otherwise."""
    if next(iter(seen.regions("config")), None) is None:
        raise Unseen(Gap("config", "DescribeConfigurationRecorders", seen.region, GapReason.NOT_COLLECTED))
    yield Resource(
        f"arn:{seen.partition}:iam::{seen.account_id}:root", seen.account_id, "account", seen.region, {}
    )


def recorders(seen: Seen) -> Iterator[Resource]:
    """The tenant's recorders; those that an AWS service keeps for itself record nothing for the tenant."""
    for row in seen["config"].items("DescribeConfigurationRecorders", "ConfigurationRecorders"):
        if row.get("recordingScope") != "INTERNAL":
            name = row.get("name", "default")
            arn = f"arn:{seen.partition}:config:{seen.region}:{seen.account_id}:configuration-recorder/{name}"
            yield Resource(row.get("arn") or arn, name, "recorder", seen.region, row)


def status(recorder: Resource, seen: Seen) -> Json:
    """Whether a recorder is on and how it fares; empty where AWS said nothing of it. Raises Unseen."""
    listed = seen["config"].items("DescribeConfigurationRecorderStatus", "ConfigurationRecordersStatus")
    return next((row for row in listed if row.get("name", "default") == recorder.name), {})
