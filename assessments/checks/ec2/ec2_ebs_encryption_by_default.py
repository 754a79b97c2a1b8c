from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(_settings: Resource, seen: Seen) -> Verdict:
    match (seen["ec2"].get("GetEbsEncryptionByDefault") or {}).get("EbsEncryptionByDefault"):
        case True:
            return passed("new volumes are encrypted by default")
        case False:
            return failed("new volumes are not encrypted unless asked for")
    return unknown("AWS did not say whether new volumes are encrypted by default")


CHECK = Check(
    title="New EBS volumes are encrypted by default in the region",
    severity=Severity.MEDIUM,
    collectors=("ec2",),
    supports=("164.312(a)(2)(iv)",),
    rationale="Encryption that somebody must remember is forgotten. The region's default encrypts every new volume and snapshot copy that ePHI may come to lie on.",
    expected="EbsEncryptionByDefault is true.",
    fix=Fix(
        console="EC2, EC2 Dashboard, Data protection and security, EBS encryption, Manage: Enable.",
        cli="aws ec2 enable-ebs-encryption-by-default --region REGION",
        terraform='resource "aws_ebs_encryption_by_default" "this" {\n  enabled = true\n}',
    ),
    resources=ec2.settings,
    judge=judge,
    passing=({"ec2": {"GetEbsEncryptionByDefault": {"": {"EbsEncryptionByDefault": True}}}},),
    failing=({"ec2": {"GetEbsEncryptionByDefault": {"": {"EbsEncryptionByDefault": False}}}},),
)
