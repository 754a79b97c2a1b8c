from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(_account: Resource, seen: Seen) -> Verdict:
    enabled = iam.summary(seen, "AccountMFAEnabled")
    if enabled is None:
        return unknown("AWS did not say whether the root user has MFA")
    if enabled:
        return passed("the root user has MFA")
    if iam.summary(seen, "AccountPasswordPresent") == 0:
        return passed("the root user has no password, so nobody can sign in as root")
    return failed("the root user has no MFA")


CHECK = Check(
    title="The root user signs in with MFA",
    severity=Severity.CRITICAL,
    collectors=("iam",),
    supports=("164.312(d)",),
    rationale="The root user may do everything, also read and delete all ePHI, and no policy can limit it; a password alone does not verify who is asking.",
    expected="The root user has an MFA device, or no password at all.",
    fix=Fix(
        console="Sign in as root, Security credentials, Assign MFA device; in an organisation, remove root credentials centrally (IAM, Root access management).",
        cli="aws iam enable-organizations-root-credentials-management  # then aws sts assume-root and aws iam delete-login-profile",
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.account_summary(AccountMFAEnabled=1),
        examples.account_summary(AccountMFAEnabled=0, AccountPasswordPresent=0),
    ),
    failing=(examples.account_summary(AccountMFAEnabled=0, AccountPasswordPresent=1),),
)
