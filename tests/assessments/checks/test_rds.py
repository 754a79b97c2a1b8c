"""What checks of databases must not be fooled by."""

from typing import Any

import pytest

from assessments.checks.base import Outcome, Refused
from tests.examples_kit import assert_no_field_is_relied_on, checks_of, only, outcomes, results

TLS = "rds_instance_tls_required"
STANDALONE = (
    "rds_instance_backup_retention",
    "rds_instance_customer_key",
    "rds_instance_deletion_protection",
    "rds_instance_iam_authentication",
    "rds_instance_logs_exported",
    "rds_instance_multi_az",
    TLS,
)


def instance(
    name: str = "records", *, group: str = "g", status: str = "in-sync", **fields: Any
) -> dict[str, Any]:
    groups = [{"DBParameterGroupName": group, "ParameterApplyStatus": status}]
    return {"DBInstanceIdentifier": name, "DBParameterGroups": groups, **fields}


def seen(
    *rows: dict[str, Any], parameters: dict[str, Any] | None = None, **operations: Any
) -> dict[str, Any]:
    groups = {
        group: {"Parameters": values} if isinstance(values, list) else values
        for group, values in (parameters or {}).items()
    }
    return {
        "rds": {
            "DescribeDBInstances": {"": {"DBInstances": list(rows)}},
            "DescribeDBParameters": groups,
            **operations,
        }
    }


def parameter(name: str, value: str | None = None) -> list[dict[str, str]]:
    return [{"ParameterName": name} | ({} if value is None else {"ParameterValue": value})]


def test_no_check_of_databases_relies_on_a_field_being_there() -> None:
    assert_no_field_is_relied_on("rds", {})


def test_a_denied_listing_is_one_unknown_for_each_check() -> None:
    for check in checks_of("rds"):
        found = results(
            check.id,
            {"rds": {"*": {"": Refused()}}, "vpc": {"DescribeRouteTables": {"": {"RouteTables": []}}}},
        )
        assert [result.outcome for result in found] == [Outcome.UNKNOWN], check.id


def test_databases_of_one_name_in_two_regions_are_two_resources() -> None:
    example = {
        "rds": seen(instance(StorageEncrypted=True))["rds"],
        "rds@eu-west-1": seen(instance(StorageEncrypted=False))["rds"],
    }
    found = results("rds_instance_storage_encrypted", example)
    assert {result.arn: result.outcome for result in found} == {
        "arn:aws:rds:us-east-1:111122223333:db:records": Outcome.PASS,
        "arn:aws:rds:eu-west-1:111122223333:db:records": Outcome.FAIL,
    }


@pytest.mark.parametrize("check", STANDALONE)
def test_a_member_of_a_cluster_is_judged_as_its_cluster(check: str) -> None:
    assert results(check, seen(instance(DBClusterIdentifier="c", Engine="aurora-mysql"))) == []


@pytest.mark.parametrize("check", ["rds_instance_backup_retention", "rds_instance_multi_az"])
def test_a_read_replica_needs_neither_backups_nor_a_standby(check: str) -> None:
    row = instance(ReadReplicaSourceDBInstanceIdentifier="source", BackupRetentionPeriod=0, MultiAZ=False)
    assert only(check, seen(row)) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("engine", "version", "values", "outcome"),
    [
        ("mysql", "8.0.39", parameter("require_secure_transport", "1"), Outcome.PASS),
        ("mysql", "8.0.39", parameter("require_secure_transport", "ON"), Outcome.PASS),
        ("mysql", "8.0.39", parameter("require_secure_transport", "0"), Outcome.FAIL),
        ("mysql", "8.0.39", parameter("require_secure_transport"), Outcome.FAIL),
        ("mysql", "8.0.39", parameter("rds.force_ssl", "1"), Outcome.UNKNOWN),
        ("mariadb", "10.11.8", parameter("require_secure_transport", "1"), Outcome.PASS),
        ("mariadb", "11.8.1", parameter("require_secure_transport"), Outcome.UNKNOWN),
        ("postgres", "14.12", parameter("rds.force_ssl"), Outcome.FAIL),
        ("postgres", "15.7", parameter("rds.force_ssl"), Outcome.PASS),
        ("postgres", "16.4", parameter("rds.force_ssl", "0"), Outcome.FAIL),
        ("postgres", "", parameter("rds.force_ssl"), Outcome.UNKNOWN),
        ("sqlserver-se", "15.00.4365.2.v1", parameter("rds.force_ssl", "1"), Outcome.PASS),
        ("sqlserver-ex", "15.00.4365.2.v1", parameter("rds.force_ssl", "0"), Outcome.FAIL),
        ("sqlserver-ex", "15.00.4365.2.v1", parameter("rds.force_ssl"), Outcome.FAIL),
        ("db2-se", "11.5.9", parameter("rds.force_ssl", "1"), Outcome.UNKNOWN),
    ],
)
def test_tls_is_forced_by_the_engines_own_parameter(
    engine: str, version: str, values: list[Any], outcome: Outcome
) -> None:
    row = instance(Engine=engine, EngineVersion=version)
    assert only(TLS, seen(row, parameters={"g": values})) is outcome


