from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(_settings: Resource, seen: Seen) -> Verdict:
    answer = seen["ec2"].get("GetInstanceMetadataDefaults") or {}
    if "AccountLevel" not in answer:
        return unknown("AWS did not say what the account's defaults are")
    tokens = answer["AccountLevel"].get("HttpTokens", "no-preference")
    if tokens == "required":
        return passed("new instances require session tokens (IMDSv2) by default")
    return failed(f"the default for session tokens is {tokens}")


CHECK = Check(
    title="New instances in the region require session tokens by default",
    severity=Severity.LOW,
    collectors=("ec2",),
    supports=("164.312(a)(1)",),
    rationale="An instance launched without metadata options takes the account's default. Set to require IMDSv2, no new instance offers the credentials that reach ePHI to a forged request.",
    expected="The account-level default for HttpTokens is required.",
    fix=Fix(
        console="EC2, EC2 Dashboard, Data protection and security, IMDS defaults, Manage: V2 only (token required).",
        cli="aws ec2 modify-instance-metadata-defaults --http-tokens required --region REGION",
        terraform='resource "aws_ec2_instance_metadata_defaults" "this" {\n  http_tokens = "required"\n}',
    ),
    resources=ec2.settings,
    judge=judge,
    passing=({"ec2": {"GetInstanceMetadataDefaults": {"": {"AccountLevel": {"HttpTokens": "required"}}}}},),
    failing=(
        {"ec2": {"GetInstanceMetadataDefaults": {"": {"AccountLevel": {}}}}},
        {"ec2": {"GetInstanceMetadataDefaults": {"": {"AccountLevel": {"HttpTokens": "optional"}}}}},
    ),
)
