from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, trail
from evidence.types import Seen


def judge(one: Resource, _seen: Seen) -> Verdict:
    if "LogFileValidationEnabled" not in one.data:
        return unknown("AWS did not say whether log files are validated")
    if one.data["LogFileValidationEnabled"]:
        return passed("signed digests of its log files are kept")
    return failed("its log files could be changed without anybody noticing")


CHECK = Check(
    title="Trails sign their log files",
    severity=Severity.MEDIUM,
    collectors=("cloudtrail",),
    supports=("164.312(b)", "164.312(c)(1)"),
    rationale="A record of access to ePHI proves something only if it can be shown that nobody changed or removed parts of it.",
    expected="Log file validation is on.",
    fix=Fix(
        console="CloudTrail, the trail, General details, Edit: Log file validation, Enabled.",
        cli="aws cloudtrail update-trail --name main --enable-log-file-validation",
        terraform='enable_log_file_validation = true in resource "aws_cloudtrail"',
    ),
    resources=trail.trails,
    judge=judge,
    passing=(examples.trail(LogFileValidationEnabled=True),),
    failing=(examples.trail(LogFileValidationEnabled=False),),
)
