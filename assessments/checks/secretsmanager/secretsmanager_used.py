from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, secrets
from assessments.checks.subjects.times import day, days_since
from evidence.types import Seen

_DAYS = 90


def judge(secret: Resource, seen: Seen) -> Verdict:
    used = secret.data.get("LastAccessedDate")
    days = days_since(used or secret.data.get("CreatedDate"), seen)
    if days is None:
        return unknown("AWS did not say when it was made or used")
    if used and days <= _DAYS:
        return passed(f"used within the last {_DAYS} days")
    words = (
        f"last used on {day(used)}" if used else f"made on {day(secret.data['CreatedDate'])} and never used"
    )
    return failed(words) if days > _DAYS else passed(words)


CHECK = Check(
    title="Secrets that nothing uses are removed",
    severity=Severity.LOW,
    collectors=("secretsmanager",),
    supports=("164.308(a)(4)(ii)(C)",),
    rationale="A secret that nothing fetches often still opens a database; nobody rotates it and nobody would miss it.",
    expected="The secret was used in the last 90 days, or made since then.",
    fix=Fix(
        console="Secrets Manager, the secret, Actions, Delete secret, with a waiting period of 30 days.",
        cli="aws secretsmanager delete-secret --secret-id SECRET --recovery-window-in-days 30",
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(
        examples.secret(LastAccessedDate="2026-01-14T00:00:00Z"),
        examples.secret(CreatedDate="2026-01-10T00:00:00Z"),
    ),
    failing=(examples.secret(LastAccessedDate="2025-08-14T00:00:00Z"), examples.secret()),
)
