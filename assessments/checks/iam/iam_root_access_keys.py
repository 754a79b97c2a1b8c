from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(_account: Resource, seen: Seen) -> Verdict:
    present = iam.summary(seen, "AccountAccessKeysPresent")
    if present is None:
        return unknown("AWS did not say whether the root user has access keys")
    return failed("the root user has access keys") if present else passed("the root user has no access keys")


CHECK = Check(
    title="The root user has no access keys",
    severity=Severity.CRITICAL,
    collectors=("iam",),
    supports=("164.312(a)(1)", "164.312(a)(2)(i)"),
    rationale="An access key of root gives whoever finds it everything in the account, without MFA, and names no person in the record.",
    expected="The root user has no access keys.",
    fix=Fix(
        console="Sign in as root, Security credentials, Access keys: deactivate, watch for what breaks, delete.",
        cli="aws iam delete-access-key --access-key-id KEY  # with root's own credentials",
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.account_summary(AccountAccessKeysPresent=0),),
    failing=(examples.account_summary(AccountAccessKeysPresent=1),),
)
