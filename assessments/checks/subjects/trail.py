"""CloudTrail's trails, over all regions, and what they record.

A multi-region trail is listed at home and, as a shadow, in every other region; a member account sees its
organisation's trails as shadows only. One ARN is one trail: its home region's listing counts, or, where the home
region was not seen, the first region's that lists it. Its status and selectors are the home region's in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from assessments.checks.base import Resource, Verdict, failed, passed
from assessments.checks.subjects.times import days_since
from evidence.types import GLOBAL, Answers, Gap, GapReason, Json, Seen, Unseen

CLOUDTRAIL = "cloudtrail"


def trails(seen: Seen) -> Iterator[Resource]:
    """The trails to judge in the view's region: those at home in it, and those that no home region answers for."""
    seen[CLOUDTRAIL].items("DescribeTrails", "trailList")
    found, _ = all_trails(seen)
    return (trail for trail in found if _judged_in(trail, seen) == seen.region)


def _judged_in(trail: Resource, seen: Seen) -> str:
    """A shadow stays unjudged while its home region's listing, which was asked for, is only missing."""
    listed_in: str = trail.data["ListedIn"]
    try:
        _listed(seen.in_region(CLOUDTRAIL, trail.region))
    except Unseen as unseen:
        if unseen.gap.reason is not GapReason.NOT_COLLECTED:
            return trail.region
    return listed_in


def all_trails(seen: Seen) -> tuple[list[Resource], Gap | None]:
    """The trails of every region by ARN, with `ListedIn`, and a gap if a region's listing was not seen.

    A trail's region is its home region.
    """
    found: dict[str, Resource] = {}
    regions = list(seen.regions(CLOUDTRAIL))
    gap = None if regions else Gap(CLOUDTRAIL, "DescribeTrails", GLOBAL, GapReason.NOT_COLLECTED)
    for answers in regions:
        try:
            rows = _listed(answers)
        except Unseen as unseen:
            gap = unseen.gap
            continue
        for row in rows:
            trail = _trail(row, answers.region)
            if trail.arn not in found or trail.region == answers.region:
                found[trail.arn] = trail
    return [found[arn] for arn in sorted(found)], gap


def _listed(answers: Answers) -> Sequence[Json]:
    """A region that is off has no trails."""
    try:
        return answers.items("DescribeTrails", "trailList")
    except Unseen as unseen:
        if unseen.gap.reason is GapReason.REGION_OFF:
            return ()
        raise


def _trail(row: Json, listed_in: str) -> Resource:
    data = {**row, "ListedIn": listed_in}
    home = row.get("HomeRegion") or listed_in
    return Resource(row.get("TrailARN") or "", row.get("Name", ""), "trail", home, data)


def is_foreign(trail: Resource, seen: Seen) -> bool:
    """Whether it is another account's: the organisation's, as its members see it."""
    owner = trail.arn.split(":")[4:5]
    return bool(owner) and owner != [seen.account_id]


def status(trail: Resource, seen: Seen) -> Json:
    """Whether a trail logs and delivers, in its home region. Raises Unseen."""
    return seen.in_region(CLOUDTRAIL, trail.data["ListedIn"]).get("GetTrailStatus", trail.arn) or {}


def selectors(trail: Resource, seen: Seen) -> Json:
    """What a trail records: EventSelectors or AdvancedEventSelectors. Raises Unseen."""
    return seen.in_region(CLOUDTRAIL, trail.data["ListedIn"]).get("GetEventSelectors", trail.arn) or {}


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
    excluded = ", ".join(sorted(row.get("ExcludeManagementEventSources") or ()))
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


def is_late(text: str | None, seen: Seen) -> bool:
    """Whether a delivery is more than a day old, or never was."""
    days = days_since(text, seen)
    return days is None or days >= 1
