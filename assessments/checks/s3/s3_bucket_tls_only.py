from __future__ import annotations

import json
from typing import Any

from assessments.checks import policy
from assessments.checks.base import (
    Absent,
    Check,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    passed,
    unknown,
)
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    try:
        found = s3.bucket_policy(bucket, seen)
    except ValueError:
        return unknown("the bucket policy can't be read")
    if found is None:
        return failed("has no bucket policy that denies requests without TLS")
    if policy.denies_plain_http(found, bucket.arn):
        return passed("the bucket policy denies requests without TLS")
    return failed(
        "the bucket policy does not deny everybody every request without TLS, on the bucket and its objects"
    )


def _example(answer: Any) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketPolicy": {"records": answer},
        }
    }


def _policy(effect: str, secure: str) -> dict[str, str]:
    where = ["arn:aws:s3:::records", "arn:aws:s3:::records/*"]
    statement = {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": where}
    return {
        "Policy": json.dumps(
            {"Statement": [{**statement, "Condition": {"Bool": {"aws:SecureTransport": secure}}}]}
        )
    }


CHECK = Check(
    title="S3 buckets refuse requests without TLS",
    severity=Severity.HIGH,
    collectors=("s3",),
    supports=("164.312(e)(1)", "164.312(e)(2)(i)", "164.312(e)(2)(ii)"),
    rationale="S3 answers plain HTTP too, over which anybody on the way reads or changes ePHI unnoticed. Only a Deny stops it: an Allow for TLS leaves the other ways open.",
    expected="A Deny for all principals and actions, on the bucket and its objects, where aws:SecureTransport is false.",
    fix=Fix(
        console="S3, the bucket, Permissions, Bucket policy, Edit: add the Deny statement.",
        cli="aws s3api put-bucket-policy --bucket BUCKET --policy file://deny-plain-http.json",
        terraform='data "aws_iam_policy_document" "tls" {\n  statement {\n    effect    = "Deny"\n    actions   = ["s3:*"]\n    resources = [aws_s3_bucket.records.arn, "${aws_s3_bucket.records.arn}/*"]\n    principals {\n      type        = "*"\n      identifiers = ["*"]\n    }\n    condition {\n      test     = "Bool"\n      variable = "aws:SecureTransport"\n      values   = ["false"]\n    }\n  }\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(_example(_policy("Deny", "false")),),
    failing=(_example(Absent("NoSuchBucketPolicy")), _example(_policy("Allow", "true"))),
)
