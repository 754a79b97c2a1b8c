from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(user: Resource, _seen: Seen) -> Verdict:
    if user.data.get("mfa_active") == "true":
        return passed("signs in with MFA")
    return failed("signs in to the console with a password only")


CHECK = Check(
    title="Users with a console password have MFA",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.312(d)",),
    rationale="Passwords are guessed, reused and phished; a second factor verifies that the person who asks for ePHI is the one claimed.",
    expected="Every user with a console password has an MFA device.",
    fix=Fix(
        console="IAM, Users, the user, Security credentials, Assign MFA device.",
        cli="aws iam enable-mfa-device --user-name USER --serial-number ARN --authentication-code1 CODE --authentication-code2 CODE",
    ),
    resources=iam.console_users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(root={}, maria={"password_enabled": "true", "mfa_active": "true"}, ci={}),
    ),
    failing=(examples.credential_report(maria={"password_enabled": "true"}),),
)
