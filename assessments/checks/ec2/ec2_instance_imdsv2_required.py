from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    options = instance.data.get("MetadataOptions") or {}
    if options.get("HttpEndpoint") == "disabled":
        return passed("the metadata service is off")
    match options.get("HttpTokens"):
        case "required":
            return passed("session tokens (IMDSv2) are required")
        case "optional":
            return failed("answers without a session token (IMDSv1)")
    return unknown("AWS did not say whether session tokens are required")


def _example(**options: str) -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "MetadataOptions": options}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="Instances require session tokens for their metadata (IMDSv2)",
    severity=Severity.HIGH,
    collectors=("ec2",),
    supports=("164.312(a)(1)",),
    rationale="Without session tokens, one forged request through a web application reads the credentials of the instance's role, and with them the ePHI that the role may read.",
    expected="HttpTokens is required, or the metadata service is off.",
    fix=Fix(
        console="EC2, Instances, the instance, Actions, Instance settings, Modify instance metadata options: IMDSv2 Required.",
        cli="aws ec2 modify-instance-metadata-options --instance-id i-ID --http-tokens required",
        terraform='resource "aws_instance" "app" {\n  metadata_options {\n    http_tokens = "required"\n  }\n}',
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(
        _example(HttpEndpoint="enabled", HttpTokens="required"),
        _example(HttpEndpoint="disabled", HttpTokens="optional"),
    ),
    failing=(_example(HttpEndpoint="enabled", HttpTokens="optional"),),
)
