from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import config
from evidence.types import Seen


def judge(_region: Resource, seen: Seen) -> Verdict:
    active = [
        row
        for row in seen["config"].items("DescribeConfigRules", "ConfigRules")
        if row.get("ConfigRuleState") == "ACTIVE"
    ]
    if active:
        return passed(f"{len(active)} rules are active")
    return failed("no rule is active")


CHECK = Check(
    title="AWS Config evaluates rules in the region",
    severity=Severity.LOW,
    collectors=("config",),
    supports=("164.308(a)(8)",),
    rationale="Rules evaluate each change as it happens, between the periodic evaluations that the Rule asks for.",
    expected="At least one AWS Config rule is active.",
    fix=Fix(
        console="AWS Config, Conformance packs, Deploy: Operational Best Practices for HIPAA Security.",
        cli="aws configservice put-conformance-pack --conformance-pack-name hipaa --template-s3-uri URI",
        terraform='resource "aws_config_conformance_pack" "hipaa" { template_body = ... }',
    ),
    resources=config.region,
    judge=judge,
    passing=(
        {
            "config": {
                "DescribeConfigRules": {
                    "": {"ConfigRules": [{"ConfigRuleName": "r", "ConfigRuleState": "ACTIVE"}]}
                }
            }
        },
    ),
    failing=({"config": {"DescribeConfigRules": {"": {"ConfigRules": []}}}},),
)
