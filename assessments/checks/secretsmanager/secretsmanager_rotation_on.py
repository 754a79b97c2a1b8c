from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, secrets
from evidence.types import Seen


def judge(secret: Resource, _seen: Seen) -> Verdict:
    if secret.data.get("RotationEnabled"):
        return passed("it is rotated automatically")
    return failed("it is not rotated automatically")


CHECK = Check(
    title="Secrets are rotated automatically",
    severity=Severity.MEDIUM,
    collectors=("secretsmanager",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="A database password that never changes stays good in every copy ever made of it; the Rule asks for procedures that change passwords.",
    expected="Rotation is on.",
    fix=Fix(
        console="Secrets Manager, the secret, Rotation, Edit: automatic rotation, every 30 to 90 days.",
        cli="aws secretsmanager rotate-secret --secret-id SECRET --rotation-lambda-arn ARN --rotation-rules AutomaticallyAfterDays=30",
        terraform='resource "aws_secretsmanager_secret_rotation" "this" { rotation_rules { automatically_after_days = 30 } }',
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(examples.secret(RotationEnabled=True),),
    failing=(examples.secret(RotationEnabled=False), examples.secret()),
)
