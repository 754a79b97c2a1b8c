from __future__ import annotations

import json
from typing import Any

from assessments.checks.base import Absent, Check, Fix, Per, Severity
from assessments.checks.subjects import s3

_NONE = Absent("NoSuchPublicAccessBlockConfiguration")


def _example(answer: Any, **switches: bool) -> dict[str, Any]:
    """Without switches, their answers are left out, as they can't matter."""
    block = {"PublicAccessBlockConfiguration": switches}
    asked = {"GetPublicAccessBlock": {"records": block}, "s3control:GetPublicAccessBlock": {"": _NONE}}
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketPolicy": {"records": answer},
            **(asked if switches else {}),
        }
    }


def _policy(**fields: Any) -> dict[str, str]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::records/*",
    }
    return {"Policy": json.dumps({"Statement": [{**statement, **fields}]})}


CHECK = Check(
    title="Bucket policies let no stranger in",
    severity=Severity.CRITICAL,
    collectors=("s3",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="A policy that names everybody publishes the ePHI in the bucket to the internet, where it is found and copied within days.",
    expected="No statement allows everybody anything, unless a condition names known callers or RestrictPublicBuckets makes it void.",
    fix=Fix(
        console="S3, the bucket, Permissions, Bucket policy, Edit: name the principals. Then read the access logs: what was readable may have been breached.",
        cli="aws s3api delete-bucket-policy --bucket BUCKET",
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=s3.judge_public_policy,
    passing=(
        _example(Absent("NoSuchBucketPolicy")),
        _example(_policy(Principal={"AWS": "arn:aws:iam::111122223333:role/reader"})),
        _example(_policy(), RestrictPublicBuckets=True),
    ),
    failing=(
        _example(_policy(), RestrictPublicBuckets=False),
        _example(_policy(Principal={"AWS": "*"}), RestrictPublicBuckets=False),
    ),
)
