from __future__ import annotations

from datetime import timedelta
from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2, rds
from evidence.types import Seen

_ENDED = {"rds-ca-2015": "March 2020", "rds-ca-2019": "August 2024"}
_SOON = timedelta(days=-30)


def judge(instance: Resource, seen: Seen) -> Verdict:
    details = instance.data.get("CertificateDetails") or {}
    authority = instance.data.get("CACertificateIdentifier") or details.get("CAIdentifier")
    if authority in _ENDED:
        return failed(f"its certificate is of {authority}, which ended in {_ENDED[authority]}")
    end = str(details.get("ValidTill") or "")
    age = ec2.age(seen, end)
    if age is None:
        return unknown(f"AWS did not say until when its certificate ({authority or 'unnamed'}) is valid")
    if age > timedelta():
        return failed(f"its certificate ended on {end[:10]}")
    observed = f"its certificate is valid until {end[:10]}"
    return failed(observed) if age > _SOON else passed(observed)


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Certificates of database servers are valid for another month",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(e)(1)", "164.312(e)(2)(ii)"),
    rationale="Clients that check the server's certificate can't connect once it has ended, and are then told not to check. Without the check, ePHI goes to whoever poses as the database.",
    expected="The certificate's authority has not ended (rds-ca-2019 did in August 2024), and the certificate is valid for 30 more days.",
    fix=Fix(
        console="RDS, Certificate update: give clients the new trust store, then update the instance to rds-ca-rsa2048-g1.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  ca_cert_identifier = "rds-ca-rsa2048-g1"\n}',
    ),
    resources=rds.instances,
    judge=judge,
    passing=(
        _example(
            CACertificateIdentifier="rds-ca-rsa2048-g1",
            CertificateDetails={"ValidTill": "2026-12-01T00:00:00Z"},
        ),
    ),
    failing=(
        _example(CACertificateIdentifier="rds-ca-2019"),
        _example(
            CACertificateIdentifier="rds-ca-rsa2048-g1",
            CertificateDetails={"ValidTill": "2026-01-20T00:00:00Z"},
        ),
    ),
)
