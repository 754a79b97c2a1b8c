"""Audit trails of the account: where they are kept, whether they record, and what.

DescribeTrails with shadow trails: every region lists the multi-region trails of all regions, and a member account
its organisation's trails, which are never listed otherwise. A trail at home in a region that is not collected is
thus seen too. Each listed trail is asked in its home region, by its ARN: GetTrailStatus tells of one region only,
and GetEventSelectors knows no trail of another region (TrailNotFoundException). As a unit does not know which other
regions are collected, each region that lists a trail asks: two calls per trail and region, which makes a region's
answers complete by themselves. Answers are recorded under the TrailARN; what a member account may not ask about its
organisation's trail becomes a gap.
"""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope


def collect(aws: Reader) -> None:
    def look_at(trail: dict[str, Any]) -> None:
        arn, home = trail["TrailARN"], trail.get("HomeRegion", "")
        aws.get("GetTrailStatus", key=arn, region=home, Name=arn)
        aws.get("GetEventSelectors", key=arn, region=home, TrailName=arn)

    aws.each(look_at, aws.list("DescribeTrails", "trailList", includeShadowTrails=True))


COLLECTOR = Collector(
    title="CloudTrail",
    service="cloudtrail",
    scope=Scope.REGIONAL,
    version=2,
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
