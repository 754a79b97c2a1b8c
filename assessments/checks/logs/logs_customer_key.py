from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, logs
from evidence.types import Seen


def judge(group: Resource, _seen: Seen) -> Verdict:
    key = group.data.get("kmsKeyId")
    if key:
        return passed(f"encrypted with the customer-managed key {key}")
    return failed("encrypted with CloudWatch's own key")


CHECK = Check(
    title="Logs are encrypted with the tenant's key",
    severity=Severity.LOW,
    collectors=("logs",),
    supports=("164.312(a)(2)(iv)",),
    rationale="CloudWatch always encrypts, so that alone says little; log lines that name patients need a key that the tenant gives and takes back. Log groups take customer-managed keys only.",
    expected="The log group names a KMS key.",
    fix=Fix(
        cli="aws logs associate-kms-key --log-group-name GROUP --kms-key-id KEY_ARN",
        terraform='kms_key_id = aws_kms_key.logs.arn in resource "aws_cloudwatch_log_group"',
    ),
    resources=logs.groups,
    judge=judge,
    passing=(examples.log_group(kmsKeyId=examples.KEY),),
    failing=(examples.log_group(),),
)
