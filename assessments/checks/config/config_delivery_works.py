from collections.abc import Iterator

from assessments.checks.base import Check, Example, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import config, examples
from evidence.types import Json, Seen

_PARTS = ("configHistoryDeliveryInfo", "configStreamDeliveryInfo", "configSnapshotDeliveryInfo")


def _channels(seen: Seen) -> Iterator[Resource]:
    """Delivery channels with their `Status`; the region itself where it has recorders and no channel."""
    listed = seen["config"].items("DescribeDeliveryChannels", "DeliveryChannels")
    if not listed and any(True for _ in config.recorders(seen)):
        yield from config.region(seen)
    states = {}
    if listed:
        states = {
            row.get("name"): row
            for row in seen["config"].items("DescribeDeliveryChannelStatus", "DeliveryChannelsStatus")
        }
    for row in listed:
        name = row.get("name", "default")
        arn = f"arn:{seen.partition}:config:{seen.region}:{seen.account_id}:delivery-channel/{name}"
        yield Resource(arn, name, "delivery channel", seen.region, {**row, "Status": states.get(name)})


def judge(channel: Resource, _seen: Seen) -> Verdict:
    if "Status" not in channel.data:
        return failed("there is a recorder and no channel that delivers what it records")
    status = channel.data["Status"]
    words = {part: str((status or {}).get(part, {}).get("lastStatus", "")).upper() for part in _PARTS}
    bad = [part for part, word in words.items() if word == "FAILURE"]
    if bad:
        said = status[bad[0]].get("lastErrorMessage") or status[bad[0]].get("lastErrorCode")
        return failed(f"the last delivery to bucket {channel.data.get('s3BucketName')} failed: {said}")
    if "SUCCESS" in words.values():
        return passed(f"it delivers to bucket {channel.data.get('s3BucketName')}")
    return unknown("AWS did not say whether it has delivered")


def _example(**status: Json) -> Example:
    return {
        "config": {
            "DescribeDeliveryChannels": {
                "": {"DeliveryChannels": [{"name": "default", "s3BucketName": "config-logs"}]}
            },
            "DescribeDeliveryChannelStatus": {
                "": {"DeliveryChannelsStatus": [{"name": "default", **status}]}
            },
        }
    }


CHECK = Check(
    title="AWS Config delivers what it records",
    severity=Severity.MEDIUM,
    collectors=("config",),
    supports=("164.312(b)",),
    rationale="A history that does not reach its bucket is lost when AWS Config's own period ends, and cannot be shown.",
    expected="There is a delivery channel, and its last delivery succeeded.",
    fix=Fix(
        console="AWS Config, Settings, Delivery method: choose a bucket whose policy lets config.amazonaws.com write.",
        cli="aws configservice put-delivery-channel --delivery-channel name=default,s3BucketName=BUCKET",
        terraform='resource "aws_config_delivery_channel" "this" { s3_bucket_name = ... }',
    ),
    resources=_channels,
    judge=judge,
    passing=(_example(configHistoryDeliveryInfo={"lastStatus": "SUCCESS"}),),
    failing=(
        _example(configHistoryDeliveryInfo={"lastStatus": "FAILURE", "lastErrorCode": "AccessDenied"}),
        {
            "config": {
                **examples.recorder()["config"],
                "DescribeDeliveryChannels": {"": {"DeliveryChannels": []}},
            }
        },
    ),
)
