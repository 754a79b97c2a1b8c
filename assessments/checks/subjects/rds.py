"""What the rds collector lists in one region. DocumentDB and Neptune answer the same calls and are listed too.

An instance that is a member of a cluster has its cluster's storage, backups, parameters and protection, so that
these are judged on the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from assessments.checks.base import Resource, Verdict, failed, passed, unknown
from assessments.checks.subjects.vpc import Routing, is_public
from evidence.types import Json, Seen

BACKUP_DAYS = 7
_LOGS = {
    "mysql": {"audit", "general"},
    "mariadb": {"audit", "general"},
    "aurora-mysql": {"audit", "general"},
    "aurora": {"audit", "general"},
    "postgres": {"postgresql"},
    "aurora-postgresql": {"postgresql"},
    "oracle": {"audit"},
    "sqlserver": {"error", "agent"},
    "docdb": {"audit"},
    "neptune": {"audit"},
}
_IAM_ENGINES = ("mysql", "mariadb", "postgres", "aurora", "neptune")


def instances(seen: Seen) -> Iterator[Resource]:
    """All database instances."""
    for row in seen["rds"].items("DescribeDBInstances", "DBInstances"):
        yield _resource(seen, row, "DBInstance", "db")


def standalone_instances(seen: Seen) -> Iterator[Resource]:
    """Instances that are in no cluster."""
    return (instance for instance in instances(seen) if not instance.data.get("DBClusterIdentifier"))


def clusters(seen: Seen) -> Iterator[Resource]:
    """Aurora and Multi-AZ clusters."""
    for row in seen["rds"].items("DescribeDBClusters", "DBClusters"):
        yield _resource(seen, row, "DBCluster", "cluster")


def instance_snapshots(seen: Seen) -> Iterator[Resource]:
    """Snapshots of instances, manual and automated."""
    for row in seen["rds"].items("DescribeDBSnapshots", "DBSnapshots"):
        yield _resource(seen, row, "DBSnapshot", "snapshot")


def cluster_snapshots(seen: Seen) -> Iterator[Resource]:
    """Snapshots of clusters, manual and automated."""
    for row in seen["rds"].items("DescribeDBClusterSnapshots", "DBClusterSnapshots"):
        yield _resource(seen, row, "DBClusterSnapshot", "cluster-snapshot")


def manual_instance_snapshots(seen: Seen) -> Iterator[Resource]:
    """Only manual snapshots can be shared."""
    return filter(_is_manual, instance_snapshots(seen))


def manual_cluster_snapshots(seen: Seen) -> Iterator[Resource]:
    """Only manual snapshots can be shared."""
    return filter(_is_manual, cluster_snapshots(seen))


def instances_with_subnets(seen: Seen) -> Iterator[Resource]:
    """Instances with `Subnets`: whether each subnet that they may be placed in is public (None: not known), by id."""
    routing = Routing.read(seen)
    for instance in instances(seen):
        group = instance.data.get("DBSubnetGroup") or {}
        names = [row.get("SubnetIdentifier") or "" for row in group.get("Subnets") or ()]
        tables = {name: routing.table({"SubnetId": name, "VpcId": group.get("VpcId")}) for name in names}
        public = {name: is_public(table) for name, table in tables.items()}
        yield instance._replace(data={**instance.data, "Subnets": public})


def _is_manual(snapshot: Resource) -> bool:
    return bool(snapshot.data.get("SnapshotType", "manual") == "manual")


def _resource(seen: Seen, row: Json, prefix: str, kind: str) -> Resource:
    name = row.get(f"{prefix}Identifier") or ""
    arn = row.get(f"{prefix}Arn") or f"arn:{seen.partition}:rds:{seen.region}:{seen.account_id}:{kind}:{name}"
    return Resource(arn, name, kind, seen.region, row)


def family(database: Resource) -> str:
    """The engine without its edition: oracle, sqlserver, mysql, aurora-postgresql and so on."""
    engine = str(database.data.get("Engine") or "")
    return next((name for name in ("oracle", "sqlserver", "db2") if engine.startswith(f"{name}-")), engine)


def judge_encrypted(database: Resource, _seen: Seen) -> Verdict:
    """PASS where the storage of an instance, a cluster or a snapshot is encrypted."""
    field = "Encrypted" if database.kind == "snapshot" else "StorageEncrypted"
    match database.data.get(field):
        case True:
            return passed(f"encrypted with the key {database.data.get('KmsKeyId', 'that AWS did not name')}")
        case False:
            return failed("not encrypted")
    return unknown("AWS did not say whether it is encrypted")


def judge_backups(database: Resource, _seen: Seen) -> Verdict:
    """PASS where automated backups are kept for a week or longer."""
    days = database.data.get("BackupRetentionPeriod")
    if days is None:
        return unknown("AWS did not say how long backups are kept")
    observed = (
        f"automated backups are kept for {days} day{'' if days == 1 else 's'}"
        if days
        else "automated backups are off"
    )
    return passed(observed) if days >= BACKUP_DAYS else failed(observed)


def judge_flag(database: Resource, field: str, on: str, off: str) -> Verdict:
    """PASS with `on` where a field is true, FAIL with `off` where it is false."""
    match database.data.get(field):
        case True:
            return passed(on)
        case False:
            return failed(off)
    return unknown(f"AWS did not say {field}")


def judge_logs(database: Resource, _seen: Seen) -> Verdict:
    """PASS where the engine's log of who did what goes to CloudWatch Logs, or an activity stream records it."""
    if database.data.get("ActivityStreamStatus") == "started":
        return passed("an activity stream records what is done in it")
    exported = set(database.data.get("EnabledCloudwatchLogsExports") or ())
    listed = f"exports {', '.join(sorted(exported))} to CloudWatch Logs" if exported else "exports no logs"
    engine = family(database)
    if not engine:
        return unknown(f"{listed}; AWS did not say its engine")
    wanted = _LOGS.get(engine, exported)
    missing = f"{listed}; expected is {' or '.join(sorted(wanted))}" if wanted else listed
    return passed(listed) if wanted & exported else failed(missing)


