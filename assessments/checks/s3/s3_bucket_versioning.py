from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    status = (seen["s3"].get("GetBucketVersioning", bucket.name) or {}).get("Status")
    if status == "Enabled":
        return passed("versioning is enabled")
    return failed("versioning is suspended" if status else "versioning was never enabled")


def _example(**answer: str) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketVersioning": {"records": answer},
        }
    }


CHECK = Check(
    title="S3 buckets keep earlier versions of objects",
    severity=Severity.MEDIUM,
    collectors=("s3",),
    supports=("164.312(c)(1)", "164.308(a)(7)(ii)(A)"),
    rationale="Without versions, ePHI that is overwritten or deleted, by mistake or by malware, is gone. An earlier version is an exact copy that can be retrieved.",
    expected="Versioning is enabled.",
    fix=Fix(
        console="S3, the bucket, Properties, Bucket Versioning, Edit: Enable.",
        cli="aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
        terraform='resource "aws_s3_bucket_versioning" "records" {\n  bucket = aws_s3_bucket.records.id\n  versioning_configuration {\n    status = "Enabled"\n  }\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(_example(Status="Enabled"),),
    failing=(_example(), _example(Status="Suspended")),
)
