"""What assessments know of evidence, for the pages of evidence: evidence itself knows no assessments."""

from __future__ import annotations

from django import template

from assessments.checks.base import Check, checks
from assessments.rule.model import SECURITY_RULE, Safeguard

register = template.Library()


@register.simple_tag
def checks_reading(collector: str) -> list[Check]:
    """The checks that read a collector's answers, by title."""
    return sorted(
        (check for check in checks().values() if collector in check.collectors), key=lambda c: c.title
    )


@register.simple_tag
def supported_by(collectors: str) -> list[str]:
    """The citations that checks of some collectors ("s3, kms") support, in the order of the Rule."""
    names = set(collectors.split(", "))
    found = {
        citation
        for check in checks().values()
        if names & set(check.collectors)
        for citation in check.supports
    }
    return [citation for citation in SECURITY_RULE if citation in found]


@register.filter
def safeguard(citation: str) -> Safeguard:
    """The catalogue's entry of a citation."""
    return SECURITY_RULE[citation]