def supports_iam(database: Resource) -> bool:
    """Whether the engine takes IAM credentials."""
    return family(database).startswith(_IAM_ENGINES)


def shared_with(snapshot: Resource, seen: Seen) -> list[str] | None:
    """Accounts that may restore a manual snapshot, `all` for everybody; None where AWS did not say."""
    name = "DBClusterSnapshot" if snapshot.kind == "cluster-snapshot" else "DBSnapshot"
    answer = seen["rds"].get(f"Describe{name}Attributes", snapshot.name) or {}
    rows = (answer.get(f"{name}AttributesResult") or {}).get(f"{name}Attributes")
    if rows is None or any("AttributeName" not in row or "AttributeValues" not in row for row in rows):
        return None
    return [value for row in rows if row["AttributeName"] == "restore" for value in row["AttributeValues"]]


def judge_not_public(snapshot: Resource, seen: Seen) -> Verdict:
    """FAIL where everybody may restore a snapshot."""
    accounts = shared_with(snapshot, seen)
    if accounts is None:
        return unknown("AWS did not say who may restore it")
    return (
        failed("every AWS account may restore it")
        if "all" in accounts
        else passed("not shared with everybody")
    )


def judge_not_shared(snapshot: Resource, seen: Seen) -> Verdict:
    """FAIL where named other accounts may restore a snapshot."""
    accounts = shared_with(snapshot, seen)
    if accounts is None:
        return unknown("AWS did not say who may restore it")
    foreign = sorted(set(accounts) - {"all", seen.account_id})
    return (
        failed(f"shared with the accounts {', '.join(foreign)}")
        if foreign
        else passed("shared with no other account")
    )
