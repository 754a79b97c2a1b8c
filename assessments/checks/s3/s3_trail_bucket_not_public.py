from __future__ import annotations

import json
from typing import Any

from assessments.checks.base import Absent, Check, Fix, Per, Resource, Severity, Verdict, unknown
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    if "Name" not in bucket.data:
        return unknown("the bucket is not among this account's")
    return s3.worst([s3.judge_public_policy(bucket, seen), s3.judge_public_acl(bucket, seen)])


def _example(principal: str, group: str = "") -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::trail-logs/*",
    }
    document = json.dumps({"Statement": [{**statement, "Principal": {"AWS": principal}}]})
    grants = [{"Grantee": {"URI": f"http://acs.amazonaws.com/groups/global/{group}"}}] if group else []
    nothing = Absent("NoSuchPublicAccessBlockConfiguration")
    asked = {"GetPublicAccessBlock": {"trail-logs": nothing}, "s3control:GetPublicAccessBlock": {"": nothing}}
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "trail-logs"}]}},
            "GetBucketPolicy": {"trail-logs": {"Policy": document}},
            "GetBucketAcl": {"trail-logs": {"Grants": grants}},
            **(asked if principal == "*" or group else {}),
        },
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{"TrailARN": "t", "S3BucketName": "trail-logs"}]}}
        },
    }


CHECK = Check(
    title="The buckets that hold trail logs are not public",
    severity=Severity.CRITICAL,
    collectors=("s3", "cloudtrail"),
    supports=("164.312(a)(1)", "164.312(b)"),
    rationale="Trail logs name every user, key and resource that has to do with ePHI. Public, they are a map for an attacker; writable, they are no record.",
    expected="Neither the bucket policy nor the ACL lets strangers in.",
    fix=Fix(
        console="S3, the bucket, Permissions, Block public access, Edit: Block all public access.",
        cli="aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    ),
    per=Per.ACCOUNT,
    resources=s3.trail_buckets,
    judge=judge,
    passing=(_example("111122223333"),),
    failing=(_example("*"), _example("111122223333", "AllUsers")),
)
