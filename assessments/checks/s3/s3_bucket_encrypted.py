from __future__ import annotations

from typing import Any

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

_WHOSE = {"AES256": "a key that S3 owns (SSE-S3)", "aws:kms": "a KMS key", "aws:kms:dsse": "a KMS key, twice"}


def judge(bucket: Resource, seen: Seen) -> Verdict:
    default = s3.encryption_default(bucket, seen)
    if default is None:
        return failed("has no default encryption")
    algorithm = default.get("SSEAlgorithm")
    if algorithm not in _WHOSE:
        return unknown("AWS did not say what new objects are encrypted with")
    key = default.get("KMSMasterKeyID") or ("the AWS-managed key aws/s3" if algorithm != "AES256" else "")
    return passed(f"new objects are encrypted with {_WHOSE[algorithm]}" + (f": {key}" if key else ""))


def _example(answer: Any) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records", "BucketRegion": "us-east-1"}]}},
            "GetBucketEncryption": {"records": answer},
        }
    }


_RULE = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}

CHECK = Check(
    title="S3 buckets encrypt new objects by default",
    severity=Severity.HIGH,
    collectors=("s3",),
    supports=("164.312(a)(2)(iv)",),
    rationale="AWS's business associate addendum requires encryption of ePHI at rest. S3 encrypts since January 2023 if nothing else is said, so that this alone is weak evidence: whose key it is matters more. Objects from before may still be plain.",
    expected="The bucket has a default encryption: SSE-S3, SSE-KMS or DSSE-KMS.",
    fix=Fix(
        console="S3, the bucket, Properties, Default encryption, Edit. Copy older objects onto themselves to encrypt them.",
        cli='aws s3api put-bucket-encryption --bucket BUCKET --server-side-encryption-configuration \'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"KEY"},"BucketKeyEnabled":true}]}\'',
        terraform='resource "aws_s3_bucket_server_side_encryption_configuration" "records" {\n  bucket = aws_s3_bucket.records.id\n  rule {\n    apply_server_side_encryption_by_default {\n      sse_algorithm     = "aws:kms"\n      kms_master_key_id = aws_kms_key.records.arn\n    }\n  }\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=judge,
    passing=(_example({"ServerSideEncryptionConfiguration": {"Rules": [_RULE]}}),),
    failing=(_example(Absent("ServerSideEncryptionConfigurationNotFoundError")),),
)
