"""What the tenant's own AWS Config rules say: each rule is a resource, and its word is passed on."""

from collections.abc import Iterator

from assessments.checks.base import (
    Check,
    Example,
    Fix,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from evidence.types import Seen


def _rules(seen: Seen) -> Iterator[Resource]:
    """Rules, with `ComplianceType`: AWS's word, where there is one."""
    listed = seen["config"].items("DescribeConfigRules", "ConfigRules")
    if not listed:
        return
    said = {
        row.get("ConfigRuleName"): row.get("Compliance") or {}
        for row in seen["config"].items("DescribeComplianceByConfigRule", "ComplianceByConfigRules")
    }
    for row in listed:
        name = row["ConfigRuleName"]
        arn = (
            row.get("ConfigRuleArn")
            or f"arn:{seen.partition}:config:{seen.region}:{seen.account_id}:config-rule/{name}"
        )
        yield Resource(arn, name, "AWS Config rule", seen.region, {**row, **said.get(name, {})})


def judge(rule: Resource, _seen: Seen) -> Verdict:
    word = rule.data.get("ComplianceType")
    match word:
        case "COMPLIANT":
            return passed("AWS Config found nothing against the rule")
        case "NON_COMPLIANT":
            count = (rule.data.get("ComplianceContributorCount") or {}).get("CappedCount")
            return failed(f"AWS Config reports NON_COMPLIANT for {count or 'some'} resources")
        case "NOT_APPLICABLE":
            return not_applicable("AWS Config says that the rule concerns no resource")
    return unknown(f"AWS Config says {word}" if word else "AWS Config has not evaluated the rule")


def _example(word: str) -> Example:
    return {
        "config": {
            "DescribeConfigRules": {"": {"ConfigRules": [{"ConfigRuleName": "encrypted-volumes"}]}},
            "DescribeComplianceByConfigRule": {
                "": {
                    "ComplianceByConfigRules": [
                        {"ConfigRuleName": "encrypted-volumes", "Compliance": {"ComplianceType": word}}
                    ]
                }
            },
        }
    }


CHECK = Check(
    title="AWS Config rules find nothing",
    severity=Severity.MEDIUM,
    collectors=("config",),
    supports=("164.308(a)(8)",),
    rationale="The tenant chose these rules; what they find is known to the organisation and has to be mended or explained. What a rule is about is not read here, so it supports evaluation in general and no other safeguard.",
    expected="No rule of AWS Config reports NON_COMPLIANT.",
    fix=Fix(
        console="AWS Config, Rules, the rule, Resources in scope: open each resource and mend it.",
        cli="aws configservice get-compliance-details-by-config-rule --config-rule-name RULE --compliance-types NON_COMPLIANT",
    ),
    resources=_rules,
    judge=judge,
    passing=(_example("COMPLIANT"),),
    failing=(_example("NON_COMPLIANT"),),
)
