from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(volume: Resource, _seen: Seen) -> Verdict:
    match volume.data.get("Encrypted"):
        case True:
            return passed(f"encrypted with the key {volume.data.get('KmsKeyId', 'that AWS did not name')}")
        case False:
            return failed("not encrypted")
    return unknown("AWS did not say whether it is encrypted")


CHECK = Check(
    title="EBS volumes are encrypted",
    severity=Severity.HIGH,
    collectors=("ec2",),
    supports=("164.312(a)(2)(iv)",),
    rationale="A volume holds ePHI as plain blocks: whoever restores it, its snapshot or the disk it lay on can read them. AWS's business associate addendum requires encryption of ePHI at rest.",
    expected="Encrypted is true for the volume.",
    fix=Fix(
        console="Create a snapshot of the volume, copy the snapshot with 'Encrypt this snapshot', create a volume from the copy and attach it in place of the old one.",
        cli="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id snap-ID --encrypted --kms-key-id KEY",
        terraform='resource "aws_ebs_volume" "data" {\n  encrypted  = true\n  kms_key_id = aws_kms_key.ebs.arn\n}',
    ),
    resources=ec2.volumes,
    judge=judge,
    passing=(
        {
            "ec2": {
                "DescribeVolumes": {
                    "": {
                        "Volumes": [
                            {
                                "VolumeId": "vol-1",
                                "Encrypted": True,
                                "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k",
                            }
                        ]
                    }
                }
            }
        },
    ),
    failing=({"ec2": {"DescribeVolumes": {"": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": False}]}}}},),
)