def test_a_parameter_that_waits_for_a_reboot_is_not_yet_in_effect() -> None:
    row = instance(Engine="sqlserver-se", status="pending-reboot")
    assert only(TLS, seen(row, parameters={"g": parameter("rds.force_ssl", "1")})) is Outcome.UNKNOWN
    assert only(TLS, seen(row, parameters={"g": parameter("rds.force_ssl", "0")})) is Outcome.FAIL


def test_a_parameter_group_that_is_denied_concerns_its_own_instances_only() -> None:
    rows = [instance("a", group="denied", Engine="mysql"), instance("b", Engine="mysql")]
    example = seen(*rows, parameters={"denied": Refused(), "g": parameter("require_secure_transport", "1")})
    assert outcomes(TLS, example) == {"a": Outcome.UNKNOWN, "b": Outcome.PASS}


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (
            [
                {
                    "OptionName": "NATIVE_NETWORK_ENCRYPTION",
                    "OptionSettings": [{"Name": "SQLNET.ENCRYPTION_SERVER", "Value": "REQUIRED"}],
                }
            ],
            Outcome.PASS,
        ),
        (
            [
                {
                    "OptionName": "NATIVE_NETWORK_ENCRYPTION",
                    "OptionSettings": [{"Name": "SQLNET.ENCRYPTION_SERVER", "Value": "REQUESTED"}],
                }
            ],
            Outcome.FAIL,
        ),
        ([{"OptionName": "NATIVE_NETWORK_ENCRYPTION"}], Outcome.UNKNOWN),
        ([{"OptionName": "SSL"}], Outcome.UNKNOWN),
        ([{"OptionName": "TDE"}], Outcome.FAIL),
        ([], Outcome.FAIL),
        (None, Outcome.UNKNOWN),
    ],
)
def test_oracle_is_judged_by_its_option_group(options: Any, outcome: Outcome) -> None:
    row = instance(Engine="oracle-ee", OptionGroupMemberships=[{"OptionGroupName": "o"}])
    group = {"OptionGroupName": "o"} | ({} if options is None else {"Options": options})
    example = seen(row, DescribeOptionGroups={"": {"OptionGroupsList": [group]}})
    assert only(TLS, example) is outcome


def test_denied_option_groups_concern_oracle_only() -> None:
    rows = [instance("a", Engine="oracle-se2"), instance("b", Engine="postgres")]
    example = seen(
        *rows, parameters={"g": parameter("rds.force_ssl", "1")}, DescribeOptionGroups={"": Refused()}
    )
    assert outcomes(TLS, example) == {"a": Outcome.UNKNOWN, "b": Outcome.PASS}


@pytest.mark.parametrize("check", ["rds_instance_snapshot_not_public", "rds_instance_snapshot_not_shared"])
def test_sharing_is_judged_for_manual_snapshots_and_one_denied_is_unknown(check: str) -> None:
    kinds = {"automatic": "automated", "mine": "manual", "denied": "manual"}
    rows = [{"DBSnapshotIdentifier": name, "SnapshotType": kind} for name, kind in kinds.items()]
    nobody = {
        "DBSnapshotAttributesResult": {
            "DBSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": []}]
        }
    }
    example: dict[str, Any] = {
        "rds": {
            "DescribeDBSnapshots": {"": {"DBSnapshots": rows}},
            "DescribeDBSnapshotAttributes": {"mine": nobody, "denied": Refused()},
        }
    }
    assert outcomes(check, example) == {"mine": Outcome.PASS, "denied": Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"CACertificateIdentifier": "rds-ca-2019"}, Outcome.FAIL),
        (
            {
                "CACertificateIdentifier": "rds-ca-2019",
                "CertificateDetails": {"ValidTill": "2030-01-01T00:00:00Z"},
            },
            Outcome.FAIL,
        ),
        ({"CertificateDetails": {"ValidTill": "2026-01-14T00:00:00Z"}}, Outcome.FAIL),
        ({"CertificateDetails": {"ValidTill": "2026-02-14T11:00:00Z"}}, Outcome.FAIL),
        ({"CertificateDetails": {"ValidTill": "2026-02-14T13:00:00Z"}}, Outcome.PASS),
        ({"CACertificateIdentifier": "rds-ca-rsa2048-g1"}, Outcome.UNKNOWN),
    ],
)
def test_a_certificate_counts_with_its_authority_and_its_end(
    fields: dict[str, Any], outcome: Outcome
) -> None:
    assert only("rds_instance_certificate_valid", seen(instance(**fields))) is outcome


@pytest.mark.parametrize(
    ("engine", "exports", "outcome"),
    [
        ("mysql", ["audit"], Outcome.PASS),
        ("mysql", ["error", "slowquery"], Outcome.FAIL),
        ("postgres", ["upgrade"], Outcome.FAIL),
        ("sqlserver-web", ["error"], Outcome.PASS),
        ("oracle-ee", ["alert", "trace"], Outcome.FAIL),
        ("db2-se", ["diag.log"], Outcome.PASS),
        ("db2-se", [], Outcome.FAIL),
    ],
)
def test_an_exported_log_counts_if_it_says_who_did_what(
    engine: str, exports: list[str], outcome: Outcome
) -> None:
    row = instance(Engine=engine, EnabledCloudwatchLogsExports=exports)
    assert only("rds_instance_logs_exported", seen(row)) is outcome
