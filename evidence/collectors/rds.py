"""Databases: encryption, exposure, backups, sharing of snapshots, and parameters that demand TLS."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope


def collect(aws: Reader) -> None:
    instances = aws.list("DescribeDBInstances", "DBInstances")
    clusters = aws.list("DescribeDBClusters", "DBClusters")
    aws.list("DescribeOptionGroups", "OptionGroupsList")
    aws.list("DescribeDBSubnetGroups", "DBSubnetGroups")
    _read_snapshots(aws)
    _read_parameters(aws, instances, clusters)


def _read_snapshots(aws: Reader) -> None:
    def look_at(name: str) -> None:
        aws.get("DescribeDBSnapshotAttributes", key=name, DBSnapshotIdentifier=name)

    def look_at_cluster(name: str) -> None:
        aws.get("DescribeDBClusterSnapshotAttributes", key=name, DBClusterSnapshotIdentifier=name)

    snapshots = aws.list("DescribeDBSnapshots", "DBSnapshots")
    of_clusters = aws.list("DescribeDBClusterSnapshots", "DBClusterSnapshots")
    aws.each(look_at, _manual(snapshots, "DBSnapshotIdentifier"))
    aws.each(look_at_cluster, _manual(of_clusters, "DBClusterSnapshotIdentifier"))


def _manual(snapshots: list[dict[str, Any]], identifier: str) -> list[str]:
    """Only manual snapshots can be shared."""
    return [snapshot[identifier] for snapshot in snapshots if snapshot.get("SnapshotType") == "manual"]


def _read_parameters(aws: Reader, instances: list[dict[str, Any]], clusters: list[dict[str, Any]]) -> None:
    def read(group: str) -> None:
        aws.list("DescribeDBParameters", "Parameters", key=group, DBParameterGroupName=group)

    def read_cluster(group: str) -> None:
        aws.list("DescribeDBClusterParameters", "Parameters", key=group, DBClusterParameterGroupName=group)

    alone = (instance for instance in instances if not instance.get("DBClusterIdentifier"))
    groups = {
        group["DBParameterGroupName"] for instance in alone for group in instance.get("DBParameterGroups", ())
    }
    aws.each(read, sorted(groups))
    aws.each(
        read_cluster,
        sorted(
            {
                cluster["DBClusterParameterGroup"]
                for cluster in clusters
                if cluster.get("DBClusterParameterGroup")
            }
        ),
    )


COLLECTOR = Collector(
    title="RDS databases",
    service="rds",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "rds:DescribeDBInstances",
            "DescribeDBInstances",
            "Lists your databases, their encryption, backups and whether the internet reaches them.",
        ),
        Action(
            "rds:DescribeDBClusters",
            "DescribeDBClusters",
            "Lists your database clusters, their encryption and backups.",
        ),
        Action(
            "rds:DescribeDBSnapshots",
            "DescribeDBSnapshots",
            "Shows which copies of databases exist and whether they are encrypted.",
        ),
        Action(
            "rds:DescribeDBClusterSnapshots",
            "DescribeDBClusterSnapshots",
            "Shows which copies of database clusters exist and whether they are encrypted.",
        ),
        Action(
            "rds:DescribeDBSnapshotAttributes",
            "DescribeDBSnapshotAttributes",
            "Shows whether a copy of a database is shared with other accounts or with everyone.",
        ),
        Action(
            "rds:DescribeDBClusterSnapshotAttributes",
            "DescribeDBClusterSnapshotAttributes",
            "Shows whether a copy of a database cluster is shared with other accounts or with everyone.",
        ),
        Action(
            "rds:DescribeDBParameters",
            "DescribeDBParameters",
            "Shows whether a database demands encrypted connections and logs what is done in it.",
        ),
        Action(
            "rds:DescribeDBClusterParameters",
            "DescribeDBClusterParameters",
            "Shows whether a database cluster demands encrypted connections and logs what is done in it.",
        ),
        Action(
            "rds:DescribeOptionGroups",
            "DescribeOptionGroups",
            "Shows options such as auditing or native encryption of some databases.",
        ),
        Action(
            "rds:DescribeDBSubnetGroups",
            "DescribeDBSubnetGroups",
            "Shows in which parts of a network databases stand.",
        ),
    ),
    collect=collect,
)
