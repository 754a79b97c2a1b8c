"""Values that evidence is made of, free of Django and AWS libraries, so that checks can use them.

A collector's answers have one form, the payload of a snapshot:

    {"collector": "s3", "version": 1, "account_id": "222222222222", "partition": "aws", "region": "global",
     "calls": {"ListBuckets": {"": {"response": {"Buckets": [...]}}},
               "GetBucketPolicy": {"logs": {"response": {"Policy": "..."}},
                                   "scans": {"absent": "NoSuchBucketPolicy"}}},
     "gaps": [{"operation": "GetBucketPolicy", "key": "archive", "reason": "denied", "code": "AccessDenied"}]}

`calls` holds what AWS said, by operation and by key (the thing the call was about; "" for a listing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

GLOBAL = "global"
"""The region name of answers that belong to the whole account."""

Json = Mapping[str, Any]


class GapReason(StrEnum):
    """Why a call gave no answer."""

    DENIED = "denied"
    THROTTLED = "throttled"
    REGION_OFF = "region_off"
    NOT_ENABLED = "not_enabled"
    UNSUPPORTED = "unsupported"
    EXPIRED = "expired"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    NOT_COLLECTED = "not_collected"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _GAP_LABELS[self]


_GAP_LABELS = {
    GapReason.DENIED: "access denied",
    GapReason.THROTTLED: "throttled by AWS",
    GapReason.REGION_OFF: "region is off",
    GapReason.NOT_ENABLED: "service not enabled",
    GapReason.UNSUPPORTED: "not supported there",
    GapReason.EXPIRED: "session expired",
    GapReason.TIMED_OUT: "timed out",
    GapReason.FAILED: "call failed",
    GapReason.NOT_COLLECTED: "not collected",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A call that gave no answer. `action` is the IAM action that permits the call, where one is declared."""

    service: str
    operation: str
    region: str
    reason: GapReason
    key: str = ""
    code: str = ""
    message: str = ""
    action: str = ""

    def __str__(self) -> str:
        about = f" for {self.key}" if self.key else ""
        code = f" ({self.code})" if self.code else ""
        return f"{self.service}:{self.operation}{about} in {self.region}: {self.reason.label}{code}"


class Unseen(Exception):
    """Raised when a check reads an answer that was not seen; the check's outcome is then UNKNOWN."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(str(gap))
        self.gap = gap


@dataclass(frozen=True, slots=True)
class Answers:
    """What one collector learned in one region: a snapshot's payload, read through its gaps."""

    collector: str
    region: str
    calls: Mapping[str, Mapping[str, Json]]
    gaps: Mapping[tuple[str, str], Gap]

    @classmethod
    def from_payload(cls, payload: Json) -> Answers:
        """Reads a snapshot's payload (see the module's docstring)."""
        collector, region = payload["collector"], payload["region"]
        gaps = [
            Gap(
                service=gap.get("service", collector),
                operation=gap["operation"].rpartition(":")[2],
                region=region,
                reason=GapReason(gap["reason"]),
                key=gap["key"],
                code=gap["code"],
            )
            for gap in payload["gaps"]
        ]
        # Calls to another service are recorded as "service:Operation", which is what checks ask for.
        places = [(gap["operation"], gap["key"]) for gap in payload["gaps"]]
        return cls(collector, region, payload["calls"], dict(zip(places, gaps, strict=True)))

    def get(self, operation: str, key: str = "") -> Json | None:
        """The response to a call, or None where AWS said that there is no such setting.

        Raises Unseen where the call gave no answer or was never made.
        """
        answer = self.calls.get(operation, {}).get(key)
        if answer is None:
            raise Unseen(self._gap(operation, key))
        response: Json | None = answer.get("response")
        return response

    def items(self, operation: str, field_name: str, key: str = "") -> Sequence[Any]:
        """The list in a listing's response, over all its pages; empty where AWS said there is none."""
        response = self.get(operation, key)
        return () if response is None else response.get(field_name) or ()

    def keys(self, operation: str) -> Iterable[str]:
        """The keys for which an operation was answered."""
        return self.calls.get(operation, {})

    def _gap(self, operation: str, key: str) -> Gap:
        for place in ((operation, key), (operation, ""), ("*", "")):
            if place in self.gaps:
                return self.gaps[place]
        return Gap(self.collector, operation, self.region, GapReason.NOT_COLLECTED, key)


@dataclass(frozen=True, slots=True)
class Seen:
    """All answers about one account that a check may read, from the point of view of one region.

    `seen["kms"]` are the answers of this region, or of the whole account for a global collector.
    `seen.in_region("ec2", "us-west-2")` and `seen.regions("ec2")` reach the others.
    `at` is the time of the evaluation (aware UTC): ages are counted from it, never from the wall clock.
    """

    account_id: str
    partition: str
    region: str
    at: datetime
    answers: Mapping[tuple[str, str], Answers] = field(repr=False)

    def __getitem__(self, collector: str) -> Answers:
        found = self.answers.get((collector, self.region)) or self.answers.get((collector, GLOBAL))
        if found is None:
            raise Unseen(Gap(collector, "*", self.region, GapReason.NOT_COLLECTED))
        return found

    def in_region(self, collector: str, region: str) -> Answers:
        """The collector's answers in a named region. Raises Unseen where it was not collected."""
        found = self.answers.get((collector, region))
        if found is None:
            raise Unseen(Gap(collector, "*", region, GapReason.NOT_COLLECTED))
        return found

    def regions(self, collector: str) -> Iterator[Answers]:
        """The collector's answers in every region it was collected in, by region name."""
        for (name, _region), answers in sorted(self.answers.items()):
            if name == collector:
                yield answers

    def from_region(self, region: str) -> Seen:
        """The same answers from another region's point of view."""
        return Seen(self.account_id, self.partition, region, self.at, self.answers)
