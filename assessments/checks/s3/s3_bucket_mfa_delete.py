from __future__ import annotations

from typing import Any

from assessments.checks.base import (
    Check,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
)
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    answer = seen["s3"].get("GetBucketVersioning", bucket.name) or {}
    if answer.get("Status") != "Enabled":
        return not_applicable("versioning is not enabled, so that there are no versions to protect")
    if answer.get("MFADelete") == "Enabled":
        return passed("deleting a version asks for a second factor")
    return failed("deleting a version asks for no second factor")


def _example(**answer: str) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketVersioning": {"records": answer},
        }
    }


CHECK = Check(
    title="Deleting object versions asks for a second factor",
    severity=Severity.LOW,
    collectors=("s3",),
    supports=("164.312(c)(1)",),
    rationale="With a stolen key all versions of ePHI can be deleted for good. MFA delete asks the root user's device too. Object Lock protects as well and is easier to operate.",
    expected="MFADelete is Enabled on buckets with versions.",
    fix=Fix(
        cli="aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled,MFADelete=Enabled --mfa 'ROOT-DEVICE-ARN CODE' # as the root user",
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(_example(Status="Enabled", MFADelete="Enabled"),),
    failing=(_example(Status="Enabled"), _example(Status="Enabled", MFADelete="Disabled")),
)
