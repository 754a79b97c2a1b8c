"""The S3 objects whose reads and writes trails record, over all regions (CloudTrail's data events)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assessments.checks.base import Resource
from assessments.checks.subjects import trail
from evidence.types import GLOBAL, Gap, Json, Seen, Unseen


class DataEvents(NamedTuple):
    """What trails that are logging record of S3 objects; `gap` is what could not be seen of them.

    By region (empty: every region) the ARN prefixes of objects: `buckets` are those of one whole bucket, ending
    with a slash, `wider` the others.
    """

    buckets: frozenset[tuple[str, str]]
    wider: frozenset[tuple[str, str]]
    gap: Gap | None

    def cover(self, bucket: Resource, seen: Seen) -> bool:
        """Whether all reads and writes in a bucket are recorded. Raises Unseen where that is not known."""
        objects = f"{bucket.arn}/"
        if ("", objects) in self.buckets or (bucket.region, objects) in self.buckets:
            return True
        covering = {region for region, prefix in self.wider if objects.startswith(prefix)}
        if covering & {"", bucket.region}:
            return True
        if self.gap is not None:
            raise Unseen(self.gap)
        if bucket.region == GLOBAL and (covering or any(prefix == objects for _, prefix in self.buckets)):
            seen["s3"].get("GetBucketLocation", bucket.name)
        return False


def trails(seen: Seen) -> Iterator[Json]:
    """DescribeTrails of every region, each trail once. Raises Unseen where a region was not seen."""
    found, gap = trail.all_trails(seen)
    if gap is not None:
        raise Unseen(gap)
    return (one.data for one in found)


def data_events(seen: Seen) -> DataEvents:
    """Which S3 data events the trails record; what can't be read makes a gap and hides nothing else."""
    recorded: set[tuple[str, str]] = set()
    found, gap = trail.all_trails(seen)
    for one in found:
        try:
            recorded |= _recorded(one, seen)
        except Unseen as unseen:
            gap = unseen.gap
    buckets = frozenset(one for one in recorded if one[1].endswith("/"))
    return DataEvents(buckets, frozenset(recorded) - buckets, gap)


def _recorded(one: Resource, seen: Seen) -> set[tuple[str, str]]:
    if not trail.is_logging(one, seen):
        return set()
    region = "" if one.data.get("IsMultiRegionTrail") else one.region
    return {(region, prefix) for prefix in trail.object_prefixes(trail.selectors(one, seen))}
