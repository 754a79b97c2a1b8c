"""Buckets: who may reach them and how they are encrypted, kept and logged. Objects are never listed or read."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope

_BUCKETS_A_PAGE = 1000
_ABSENT = {
    "GetBucketEncryption": ("ServerSideEncryptionConfigurationNotFoundError",),
    "GetPublicAccessBlock": ("NoSuchPublicAccessBlockConfiguration",),
    "GetBucketPolicy": ("NoSuchBucketPolicy",),
    "GetBucketAcl": (),
    "GetBucketVersioning": (),
    "GetBucketLogging": (),
    "GetObjectLockConfiguration": ("ObjectLockConfigurationNotFoundError",),
    "GetBucketLifecycleConfiguration": ("NoSuchLifecycleConfiguration",),
}


def collect(aws: Reader) -> None:
    regions: dict[str, str] = {}

    def find_region(bucket: dict[str, Any]) -> None:
        regions[bucket["Name"]] = bucket.get("BucketRegion") or _ask_region(aws, bucket["Name"])

    def ask(question: tuple[str, str]) -> None:
        name, operation = question
        aws.get(operation, key=name, absent=_ABSENT[operation], region=regions[name], Bucket=name)

    aws.get(
        "GetPublicAccessBlock",
        absent=("NoSuchPublicAccessBlockConfiguration",),
        service="s3control",
        AccountId=aws.account_id,
    )
    # Only a request with a parameter is told each bucket's region.
    buckets = aws.list("ListBuckets", "Buckets", MaxBuckets=_BUCKETS_A_PAGE)
    aws.each(find_region, buckets)
    aws.each(ask, [(bucket["Name"], operation) for bucket in buckets for operation in _ABSENT])


def _ask_region(aws: Reader, bucket: str) -> str:
    """A bucket's region; "" (where the unit itself is asked) when AWS doesn't tell.

    S3 API Reference, GetBucketLocation: no constraint is us-east-1, EU is eu-west-1.
    """
    answer = aws.get("GetBucketLocation", key=bucket, Bucket=bucket)
    constraint = "" if answer is None else answer.get("LocationConstraint") or ""
    return "eu-west-1" if constraint == "EU" else str(constraint)


COLLECTOR = Collector(
    title="S3",
    service="s3",
    scope=Scope.GLOBAL,
    version=1,
    actions=(
        Action(
            "s3:ListAllMyBuckets", "ListBuckets", "Lists the names of your buckets; never what is in them."
        ),
        Action("s3:GetBucketLocation", "GetBucketLocation", "Shows in which region a bucket is kept."),
        Action(
            "s3:GetEncryptionConfiguration",
            "GetBucketEncryption",
            "Shows how each bucket encrypts what is stored in it.",
        ),
        Action(
            "s3:GetBucketPublicAccessBlock",
            "GetPublicAccessBlock",
            "Shows whether a bucket is closed to the public whatever its policy says.",
        ),
        Action(
            "s3:GetBucketPolicy",
            "GetBucketPolicy",
            "Shows who may reach each bucket, and whether only over TLS.",
        ),
        Action(
            "s3:GetBucketAcl", "GetBucketAcl", "Shows whether an older access list opens a bucket to others."
        ),
        Action(
            "s3:GetBucketVersioning",
            "GetBucketVersioning",
            "Shows whether overwritten or deleted records can be brought back.",
        ),
        Action(
            "s3:GetBucketLogging",
            "GetBucketLogging",
            "Shows whether access to each bucket is logged, and where.",
        ),
        Action(
            "s3:GetBucketObjectLockConfiguration",
            "GetObjectLockConfiguration",
            "Shows whether stored records are protected from change and deletion.",
        ),
        Action(
            "s3:GetLifecycleConfiguration",
            "GetBucketLifecycleConfiguration",
            "Shows how long records are kept before they are deleted.",
        ),
        Action(
            "s3:GetAccountPublicAccessBlock",
            "GetPublicAccessBlock",
            "Shows whether the whole account is closed to public access to buckets.",
            service="s3control",
        ),
    ),
    collect=collect,
)
