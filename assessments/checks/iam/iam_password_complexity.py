from assessments.checks.base import Absent, Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen

_CLASSES = {
    "RequireUppercaseCharacters": "capitals",
    "RequireLowercaseCharacters": "small letters",
    "RequireNumbers": "digits",
    "RequireSymbols": "symbols",
}
_LONG = 15


def judge(_account: Resource, seen: Seen) -> Verdict:
    policy = iam.password_policy(seen) or {}
    if (policy.get("MinimumPasswordLength") or 0) >= _LONG:
        return passed(
            f"passwords have at least {policy['MinimumPasswordLength']} characters, which makes up for classes"
        )
    missing = [name for field, name in _CLASSES.items() if not policy.get(field)]
    if missing:
        return failed(f"passwords need no {', '.join(missing)}")
    return passed("passwords need capitals, small letters, digits and symbols")


CHECK = Check(
    title="Passwords are long, or mixed of all kinds of characters",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="Shorter passwords are guessed from word lists unless they are mixed; NIST SP 800-63B prefers 15 characters and more to rules of composition, so length is accepted instead.",
    expected="The password policy demands 15 characters, or capitals, small letters, digits and symbols.",
    fix=Fix(
        console="IAM, Account settings, Password policy, Edit: minimum length 15.",
        cli="aws iam update-account-password-policy --minimum-password-length 15 --password-reuse-prevention 24",
        terraform='resource "aws_iam_account_password_policy" "this" { minimum_password_length = 15 }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.password_policy(MinimumPasswordLength=16),
        examples.password_policy(**dict.fromkeys(_CLASSES, True)),
    ),
    failing=(
        examples.password_policy(MinimumPasswordLength=14, RequireNumbers=True),
        {"iam": {"GetAccountPasswordPolicy": {"": Absent("NoSuchEntity")}}},
    ),
)
