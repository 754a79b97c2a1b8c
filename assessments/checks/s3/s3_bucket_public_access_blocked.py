from __future__ import annotations

from typing import Any

from assessments.checks.base import Absent, Check, Fix, Per, Severity
from assessments.checks.subjects import s3

_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def _example(**answers: Any) -> dict[str, Any]:
    places = {
        "bucket": ("GetPublicAccessBlock", "records"),
        "account": ("s3control:GetPublicAccessBlock", ""),
    }
    given = {places[place][0]: {places[place][1]: answer} for place, answer in answers.items()}
    return {"s3": {"ListBuckets": {"": {"Buckets": [{"Name": "records"}]}}, **given}}


def _block(**switches: bool) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": {**_ON, **switches}}


_NONE = Absent("NoSuchPublicAccessBlockConfiguration")

CHECK = Check(
    title="S3 buckets block public access",
    severity=Severity.HIGH,
    collectors=("s3",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="One mistaken policy or ACL publishes all ePHI in a bucket. With the four switches on, such a mistake has no effect.",
    expected="All four switches are on, at the bucket or at the account.",
    fix=Fix(
        console="S3, the bucket, Permissions, Block public access, Edit: Block all public access.",
        cli="aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        terraform='resource "aws_s3_bucket_public_access_block" "records" {\n  bucket                  = aws_s3_bucket.records.id\n  block_public_acls       = true\n  ignore_public_acls      = true\n  block_public_policy     = true\n  restrict_public_buckets = true\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=s3.judge_blocks,
    passing=(
        _example(bucket=_block()),
        _example(account=_block()),
        _example(
            bucket=_block(BlockPublicAcls=False, IgnorePublicAcls=False),
            account=_block(BlockPublicPolicy=False, RestrictPublicBuckets=False),
        ),
    ),
    failing=(
        _example(bucket=_NONE, account=_NONE),
        _example(bucket=_block(BlockPublicPolicy=False), account=_NONE),
    ),
)
