"""Notices on the page of one partner: received from a business associate, sent to a covered entity."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from accounts.models import Tenant
from assessments.notices.models import Acknowledgement, Notice, owner_of
from assessments.notices.reading import SHOWN, list_received, state_of
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """For the upstream's page of a business associate."""
    partnerships = list(Partnership.objects.filter(associate=associate))
    rows = [row for each in partnerships for row in list_received(each.pk)]
    if rows:
        tell_sharer(
            owner_of(rows[0].notice), Act.NOTICE_LIST, reader=Tenant.objects.get().name, object_type="page",
            object_id="notices", shown=len(rows),
        )  # fmt: skip
    return {"received": rows, "partnered": bool(partnerships)}


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """For the downstream's page of a covered entity."""
    rows = list(Notice.objects.filter(partnership_id=partnership.pk).order_by("-sent_at")[:SHOWN])
    answers = Acknowledgement.received.filter(notice_id__in=[row.pk for row in rows])
    answered, now = dict(answers.values_list("notice_id", "at")), timezone.now()
    if answered:
        tell_sharer(
            rows[0].viewer_id, Act.NOTICE_LIST, reader=Tenant.objects.get().name, object_type="page",
            object_id="notices", shown=len(answered),
        )  # fmt: skip
    return {"sent": [(row, *state_of(row.due_at, answered.get(row.pk), now)) for row in rows]}
