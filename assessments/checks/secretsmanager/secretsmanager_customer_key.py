from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed
from assessments.checks.subjects import examples, secrets
from assessments.checks.subjects.encryption import judge_key
from evidence.types import Seen


def judge(secret: Resource, seen: Seen) -> Verdict:
    if not secret.data.get("KmsKeyId"):
        return failed("encrypted with the AWS-managed key aws/secretsmanager")
    return judge_key(seen, secret.region, secret.data["KmsKeyId"])


CHECK = Check(
    title="Secrets are encrypted with the tenant's key",
    severity=Severity.LOW,
    collectors=("secretsmanager", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="Secrets Manager always encrypts, so that alone says little; with a key of the tenant's own the right to decrypt is a second lock on the passwords that guard ePHI.",
    expected="The secret names a customer-managed KMS key.",
    fix=Fix(
        console="Secrets Manager, the secret, Actions, Edit encryption key.",
        cli="aws secretsmanager update-secret --secret-id SECRET --kms-key-id KEY_ARN",
        terraform='kms_key_id = aws_kms_key.secrets.arn in resource "aws_secretsmanager_secret"',
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(
        {
            **examples.secret(KmsKeyId=examples.KEY),
            "kms": {"DescribeKey": {"k1": {"KeyMetadata": {"KeyManager": "CUSTOMER"}}}},
        },
    ),
    failing=(examples.secret(), examples.secret(KmsKeyId="alias/aws/secretsmanager")),
)
