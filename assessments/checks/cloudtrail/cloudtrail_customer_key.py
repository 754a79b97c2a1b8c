from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed
from assessments.checks.subjects import examples, trail
from assessments.checks.subjects.encryption import judge_key
from evidence.types import Seen


def judge(one: Resource, seen: Seen) -> Verdict:
    key = one.data.get("KmsKeyId")
    if not key:
        return failed("its files are encrypted with S3's own key (SSE-S3)")
    # A trail's key lives where its bucket does, which need not be the trail's home region.
    region = key.split(":")[3] if key.startswith("arn:") else one.region
    return judge_key(seen, region, key)


CHECK = Check(
    title="Trails encrypt their files with the tenant's key",
    severity=Severity.LOW,
    collectors=("cloudtrail", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="S3 encrypts by default, which keeps nobody out who may read the bucket; with a key of the tenant's own the right to read the record is given, seen and taken back by itself. Names of patients can stand in the record's object keys.",
    expected="The trail names a customer-managed KMS key.",
    fix=Fix(
        console="CloudTrail, the trail, General details, Edit: Log file SSE-KMS encryption, a customer key whose policy lets CloudTrail use it.",
        cli="aws cloudtrail update-trail --name main --kms-key-id KEY_ARN",
        terraform='kms_key_id = aws_kms_key.trail.arn in resource "aws_cloudtrail"',
    ),
    resources=trail.trails,
    judge=judge,
    passing=(
        {
            **examples.trail(KmsKeyId=examples.KEY),
            "kms": {"DescribeKey": {"k1": {"KeyMetadata": {"KeyManager": "CUSTOMER"}}}},
        },
    ),
    failing=(
        examples.trail(),
        {
            **examples.trail(KmsKeyId=examples.KEY),
            "kms": {"DescribeKey": {"k1": {"KeyMetadata": {"KeyManager": "AWS"}}}},
        },
    ),
)
