from assessments.checks.base import (
    Check,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_from
from evidence.types import Seen

_DAYS = 90


def judge(user: Resource, seen: Seen) -> Verdict:
    row = user.data
    uses = [iam.key_used_at(row, key) for key in iam.active_keys(row)]
    if row.get("password_enabled") == "true":
        uses.append(iam.password_used_at(row))
    if not uses:
        return not_applicable("has no password and no active access key")
    known = [at for at in uses if at is not None]
    if known and days_from(max(known), seen) <= _DAYS:
        return passed(f"was active within the last {_DAYS} days")
    if len(known) < len(uses):
        return unknown("the report does not say when a credential was made or used")
    return failed(f"has used none of its credentials since {day(max(known))}")


CHECK = Check(
    title="Users who have been inactive for 90 days are removed",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(C)", "164.308(a)(4)(ii)(C)"),
    rationale="A user who has touched nothing for three months has most likely left or moved on, and the account still opens whatever it opened then.",
    expected="Every user with a password or an active key has used one of them in the last 90 days.",
    fix=Fix(
        console="Ask the user's manager; then IAM, Users, the user, Delete, or disable the password and the keys.",
        cli="aws iam delete-login-profile --user-name USER; aws iam update-access-key --user-name USER --access-key-id KEY --status Inactive",
    ),
    resources=iam.users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(
            maria={
                "password_enabled": "true",
                "password_last_used": "2025-01-01T00:00:00+00:00",
                "access_key_1_active": "true",
                "access_key_1_last_used_date": "2026-01-12T00:00:00+00:00",
            }
        ),
    ),
    failing=(
        examples.credential_report(
            left={"password_enabled": "true", "password_last_used": "2025-08-01T00:00:00+00:00"}
        ),
    ),
)
