"""What can be done in engagements. Keyword-only; the tenant is open; errors are accounts.errors."""

from assessments.engagements.services.access import (
    AuditorNamed,
    EngagementTerms,
    change_engagement,
    create_engagement,
    end_engagement,
    name_auditor,
    remove_auditor,
)
from assessments.engagements.services.conclusions import comment, conclude
from assessments.engagements.services.requests import RequestAct, ask, assign, say
from assessments.engagements.services.samples import (
    draw_sample,
    freeze_population,
    judge_item,
    replace_item,
    sample_document,
)

__all__ = [
    "AuditorNamed",
    "EngagementTerms",
    "RequestAct",
    "ask",
    "assign",
    "change_engagement",
    "comment",
    "conclude",
    "create_engagement",
    "draw_sample",
    "end_engagement",
    "freeze_population",
    "judge_item",
    "name_auditor",
    "remove_auditor",
    "replace_item",
    "sample_document",
    "say",
]
