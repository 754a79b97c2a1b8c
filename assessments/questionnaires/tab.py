"""Questionnaires on the page of one business associate, and on the business associate's page of one covered entity."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from assessments.models import BusinessAssociate, Partnership
from assessments.questionnaires.states import received_with_state, sent_with_state

SHOWN = 50


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """What was sent to one, newest first."""
    sent = sent_with_state(timezone.now().date()).filter(associate=associate).defer("content", "reviews")
    return {"questionnaires": list(sent.order_by("-sent_at")[:SHOWN]), "associate": associate}


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """What one covered entity asks of the open tenant, newest first."""
    asked = received_with_state(timezone.now().date()).filter(partnership_id=partnership.pk)
    mine = asked.filter(tenant=partnership.tenant_id).defer("content", "reviews").order_by("-sent_at")
    return {"questionnaires": list(mine[:SHOWN])}
