from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam, trail
from evidence.types import Seen


def _records_global(one: Resource, seen: Seen) -> bool:
    return bool(one.data.get("IncludeGlobalServiceEvents")) and trail.is_logging(one, seen)


def judge(_account: Resource, seen: Seen) -> Verdict:
    return trail.judge_any(
        seen,
        _records_global,
        "records events of IAM, STS and sign-in",
        "that is switched on records events of global services",
    )


CHECK = Check(
    title="A trail records IAM, STS and console sign-ins",
    severity=Severity.HIGH,
    collectors=("cloudtrail",),
    supports=("164.308(a)(5)(ii)(C)", "164.312(b)"),
    rationale="Sign-ins and changes of permissions are events of global services; a trail without them cannot show who got in.",
    expected="A trail that is switched on includes the events of global services.",
    fix=Fix(
        cli="aws cloudtrail update-trail --name main --include-global-service-events",
        terraform='include_global_service_events = true in resource "aws_cloudtrail"',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.trail(status={"IsLogging": True}, IncludeGlobalServiceEvents=True),),
    failing=(
        examples.trail(status={"IsLogging": True}, IncludeGlobalServiceEvents=False),
        examples.trail(status={"IsLogging": False}, IncludeGlobalServiceEvents=True),
    ),
)
