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
from assessments.checks.subjects import examples, iam
from evidence.types import Seen

_LENGTH = 14


def judge(_account: Resource, seen: Seen) -> Verdict:
    policy = iam.password_policy(seen)
    if policy is None:
        return failed("there is no password policy, so 8 characters are enough")
    length = policy.get("MinimumPasswordLength")
    if length is None:
        return unknown("AWS did not give the minimum length")
    if length < _LENGTH:
        return failed(f"passwords may be {length} characters long")
    return passed(f"passwords are at least {length} characters long")


CHECK = Check(
    title="Passwords are at least 14 characters long",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="Length is what makes a password hard to guess. Expiry is not asked for here: NIST SP 800-63B advises against forced changes, though AWS's conformance pack wants 90 days.",
    expected="The account's password policy demands at least 14 characters.",
    fix=Fix(
        console="IAM, Account settings, Password policy, Edit: minimum length 14.",
        cli="aws iam update-account-password-policy --minimum-password-length 14 --password-reuse-prevention 24 --allow-users-to-change-password",
        terraform='resource "aws_iam_account_password_policy" "this" { minimum_password_length = 14 }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.password_policy(MinimumPasswordLength=14),),
    failing=(
        examples.password_policy(MinimumPasswordLength=8),
        {"iam": {"GetAccountPasswordPolicy": {"": Absent("NoSuchEntity")}}},
    ),
)
