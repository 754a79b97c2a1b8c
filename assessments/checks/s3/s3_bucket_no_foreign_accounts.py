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
    accounts = () if found is None else policy.external_accounts(found, seen.account_id)
    foreign = [account for account in accounts if account not in s3.LOG_WRITERS]
    if foreign:
        return failed(f"the bucket policy lets in the accounts {', '.join(foreign)}")
    return passed("the bucket policy lets in no other account")


def _example(answer: Any) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketPolicy": {"records": answer},
        }
    }


def _policy(account: str) -> dict[str, str]:
    who = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {
        "Effect": "Allow",
        "Principal": who,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::records/*",
    }
    return {"Policy": json.dumps({"Statement": [statement]})}


CHECK = Check(
    title="Bucket policies let no other account in",
    severity=Severity.MEDIUM,
    collectors=("s3",),
    supports=("164.312(a)(1)", "164.308(a)(4)(ii)(B)"),
    rationale="Another account decides by itself which of its users read the ePHI that it is let in to. Who it is must have been authorized; with a vendor, an agreement must cover it.",
    expected="The policy names no account but the owner and AWS's own log writers, or an exception names the party.",
    fix=Fix(
        console="S3, the bucket, Permissions, Bucket policy, Edit: remove the account, or record who it is as an exception.",
        cli="aws s3api put-bucket-policy --bucket BUCKET --policy file://policy.json",
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(
        _example(Absent("NoSuchBucketPolicy")),
        _example(_policy("111122223333")),
        _example(_policy("127311923021")),
    ),
    failing=(_example(_policy("444455556666")),),
)
