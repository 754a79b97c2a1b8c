from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.times import day, days_since
from evidence.types import Seen

_DAYS = 90


def judge(role: Resource, seen: Seen) -> Verdict:
    if "RoleLastUsed" not in role.data:
        return unknown("AWS did not say when the role was last used")
    used = days_since(role.data["RoleLastUsed"].get("LastUsedDate"), seen)
    made = days_since(role.data.get("CreateDate"), seen)
    if used is not None:
        if used > _DAYS:
            return failed(f"was last used on {day(role.data['RoleLastUsed']['LastUsedDate'])}")
        return passed(f"was used within the last {_DAYS} days")
    if made is None:
        return unknown("AWS did not say when the role was made")
    words = f"was made on {day(role.data['CreateDate'])} and never used"
    return failed(words) if made > _DAYS else passed(words)


def _role(used: str, made: str = "2024-01-01T00:00:00Z") -> dict[str, object]:
    return examples.role("etl", CreateDate=made, RoleLastUsed={"LastUsedDate": used} if used else {})


CHECK = Check(
    title="Roles that nothing uses are removed",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(4)(ii)(C)",),
    rationale="A role that nothing uses keeps the access to ePHI that it was once given, and nobody reviews it. AWS reports the use of the last 400 days.",
    expected="Every role was used in the last 90 days, or made since then.",
    fix=Fix(
        console="IAM, Roles, the role, Last activity: check, then Delete.",
        cli="aws iam delete-role --role-name ROLE",
    ),
    resources=iam.roles,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(RoleDetailList=[_role("2026-01-10T00:00:00Z")]),
        examples.identities(RoleDetailList=[_role("", made="2026-01-10T00:00:00Z")]),
    ),
    failing=(
        examples.identities(RoleDetailList=[_role("2025-06-10T00:00:00Z")]),
        examples.identities(RoleDetailList=[_role("")]),
    ),
)
