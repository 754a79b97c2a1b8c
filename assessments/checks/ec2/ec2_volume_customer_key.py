from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable
from assessments.checks.subjects import ec2, encryption
from evidence.types import Seen


def judge(volume: Resource, seen: Seen) -> Verdict:
    if volume.data.get("Encrypted") is False:
        return not_applicable("not encrypted")
    return encryption.judge_key(seen, seen.region, volume.data.get("KmsKeyId"))


def _example(manager: str) -> dict[str, Any]:
    volume = {"VolumeId": "vol-1", "Encrypted": True, "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k"}
    return {
        "ec2": {"DescribeVolumes": {"": {"Volumes": [volume]}}},
        "kms": {"DescribeKey": {"k": {"KeyMetadata": {"KeyId": "k", "KeyManager": manager}}}},
    }


CHECK = Check(
    title="EBS volumes are encrypted with a customer-managed key",
    severity=Severity.LOW,
    collectors=("ec2", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="With AWS's own key every principal allowed to use EBS can read the volume. A key of the tenant's own has a policy that says who decrypts ePHI, leaves a record of use, and can be withdrawn.",
    expected="KmsKeyId is a customer-managed KMS key.",
    fix=Fix(
        console="Copy the volume's snapshot with a customer-managed key, create a volume from the copy and attach it in place of the old one.",
        cli="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id snap-ID --encrypted --kms-key-id KEY",
        terraform='resource "aws_ebs_volume" "data" {\n  encrypted  = true\n  kms_key_id = aws_kms_key.ebs.arn\n}',
    ),
    resources=ec2.volumes,
    judge=judge,
    passing=(_example("CUSTOMER"),),
    failing=(_example("AWS"),),
)
