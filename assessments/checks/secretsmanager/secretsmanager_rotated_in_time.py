from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, secrets
from assessments.checks.subjects.times import day, days_since
from evidence.types import Json, Seen

_GRACE = 1
_YEAR = 365


def judge(secret: Resource, seen: Seen) -> Verdict:
    row = secret.data
    if not row.get("RotationEnabled"):
        return _judge_by_hand(row, seen)
    overdue = days_since(row.get("NextRotationDate"), seen)
    if overdue is not None:
        if overdue > _GRACE:
            return failed(f"its rotation was due on {day(row['NextRotationDate'])}")
        return passed(f"its next rotation is due on {day(row['NextRotationDate'])}")
    return _judge_by_rule(row, seen)


def _judge_by_rule(row: Json, seen: Seen) -> Verdict:
    every = (row.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    last = row.get("LastRotatedDate") or row.get("CreatedDate")
    age = days_since(last, seen)
    if every is None or age is None:
        return unknown("AWS gave no date from which its rotation could be judged")
    words = f"last rotated on {day(last)}, rotation every {every} days"
    return failed(words) if age > every + _GRACE else passed(words)


def _judge_by_hand(row: Json, seen: Seen) -> Verdict:
    last = row.get("LastChangedDate") or row.get("CreatedDate")
    age = days_since(last, seen)
    if age is None:
        return unknown("AWS did not say when it was changed")
    words = f"changed by hand on {day(last)}"
    return failed(words) if age > _YEAR else passed(words)


CHECK = Check(
    title="Secrets are changed in time",
    severity=Severity.MEDIUM,
    collectors=("secretsmanager",),
    supports=("164.308(a)(5)(ii)(D)",),
    rationale="Rotation that is switched on but fails leaves the old password in place while everybody believes that it changes.",
    expected="The secret was rotated by the date that its rotation sets, or, without rotation, was changed in the last 365 days.",
    fix=Fix(
        console="Secrets Manager, the secret, Rotation, Rotate secret immediately; see the rotation function's log for the error.",
        cli="aws secretsmanager rotate-secret --secret-id SECRET",
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(
        examples.secret(RotationEnabled=True, NextRotationDate="2026-01-30T00:00:00Z"),
        examples.secret(
            RotationEnabled=True,
            LastRotatedDate="2026-01-05T00:00:00Z",
            RotationRules={"AutomaticallyAfterDays": 30},
        ),
        examples.secret(LastChangedDate="2025-11-01T00:00:00Z"),
    ),
    failing=(
        examples.secret(RotationEnabled=True, NextRotationDate="2026-01-05T00:00:00Z"),
        examples.secret(
            RotationEnabled=True,
            LastRotatedDate="2025-10-05T00:00:00Z",
            RotationRules={"AutomaticallyAfterDays": 30},
        ),
        examples.secret(LastChangedDate="2023-11-01T00:00:00Z"),
    ),
)
