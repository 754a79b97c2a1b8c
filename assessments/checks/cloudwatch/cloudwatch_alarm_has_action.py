from assessments.checks.base import Check, Example, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import monitoring
from evidence.types import Seen


def judge(alarm: Resource, _seen: Seen) -> Verdict:
    if monitoring.acts(alarm.data):
        return passed(f"it notifies {', '.join(sorted(alarm.data['AlarmActions']))}")
    if alarm.data.get("AlarmActions"):
        return failed("its actions are switched off")
    if alarm.data["AboveIt"]:
        return passed(f"composite alarm {', '.join(sorted(alarm.data['AboveIt']))} acts on it")
    return failed("it has no action, so nobody hears of it")


def _example(**more: object) -> Example:
    return {"cloudwatch": {"DescribeAlarms": {"": {"MetricAlarms": [{"AlarmName": "disk", **more}]}}}}


_TOPIC = ["arn:aws:sns:us-east-1:111122223333:ops"]

CHECK = Check(
    title="Alarms reach somebody",
    severity=Severity.MEDIUM,
    collectors=("cloudwatch",),
    supports=("164.308(a)(6)(ii)", "164.312(b)"),
    rationale="An alarm without an action changes its colour on a page that nobody has open.",
    expected="The alarm has an action and its actions are on, or a composite alarm with an action includes it.",
    fix=Fix(
        console="CloudWatch, Alarms, the alarm, Edit, Notification: an SNS topic that somebody reads; Actions, Enable.",
        cli="aws cloudwatch enable-alarm-actions --alarm-names ALARM",
        terraform='alarm_actions = [aws_sns_topic.security.arn], actions_enabled = true in resource "aws_cloudwatch_metric_alarm"',
    ),
    resources=monitoring.alarms,
    judge=judge,
    passing=(_example(ActionsEnabled=True, AlarmActions=_TOPIC),),
    failing=(
        _example(ActionsEnabled=True, AlarmActions=[]),
        _example(ActionsEnabled=False, AlarmActions=_TOPIC),
    ),
)
