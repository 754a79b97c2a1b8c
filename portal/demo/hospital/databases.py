"""RDS: with and without encryption, TLS parameters, backups and protection."""

from __future__ import annotations

from typing import Any, NamedTuple

from portal.demo.hospital.account import PHI, Account, tag_list
from portal.demo.hospital.identity import VENDOR_ACCOUNT_ID


class Database(NamedTuple):
    """``key`` is the word of a KMS key, or '' for no encryption."""

    name: str
    engine: str
    version: str
    parameters: str
    group: str
    key: str = ""
    backup_days: int = 7
    public: bool = False
    multi_az: bool = False
    protected: bool = False
    logs: tuple[str, ...] = ()
    by_role: bool = False
    authority: str = "rds-ca-rsa2048-g1"


def _parameter_group(account: Account, region: str, name: str, family: str, **values: str) -> str:
    rds = account.client("rds", region)
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description=name)
    rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for key, value in values.items()
        ],
    )
    return name


def _subnet_group(account: Account, region: str, vpc: str) -> str:
    subnets = ["private-data-a", "private-app-b"]
    name = f"{account.prefix}-data"
    account.client("rds", region).create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=name,
        SubnetIds=[account.recall(f"subnet:{vpc}-{subnet}", region) for subnet in subnets],
    )
    return name


def _encryption(account: Account, region: str, key: str) -> dict[str, Any]:
    if not key:
        return {"StorageEncrypted": False}
    return {"StorageEncrypted": True, "KmsKeyId": account.recall(f"key:{key}", region)}


def _instance(account: Account, region: str, database: Database, subnets: str) -> None:
    account.client("rds", region).create_db_instance(
        DBInstanceIdentifier=database.name,
        DBInstanceClass="db.r6g.large",
        Engine=database.engine,
        EngineVersion=database.version,
        AllocatedStorage=200,
        MasterUsername="operator",
        MasterUserPassword="made-up-for-the-demonstration",
        DBParameterGroupName=database.parameters,
        DBSubnetGroupName=subnets,
        VpcSecurityGroupIds=[account.recall(f"group:{database.group}", region)],
        CACertificateIdentifier=database.authority,
        BackupRetentionPeriod=database.backup_days,
        PubliclyAccessible=database.public,
        MultiAZ=database.multi_az,
        EnableIAMDatabaseAuthentication=database.by_role,
        DeletionProtection=database.protected,
        EnableCloudwatchLogsExports=list(database.logs),
        Tags=tag_list(PHI),
        **_encryption(account, region, database.key),
    )


def _aurora(account: Account, region: str, name: str, *, key: str, require_tls: str) -> None:
    rds = account.client("rds", region)
    group = f"{name}-parameters"
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, DBParameterGroupFamily="aurora-mysql8.0", Description=group
    )
    parameter = {"ParameterName": "require_secure_transport", "ParameterValue": require_tls}
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, Parameters=[{**parameter, "ApplyMethod": "pending-reboot"}]
    )
    rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-mysql",
        EngineVersion="8.0.mysql_aurora.3.05.2",
        MasterUsername="operator",
        MasterUserPassword="made-up-for-the-demonstration",
        DBClusterParameterGroupName=group,
        DBSubnetGroupName=f"{account.prefix}-data",
        VpcSecurityGroupIds=[account.recall("group:ehr-database", region)],
        BackupRetentionPeriod=14,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        Tags=tag_list(PHI),
        **_encryption(account, region, key),
    )
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-1",
        DBClusterIdentifier=name,
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
        DBSubnetGroupName=f"{account.prefix}-data",
        PubliclyAccessible=False,
    )


def _share_snapshot(account: Account, database: str, name: str, *whom: str) -> None:
    rds = account.client("rds")
    rds.create_db_snapshot(DBInstanceIdentifier=database, DBSnapshotIdentifier=name)
    if whom:
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=list(whom)
        )


def seed_mercy_databases(account: Account) -> None:
    """One as it should be, one with everything wrong, one in the recovery region, and a cluster."""
    first, last = account.primary, account.secondary
    strict = _parameter_group(account, first, "ehr-postgres-tls", "postgres15", **{"rds.force_ssl": "1"})
    loose = _parameter_group(account, first, "billing-mysql", "mysql8.0", require_secure_transport="0")
    here, there = _subnet_group(account, first, "clinical"), _subnet_group(account, last, "recovery")
    ehr = Database("ehr-primary", "postgres", "15.7", strict, "ehr-database", key="ehr-data", backup_days=35)
    ehr = ehr._replace(multi_az=True, protected=True, by_role=True, logs=("postgresql", "upgrade"))
    _instance(account, first, ehr, here)
    billing = Database("billing", "mysql", "8.0.36", loose, "ehr-database", backup_days=1, public=True)
    _instance(account, first, billing._replace(protected=True, authority="rds-ca-2019"), here)
    lab = Database("lab-results", "mysql", "8.0.36", "default.mysql8.0", "telehealth-database", key="dr-data")
    _instance(account, last, lab._replace(protected=True, multi_az=True, logs=("audit", "error")), there)
    _aurora(account, first, "patient-portal", key="ehr-data", require_tls="ON")
    _share_snapshot(account, "ehr-primary", "ehr-primary-before-upgrade")
    _share_snapshot(account, "billing", "billing-for-consultant", VENDOR_ACCOUNT_ID)
    _share_snapshot(account, "billing", "billing-migration-test", "all")


def seed_northwind_databases(account: Account) -> None:
    """Both encrypted, protected, logged and closed to connections without TLS; one lacks a standby."""
    first = account.primary
    strict = _parameter_group(account, first, "worklist-tls", "postgres15", **{"rds.force_ssl": "1"})
    secure = _parameter_group(account, first, "scheduling-tls", "mysql8.0", require_secure_transport="1")
    subnets = _subnet_group(account, first, "imaging")
    worklist = Database("worklist", "postgres", "15.7", strict, "worklist-database", key="studies")
    scheduling = Database("scheduling", "mysql", "8.0.36", secure, "worklist-database", key="studies")
    for database, logs in ((worklist, ("postgresql", "upgrade")), (scheduling, ("audit", "error"))):
        kept = database._replace(backup_days=14, protected=True, logs=logs, multi_az=database is worklist)
        _instance(account, first, kept, subnets)
