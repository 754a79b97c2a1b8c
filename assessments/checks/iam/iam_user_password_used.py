from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_from
from evidence.types import Seen

_DAYS = 45


def judge(user: Resource, seen: Seen) -> Verdict:
    used = iam.password_used_at(user.data)
    if used is None:
        return unknown("the report does not say when the password was set or used")
    if days_from(used, seen) > _DAYS:
        return failed(f"the console password has not been used since {day(used)}")
    return passed(f"the console password was set or used within the last {_DAYS} days")


CHECK = Check(
    title="Console passwords that nobody uses are removed",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(C)", "164.308(a)(4)(ii)(C)"),
    rationale="A password that nobody uses often belongs to somebody who has left or changed duties; access to ePHI is to end when the need for it does.",
    expected="Every console password was used in the last 45 days, or set since then.",
    fix=Fix(
        console="IAM, Users, the user, Security credentials, Manage console access, Disable.",
        cli="aws iam delete-login-profile --user-name USER",
    ),
    resources=iam.console_users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(
            maria={"password_enabled": "true", "password_last_used": "2026-01-12T00:00:00+00:00"}
        ),
        examples.credential_report(
            newcomer={
                "password_enabled": "true",
                "password_last_used": "no_information",
                "password_last_changed": "2026-01-10T00:00:00+00:00",
            }
        ),
    ),
    failing=(
        examples.credential_report(
            maria={"password_enabled": "true", "password_last_used": "2025-10-01T00:00:00+00:00"}
        ),
        examples.credential_report(
            never={
                "password_enabled": "true",
                "password_last_used": "no_information",
                "password_last_changed": "2025-06-10T00:00:00+00:00",
            }
        ),
    ),
)
