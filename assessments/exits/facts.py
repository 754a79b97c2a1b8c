"""Whether AWS still lists what held PHI: read from what was collected, never guessed.

A resource is gone only where the newest finished run of its connection was begun after the resource was seen, its
answer is of the right account and region, and holds the whole listing without the resource. Where that run couldn't
read the listing, it is not known, whatever an older run said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from assessments.exits.models import ExitResource, ResourceKind
from evidence import vault
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, RunState
from evidence.types import GLOBAL, Answers, Unseen

BEING_DELETED = ("PendingDeletion", "PendingReplicaDeletion")


class Look(StrEnum):
    """What AWS shows of a resource."""

    GONE = "gone"
    PENDING = "pending"
    THERE = "there"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    Look.GONE: "gone",
    Look.PENDING: "pending deletion",
    Look.THERE: "still there",
    Look.UNKNOWN: "not known",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a kind of resource is listed: collector, operation, the field of its list and of its identifier."""

    collector: str
    operation: str
    field: str
    identifier: str


LISTINGS: Mapping[ResourceKind, Listing] = MappingProxyType(
    {
        ResourceKind.BUCKET: Listing("s3", "ListBuckets", "Buckets", "Name"),
        ResourceKind.VOLUME: Listing("ec2", "DescribeVolumes", "Volumes", "VolumeId"),
        ResourceKind.EBS_SNAPSHOT: Listing("ec2", "DescribeSnapshots", "Snapshots", "SnapshotId"),
        ResourceKind.IMAGE: Listing("ec2", "DescribeImages", "Images", "ImageId"),
        ResourceKind.DATABASE: Listing("rds", "DescribeDBInstances", "DBInstances", "DBInstanceIdentifier"),
        ResourceKind.CLUSTER: Listing("rds", "DescribeDBClusters", "DBClusters", "DBClusterIdentifier"),
        ResourceKind.DATABASE_SNAPSHOT: Listing(
            "rds", "DescribeDBSnapshots", "DBSnapshots", "DBSnapshotIdentifier"
        ),
        ResourceKind.CLUSTER_SNAPSHOT: Listing(
            "rds", "DescribeDBClusterSnapshots", "DBClusterSnapshots", "DBClusterSnapshotIdentifier"
        ),
        ResourceKind.KEY: Listing("kms", "ListKeys", "Keys", "KeyId"),
    }
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What AWS shows of one resource. `at` and `digest` are of the answer; `why` says what isn't known and why."""

    kind: ResourceKind
    identifier: str
    region: str
    account: str
    look: Look
    why: str = ""
    until: datetime | None = None
    """When AWS deletes a key that is pending deletion."""
    at: datetime | None = None
    digest: str = ""
    snapshot_id: UUID | None = None

    def to_json(self) -> dict[str, str]:
        """With times as RFC 3339, for rows and documents."""
        return {
            "kind": str(self.kind), "kind_label": self.kind.label, "identifier": self.identifier, "region": self.region,
            "account": self.account, "look": str(self.look), "look_label": self.look.label, "why": self.why,
            "until": _moment(self.until), "at": _moment(self.at), "digest": self.digest,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """What the newest finished run of a connection learned in one place. `answers` is None where nothing came."""

    run: CollectionRun | None
    unit: CollectionUnit | None
    answers: Answers | None
    account: str = ""

    @property
    def digest(self) -> str:
        """Of the sealed answer."""
        return self.unit.snapshot.blob.digest if self.unit and self.unit.snapshot else ""

    @property
    def snapshot_id(self) -> UUID | None:
        """Of the sealed answer."""
        return self.unit.snapshot_id if self.unit else None


class Reading:
    """The newest finished run of each connection, its answers opened once each."""

    def __init__(self) -> None:
        self._runs: dict[UUID, CollectionRun | None] = {}
        self._read: dict[tuple[UUID, str, str], Read] = {}

    def at(self, connection_id: UUID, collector: str, region: str) -> Read:
        """What was learned in one place. Raises vault.NotIntact, StoreUnavailable."""
        place = (connection_id, collector, region)
        if place not in self._read:
            self._read[place] = self._open(*place)
        return self._read[place]

    def newest(self, connection_id: UUID) -> CollectionRun | None:
        """The newest finished run."""
        if connection_id not in self._runs:
            rows = CollectionRun.objects.filter(connection=connection_id, state=RunState.FINISHED)
            self._runs[connection_id] = rows.order_by("-started_at", "-id").first()
        return self._runs[connection_id]

    def _open(self, connection_id: UUID, collector: str, region: str) -> Read:
        run = self.newest(connection_id)
        if run is None:
            return Read(None, None, None)
        units = CollectionUnit.objects.filter(run=run, collector=collector, region=region)
        unit = units.select_related("snapshot__blob").first()
        if unit is None or unit.snapshot is None:
            return Read(run, unit, None)
        payload = json.loads(vault.open_blob(unit.snapshot.blob))
        return Read(run, unit, Answers.from_payload(payload), str(payload["account_id"]))


def facts_of(resources: Iterable[ExitResource]) -> list[Fact]:
    """What AWS shows of each, in their order. Raises vault.NotIntact, StoreUnavailable."""
    reading = Reading()
    return [_fact(resource, reading) for resource in resources]


def _fact(resource: ExitResource, reading: Reading) -> Fact:
    kind, account = ResourceKind(resource.kind), resource.connection.aws_account_id
    listing = LISTINGS[kind]
    read = reading.at(resource.connection_id, listing.collector, resource.region)

    def say(look: Look, why: str = "", until: datetime | None = None) -> Fact:
        at = read.unit.collected_at if read.unit and read.answers else None
        return Fact(
            kind,
            resource.identifier,
            resource.region,
            account,
            look,
            why,
            until,
            at,
            read.digest,
            read.snapshot_id,
        )

    if read.run is None or read.unit is None:
        return say(Look.UNKNOWN, "The newest collection didn't look there.")
    if read.answers is None:
        return say(Look.UNKNOWN, _gap_of(read.unit))
    if read.account != account:
        return say(Look.UNKNOWN, "The newest collection is of another account.")
    try:
        return _judge(resource, read, say)
    except Unseen as unseen:
        return say(Look.UNKNOWN, f"The newest collection couldn't read it: {unseen.gap}.")


def _judge(resource: ExitResource, read: Read, say: Callable[..., Fact]) -> Fact:
    listing = LISTINGS[ResourceKind(resource.kind)]
    answers = read.answers
    if answers is None or read.run is None:
        raise ValueError("nothing was read")
    if answers.get(listing.operation) is None:
        return say(Look.UNKNOWN, "AWS gave no listing.")
    listed = any(
        each.get(listing.identifier) == resource.identifier
        for each in answers.items(listing.operation, listing.field)
    )
    if not listed:
        if read.run.started_at <= resource.seen_at:
            return say(Look.UNKNOWN, "Nothing was collected since it was seen.")
        return say(Look.GONE)
    if resource.kind == ResourceKind.KEY:
        return _judge_key(answers, resource.identifier, say)
    return say(Look.THERE)


def _judge_key(answers: Answers, key_id: str, say: Callable[..., Fact]) -> Fact:
    key = (answers.get("DescribeKey", key_id) or {}).get("KeyMetadata", {})
    if key.get("KeyState") in BEING_DELETED:
        return say(Look.PENDING, until=_date(key.get("DeletionDate")))
    if not key.get("KeyState"):
        return say(Look.UNKNOWN, "AWS lists the key and didn't tell its state.")
    return say(Look.THERE)


def _gap_of(unit: CollectionUnit) -> str:
    gaps = unit.gaps or [{}]
    reason = gaps[0].get("message") or gaps[0].get("code") or "no answer came"
    return f"The newest collection couldn't read it: {reason}"[:500]


def _date(said: Any) -> datetime | None:
    """A time as the collector keeps it: RFC 3339."""
    if not isinstance(said, str) or not said:
        return None
    at = datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource that AWS listed when it was asked last. `words`: what people know it by."""

    connection_id: UUID
    kind: ResourceKind
    region: str
    identifier: str
    words: str
    seen_at: datetime
    digest: str


def candidates(connection: AwsConnection, kind: ResourceKind) -> tuple[list[Candidate], list[str]]:
    """What the newest finished run listed, and a sentence for each region that it couldn't read.

    Raises vault.NotIntact, StoreUnavailable.
    """
    listing, reading = LISTINGS[kind], Reading()
    found: list[Candidate] = []
    unread: list[str] = []
    for region in [GLOBAL] if listing.collector == "s3" else connection.regions:
        read = reading.at(connection.pk, listing.collector, region)
        try:
            found += _listed(connection, kind, region, read)
        except Unseen:
            unread.append(region)
    return found, unread


def _listed(connection: AwsConnection, kind: ResourceKind, region: str, read: Read) -> Iterable[Candidate]:
    listing = LISTINGS[kind]
    answers = read.answers or Answers(listing.collector, region, {}, {})
    rows = answers.items(listing.operation, listing.field)
    if read.unit is None or read.unit.collected_at is None:
        return []
    seen_at = read.unit.collected_at
    return [
        Candidate(
            connection.pk,
            kind,
            region,
            row[listing.identifier],
            _words(kind, row, answers),
            seen_at,
            read.digest,
        )
        for row in rows
        if kind is not ResourceKind.KEY or _is_own_key(answers, row["KeyId"])
    ]


def _is_own_key(answers: Answers, key_id: str) -> bool:
    """Whether a customer manages the key; AWS's own can't be deleted. A key that wasn't described may be."""
    try:
        key = (answers.get("DescribeKey", key_id) or {}).get("KeyMetadata", {})
    except Unseen:
        return True
    return bool(key.get("KeyManager", "CUSTOMER") == "CUSTOMER")


def _words(kind: ResourceKind, row: Mapping[str, Any], answers: Answers) -> str:
    if kind is ResourceKind.KEY:
        try:
            aliases = answers.items("ListAliases", "Aliases")
        except Unseen:
            return ""
        return ", ".join(each["AliasName"] for each in aliases if each.get("TargetKeyId") == row["KeyId"])
    tags = {tag.get("Key"): tag.get("Value") for tag in row.get("Tags") or row.get("TagList") or ()}
    return str(tags.get("Name") or row.get("Description") or row.get("DBInstanceIdentifier", ""))[:200]
