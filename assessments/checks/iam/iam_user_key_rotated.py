from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_from, moment
from evidence.types import Seen

_DAYS = 90


def judge(user: Resource, seen: Seen) -> Verdict:
    made = [moment(user.data.get(f"access_key_{key}_last_rotated")) for key in iam.active_keys(user.data)]
    known = [at for at in made if at is not None]
    if len(known) < len(made):
        return unknown("the report does not say when an active access key was made")
    observed = f"the oldest active access key was made on {day(min(known))}"
    return failed(observed) if days_from(min(known), seen) > _DAYS else passed(observed)


CHECK = Check(
    title="Access keys are replaced within 90 days",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="An access key is a password in the sense of 164.304: copied into files, images and laptops it stays good until somebody replaces it, and ePHI stays reachable with every forgotten copy.",
    expected="No active access key is older than 90 days.",
    fix=Fix(
        console="IAM, Users, the user, Security credentials: make a second key, change over, deactivate and delete the old one. Better, use a role.",
        cli="aws iam create-access-key --user-name USER && aws iam delete-access-key --user-name USER --access-key-id OLD",
    ),
    resources=iam.users_with_keys,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.credential_report(
            ci={"access_key_1_active": "true", "access_key_1_last_rotated": "2025-12-01T00:00:00+00:00"}
        ),
    ),
    failing=(
        examples.credential_report(
            ci={
                "access_key_1_active": "true",
                "access_key_1_last_rotated": "2026-01-01T00:00:00+00:00",
                "access_key_2_active": "true",
                "access_key_2_last_rotated": "2024-01-01T00:00:00+00:00",
            }
        ),
    ),
)
