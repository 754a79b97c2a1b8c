from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(_account: Resource, seen: Seen) -> Verdict:
    providers = seen["iam"].items("ListSAMLProviders", "SAMLProviderList")
    people = [user.name for user in iam.console_users(seen)]
    if not people:
        return passed("nobody signs in to the console as an IAM user")
    if providers:
        return failed(f"IAM users who sign in with passwords beside the federation: {len(people)}")
    return failed(f"there is no federation; IAM users who sign in with passwords: {len(people)}")


_PROVIDER = {"Arn": "arn:aws:iam::111122223333:saml-provider/corp", "ValidUntil": "2027-01-01T00:00:00Z"}
_SAML = {"ListSAMLProviders": {"": {"SAMLProviderList": [_PROVIDER]}}}

CHECK = Check(
    title="People sign in through federation",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(C)", "164.312(a)(2)(i)"),
    rationale="With federation each person has one identity in the workforce's directory, and leaving it ends the access to AWS at once; IAM users have to be found and removed one by one.",
    expected="No IAM user has a console password, since people come from a directory.",
    fix=Fix(
        console="IAM Identity Center: connect the directory, assign permission sets; then disable the users' console passwords.",
        cli="aws iam delete-login-profile --user-name USER",
        terraform='resource "aws_iam_saml_provider" or "aws_ssoadmin_account_assignment"',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=({"iam": {**_SAML, **examples.credential_report(ci={})["iam"]}},),
    failing=({"iam": {**_SAML, **examples.credential_report(maria={"password_enabled": "true"})["iam"]}},),
)
