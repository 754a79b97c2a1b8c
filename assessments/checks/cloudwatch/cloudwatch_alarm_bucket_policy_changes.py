from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of S3 bucket policies raise an alarm",
    rationale="One change of a bucket policy can open every document in it to the world.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "BucketPolicyChanges",
        "{ ($.eventName = PutBucketAcl) || ($.eventName = PutBucketPolicy) || ($.eventName = PutBucketCors) || ($.eventName = PutBucketLifecycle) || ($.eventName = PutBucketReplication) || ($.eventName = DeleteBucketPolicy) || ($.eventName = DeleteBucketCors) || ($.eventName = DeleteBucketLifecycle) || ($.eventName = DeleteBucketReplication) }",
        call("s3", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl"),
    ),
    severity=Severity.MEDIUM,
)
