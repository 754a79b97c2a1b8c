from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_from
from evidence.types import Seen

_DAYS = 45


def judge(user: Resource, seen: Seen) -> Verdict:
    uses = [iam.key_used_at(user.data, key) for key in iam.active_keys(user.data)]
    known = [at for at in uses if at is not None]
    if len(known) < len(uses):
        return unknown("the report does not say when an active access key was made or used")
    if days_from(min(known), seen) > _DAYS:
        return failed(f"an active access key has not been used since {day(min(known))}")
    return passed(f"active access keys were made or used within the last {_DAYS} days")


CHECK = Check(
    title="Access keys that nothing uses are deactivated",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(C)", "164.308(a)(4)(ii)(C)"),
    rationale="A key that nothing uses has no purpose but can still be found and used; nobody would miss it, and nobody would notice.",
    expected="Every active access key was used in the last 45 days, or made since then.",
    fix=Fix(
        console="IAM, Users, the user, Security credentials, Access keys, Deactivate.",
        cli="aws iam update-access-key --user-name USER --access-key-id KEY --status Inactive",
    ),
    resources=iam.users_with_keys,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(
            ci={
                "access_key_1_active": "true",
                "access_key_1_last_rotated": "2024-01-01T00:00:00+00:00",
                "access_key_1_last_used_date": "2026-01-15T00:00:00+00:00",
            }
        ),
    ),
    failing=(
        examples.credential_report(
            ci={
                "access_key_2_active": "true",
                "access_key_2_last_rotated": "2025-01-01T00:00:00+00:00",
                "access_key_2_last_used_date": "N/A",
            }
        ),
    ),
)
