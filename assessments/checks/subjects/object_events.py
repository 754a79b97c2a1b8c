"""The S3 objects whose reads and writes trails record, over all regions (CloudTrail's data events)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assessments.checks.base import Resource
from assessments.checks.subjects import trail
from evidence.types import Answers, Gap, GapReason, Json, Seen, Unseen


class DataEvents(NamedTuple):
    """What trails that are logging record of S3 objects; `gap` is what could not be seen of them.

    By region (empty: every region) the ARN prefixes of objects: `buckets` are those of one whole bucket, ending
    with a slash, `wider` the others.
    """

    buckets: frozenset[tuple[str, str]]
    wider: frozenset[tuple[str, str]]
    gap: Gap | None

    def cover(self, bucket: Resource) -> bool:
        """Whether all reads and writes in a bucket are recorded. Raises Unseen where that is not known."""
        objects = f"{bucket.arn}/"
        if ("", objects) in self.buckets or (bucket.region, objects) in self.buckets:
            return True
        if any(region in ("", bucket.region) and objects.startswith(prefix) for region, prefix in self.wider):
            return True
        if self.gap is not None:
            raise Unseen(self.gap)
        return False


def trails(seen: Seen) -> Iterator[Json]:
    """DescribeTrails of every region. Raises Unseen where one was not seen."""
    for answers in _regions(seen):
        yield from _listed(answers)


def data_events(seen: Seen) -> DataEvents:
    """Which S3 data events the trails record; what can't be read makes a gap and hides nothing else."""
    recorded: set[tuple[str, str]] = set()
    gap: Gap | None = None
    try:
        regions = _regions(seen)
    except Unseen as unseen:
        return DataEvents(frozenset(), frozenset(), unseen.gap)
    for answers in regions:
        try:
            found = _listed(answers)
        except Unseen as unseen:
            found, gap = (), unseen.gap
        for row in found:
            try:
                recorded |= _recorded(answers, row)
            except Unseen as unseen:
                gap = unseen.gap
    buckets = frozenset(one for one in recorded if one[1].endswith("/"))
    return DataEvents(buckets, frozenset(recorded) - buckets, gap)


def _regions(seen: Seen) -> list[Answers]:
    regions = list(seen.regions("cloudtrail"))
    if not regions:
        raise Unseen(Gap("cloudtrail", "DescribeTrails", seen.region, GapReason.NOT_COLLECTED))
    return regions


def _listed(answers: Answers) -> Sequence[Json]:
    """A region that is off has no trails."""
    try:
        return answers.items("DescribeTrails", "trailList")
    except Unseen as unseen:
        if unseen.gap.reason is GapReason.REGION_OFF:
            return ()
        raise


def _recorded(answers: Answers, row: Json) -> set[tuple[str, str]]:
    name = row.get("TrailARN") or ""
    if (answers.get("GetTrailStatus", name) or {}).get("IsLogging") is not True:
        return set()
    selectors = answers.get("GetEventSelectors", name) or {}
    region = "" if row.get("IsMultiRegionTrail") else row.get("HomeRegion") or answers.region
    return {(region, prefix) for prefix in trail.object_prefixes(selectors)}
