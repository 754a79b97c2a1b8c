"""Audit trails of the account: where they are kept, whether they record, and what."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope


def collect(aws: Reader) -> None:
    def look_at(trail: dict[str, Any]) -> None:
        arn = trail["TrailARN"]
        aws.get("GetTrailStatus", key=arn, Name=arn)
        aws.get("GetEventSelectors", key=arn, TrailName=arn)

    # A multi-region trail has a shadow in every other region; its home region tells of it once.
    aws.each(look_at, aws.list("DescribeTrails", "trailList", includeShadowTrails=False))


COLLECTOR = Collector(
    title="CloudTrail",
    service="cloudtrail",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "cloudtrail:DescribeTrails",
            "DescribeTrails",
            "Shows which audit trails exist, how they are encrypted and whether tampering would be noticed.",
        ),
        Action(
            "cloudtrail:GetTrailStatus",
            "GetTrailStatus",
            "Shows whether each trail is recording now and when it last delivered.",
        ),
        Action(
            "cloudtrail:GetEventSelectors",
            "GetEventSelectors",
            "Shows which activity is recorded, such as access to data; never the recorded events.",
        ),
    ),
    collect=collect,
)
