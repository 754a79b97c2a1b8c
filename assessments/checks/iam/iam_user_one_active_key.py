from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(user: Resource, _seen: Seen) -> Verdict:
    count = len(iam.active_keys(user.data))
    return failed("has two active access keys") if count > 1 else passed("has one active access key")


CHECK = Check(
    title="Users have at most one active access key",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="The second key is for changing over; two that stay active mean that a rotation was not finished and that one more copy opens the same data.",
    expected="At most one access key of a user is active.",
    fix=Fix(
        console="IAM, Users, the user, Security credentials: see which key was used last, deactivate the other.",
        cli="aws iam update-access-key --user-name USER --access-key-id KEY --status Inactive",
    ),
    resources=iam.users_with_keys,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.credential_report(ci={"access_key_1_active": "true"}),),
    failing=(examples.credential_report(ci={"access_key_1_active": "true", "access_key_2_active": "true"}),),
)
