from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, unknown
from assessments.checks.subjects import encryption, s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    default = s3.encryption_default(bucket, seen)
    match (default or {}).get("SSEAlgorithm"):
        case "AES256":
            return failed("encrypted with a key that S3 owns (SSE-S3)")
        case "aws:kms" | "aws:kms:dsse":
            return encryption.judge_key(
                seen, bucket.region, (default or {}).get("KMSMasterKeyID") or "alias/aws/s3"
            )
    return (
        failed("has no default encryption")
        if default is None
        else unknown("AWS did not say what encrypts it")
    )


def _example(**default: str) -> dict[str, Any]:
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records", "BucketRegion": "us-east-1"}]}},
            "GetBucketEncryption": {"records": {"ServerSideEncryptionConfiguration": {"Rules": rules}}},
        },
        "kms": {"DescribeKey": {"k": {"KeyMetadata": {"KeyId": "k", "KeyManager": "CUSTOMER"}}}},
    }


CHECK = Check(
    title="S3 buckets encrypt with a customer-managed key",
    severity=Severity.LOW,
    collectors=("s3", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="With S3's own key, whoever may read the bucket reads the ePHI in plain text. A key of the tenant's own adds a second lock: its policy says who decrypts, each use is recorded, and it can be withdrawn.",
    expected="The default encryption is SSE-KMS or DSSE-KMS with a customer-managed key.",
    fix=Fix(
        console="S3, the bucket, Properties, Default encryption, Edit: SSE-KMS, choose a key of your own, enable Bucket Key.",
        cli='aws s3api put-bucket-encryption --bucket BUCKET --server-side-encryption-configuration \'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"KEY"},"BucketKeyEnabled":true}]}\'',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(_example(SSEAlgorithm="aws:kms", KMSMasterKeyID="arn:aws:kms:us-east-1:111122223333:key/k"),),
    failing=(_example(SSEAlgorithm="AES256"), _example(SSEAlgorithm="aws:kms")),
)
