from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict
from assessments.checks.subjects import ec2, encryption
from evidence.types import Seen


def judge(_settings: Resource, seen: Seen) -> Verdict:
    key = (seen["ec2"].get("GetEbsDefaultKmsKeyId") or {}).get("KmsKeyId")
    return encryption.judge_key(seen, seen.region, key)


CHECK = Check(
    title="The region's default key for EBS is customer-managed",
    severity=Severity.LOW,
    collectors=("ec2", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="Volumes made without a named key get the default key. If that is AWS's, the tenant can't say in a key policy who may decrypt ePHI, nor withdraw the key.",
    expected="The default KMS key is customer-managed.",
    fix=Fix(
        console="EC2, EC2 Dashboard, Data protection and security, EBS encryption, Manage: choose a key of your own.",
        cli="aws ec2 modify-ebs-default-kms-key-id --kms-key-id KEY --region REGION",
        terraform='resource "aws_ebs_default_kms_key" "this" {\n  key_arn = aws_kms_key.ebs.arn\n}',
    ),
    resources=ec2.settings,
    judge=judge,
    passing=(
        {
            "ec2": {"GetEbsDefaultKmsKeyId": {"": {"KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k"}}},
            "kms": {"DescribeKey": {"k": {"KeyMetadata": {"KeyManager": "CUSTOMER"}}}},
        },
    ),
    failing=({"ec2": {"GetEbsDefaultKmsKeyId": {"": {"KmsKeyId": "alias/aws/ebs"}}}},),
)
