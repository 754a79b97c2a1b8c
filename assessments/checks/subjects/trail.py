"""CloudTrail's trails, over all regions, and what they record.

A trail is known in its home region; elsewhere it is a shadow, and in a member account an organisation's trail is
one too, so that only HomeRegion tells which listing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from assessments.checks.base import Resource, Verdict, failed, passed
from assessments.checks.subjects.times import days_since
from evidence.types import GLOBAL, Gap, GapReason, Json, Seen, Unseen

CLOUDTRAIL = "cloudtrail"


def trails(seen: Seen) -> Iterator[Resource]:
    """The trails at home in the view's region."""
    for row in seen[CLOUDTRAIL].items("DescribeTrails", "trailList"):
        if row.get("HomeRegion", seen.region) == seen.region:
            yield Resource(row["TrailARN"], row.get("Name", ""), "trail", seen.region, row)


def all_trails(seen: Seen) -> tuple[list[Resource], Gap | None]:
    """The trails of every region, and a gap if a region's listing was not seen."""
    found: list[Resource] = []
    gap: Gap | None = None
    regions = [answers.region for answers in seen.regions(CLOUDTRAIL)]
    for region in regions:
        try:
            found += trails(seen.from_region(region))
        except Unseen as unseen:
            gap = unseen.gap
    return found, gap if regions else Gap(CLOUDTRAIL, "DescribeTrails", GLOBAL, GapReason.NOT_COLLECTED)


def status(trail: Resource, seen: Seen) -> Json:
    """Whether a trail logs and delivers. Raises Unseen."""
    return seen.in_region(CLOUDTRAIL, trail.region).get("GetTrailStatus", trail.arn) or {}


def selectors(trail: Resource, seen: Seen) -> Json:
    """What a trail records: EventSelectors or AdvancedEventSelectors. Raises Unseen."""
    return seen.in_region(CLOUDTRAIL, trail.region).get("GetEventSelectors", trail.arn) or {}


def is_logging(trail: Resource, seen: Seen) -> bool:
    """Whether a trail is switched on."""
    return bool(status(trail, seen).get("IsLogging"))


def covers_account(trail: Resource, seen: Seen) -> bool:
    """Whether a trail records every region and is switched on."""
    return bool(trail.data.get("IsMultiRegionTrail")) and is_logging(trail, seen)


def judge_any(seen: Seen, meets: Callable[[Resource, Seen], bool], good: str, bad: str) -> Verdict:
    """PASS if some trail meets a demand; FAIL only where all trails were seen. Raises Unseen otherwise."""
    found, gap = all_trails(seen)
    for trail in found:
        try:
            if meets(trail, seen):
                return passed(f"trail {trail.name} of {trail.region} {good}")
        except Unseen as unseen:
            gap = unseen.gap
    if gap is not None:
        raise Unseen(gap)
    return failed(f"none of {len(found)} trails {bad}" if found else "there is no trail")


def management_events(selected: Json) -> str:
    """What a trail leaves out of the management events; empty where it records all, reads and writes."""
    if selected.get("AdvancedEventSelectors"):
        rows = [fields(row) for row in selected["AdvancedEventSelectors"]]
        return _best(
            [
                _advanced_omission(row)
                for row in rows
                if "Management" in row.get("eventCategory", {}).get("Equals", ())
            ]
        )
    return _best(
        [_omission(row) for row in selected.get("EventSelectors") or () if row.get("IncludeManagementEvents")]
    )


def _best(omissions: Sequence[str]) -> str:
    return min(omissions, key=len) if omissions else "all management events"


def _omission(row: Json) -> str:
    excluded = ", ".join(row.get("ExcludeManagementEventSources") or ())
    if row.get("ReadWriteType") != "All":
        return f"all but {row.get('ReadWriteType')} events"
    return f"events of {excluded}" if excluded else ""


def _advanced_omission(row: Json) -> str:
    narrowed = sorted(set(row) - {"eventCategory"})
    return f"events not selected by {', '.join(narrowed)}" if narrowed else ""


def fields(advanced: Json) -> dict[str, Json]:
    """An advanced event selector's field selectors by field."""
    return {row["Field"]: row for row in advanced.get("FieldSelectors") or ()}


def object_prefixes(selected: Json) -> list[str]:
    """ARN prefixes of the S3 objects whose reads and writes a trail both records; "arn:aws:s3" for all."""
    found = [
        value
        for row in selected.get("EventSelectors") or ()
        if row.get("ReadWriteType") == "All"
        for resource in row.get("DataResources") or ()
        if resource.get("Type") == "AWS::S3::Object"
        for value in resource.get("Values") or ()
    ]
    return found + [
        prefix
        for row in selected.get("AdvancedEventSelectors") or ()
        for prefix in _advanced_prefixes(fields(row))
    ]


def _advanced_prefixes(row: dict[str, Json]) -> list[str]:
    """Of a selector that narrows by nothing but the objects' ARNs."""
    is_objects = "AWS::S3::Object" in row.get("resources.type", {}).get("Equals", ())
    if not is_objects or set(row) - {"eventCategory", "resources.type", "resources.ARN"}:
        return []
    if "resources.ARN" not in row:
        return ["arn:"]
    arns = row["resources.ARN"]
    only_starts = set(arns) - {"Field", "StartsWith"} == set()
    return list(arns.get("StartsWith") or ()) if only_starts else []


def records_objects(prefixes: Sequence[str], bucket_arn: str) -> bool:
    """Whether prefixes take in every object of a bucket."""
    return any(f"{bucket_arn}/".startswith(prefix) for prefix in prefixes)


def is_late(text: str | None, seen: Seen) -> bool:
    """Whether a delivery is more than a day old, or never was."""
    days = days_since(text, seen)
    return days is None or days >= 1
