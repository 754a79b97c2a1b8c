from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of IAM policies raise an alarm",
    rationale="Who may reach ePHI is decided by IAM policies; a change that nobody asked for is how access is widened or a back door kept.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
        "164.308(a)(4)(ii)(C)",
    ),
    event=SecurityEvent(
        "IamChanges",
        "{ ($.eventName = DeleteGroupPolicy) || ($.eventName = DeleteRolePolicy) || ($.eventName = DeleteUserPolicy) || ($.eventName = PutGroupPolicy) || ($.eventName = PutRolePolicy) || ($.eventName = PutUserPolicy) || ($.eventName = CreatePolicy) || ($.eventName = DeletePolicy) || ($.eventName = CreatePolicyVersion) || ($.eventName = DeletePolicyVersion) || ($.eventName = AttachRolePolicy) || ($.eventName = DetachRolePolicy) || ($.eventName = AttachUserPolicy) || ($.eventName = DetachUserPolicy) || ($.eventName = AttachGroupPolicy) || ($.eventName = DetachGroupPolicy) }",
        call(
            "iam",
            "AttachUserPolicy",
            "AttachRolePolicy",
            "AttachGroupPolicy",
            "PutUserPolicy",
            "PutRolePolicy",
            "PutGroupPolicy",
            "CreatePolicyVersion",
            "DeleteRolePolicy",
            "DetachRolePolicy",
        ),
    ),
    severity=Severity.MEDIUM,
)
