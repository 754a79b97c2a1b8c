from __future__ import annotations

from typing import Any

from assessments.checks.base import Absent, Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import s3
from evidence.types import Seen

_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def judge(_account: Resource, seen: Seen) -> Verdict:
    return s3.judge_blocks(None, seen)


def _example(answer: Any) -> dict[str, Any]:
    return {"s3": {"s3control:GetPublicAccessBlock": {"": answer}}}


CHECK = Check(
    title="The account blocks public access to all its S3 buckets",
    severity=Severity.MEDIUM,
    collectors=("s3",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="The account's switches hold for every bucket, also one made tomorrow or whose own switches somebody turns off, so that ePHI can't be published by mistake.",
    expected="All four switches are on for the account.",
    fix=Fix(
        console="S3, Block Public Access settings for this account, Edit: Block all public access.",
        cli="aws s3control put-public-access-block --account-id ACCOUNT --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        terraform='resource "aws_s3_account_public_access_block" "this" {\n  block_public_acls       = true\n  ignore_public_acls      = true\n  block_public_policy     = true\n  restrict_public_buckets = true\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.account,
    judge=judge,
    passing=(_example({"PublicAccessBlockConfiguration": _ON}),),
    failing=(
        _example(Absent("NoSuchPublicAccessBlockConfiguration")),
        _example({"PublicAccessBlockConfiguration": {**_ON, "RestrictPublicBuckets": False}}),
    ),
)
