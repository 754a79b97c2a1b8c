from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_from, moment
from evidence.types import Seen

_DAYS = 90


def judge(root: Resource, seen: Seen) -> Verdict:
    if not root.data:
        return unknown("the credential report has no row for the root user")
    uses = ("password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date")
    used = [at for use in uses if (at := moment(root.data.get(use)))]
    if not used:
        return passed("no use of the root user is recorded")
    observed = f"the root user was last used on {day(max(used))}"
    return failed(observed) if days_from(max(used), seen) < _DAYS else passed(observed)


CHECK = Check(
    title="The root user is not used for daily work",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.312(a)(2)(i)",),
    rationale="Root is shared by nature: what is done with it cannot be traced to one person, as the Rule's unique user identification asks.",
    expected="The root user was not used in the last 90 days.",
    fix=Fix(
        console="Give each person a user or federated role of their own; keep root for the few tasks that need it, and record why it was used."
    ),
    resources=iam.root_user,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(root={"password_last_used": "2025-03-01T08:00:00+00:00"}),
        examples.credential_report(root={"password_last_used": "no_information"}),
    ),
    failing=(
        examples.credential_report(root={"password_last_used": "2026-01-10T08:00:00+00:00"}),
        examples.credential_report(root={"access_key_1_last_used_date": "2026-01-14T08:00:00+00:00"}),
    ),
)
