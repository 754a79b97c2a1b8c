from assessments.checks.base import Absent, Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen

_REMEMBERED = 24


def judge(_account: Resource, seen: Seen) -> Verdict:
    policy = iam.password_policy(seen)
    remembered = 0 if policy is None else policy.get("PasswordReusePrevention") or 0
    if remembered < _REMEMBERED:
        return failed(
            f"the last {remembered} passwords are refused"
            if remembered
            else "old passwords may be used again"
        )
    return passed(f"the last {remembered} passwords are refused")


CHECK = Check(
    title="Old passwords are not used again",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="A password that is changed because it may be known is no safer if it can be changed back.",
    expected="The account's password policy refuses the last 24 passwords.",
    fix=Fix(
        console="IAM, Account settings, Password policy, Edit: remember 24 passwords.",
        cli="aws iam update-account-password-policy --password-reuse-prevention 24 --minimum-password-length 14",
        terraform='resource "aws_iam_account_password_policy" "this" { password_reuse_prevention = 24 }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.password_policy(PasswordReusePrevention=24),),
    failing=(
        examples.password_policy(PasswordReusePrevention=3),
        examples.password_policy(MinimumPasswordLength=14),
        {"iam": {"GetAccountPasswordPolicy": {"": Absent("NoSuchEntity")}}},
    ),
)
