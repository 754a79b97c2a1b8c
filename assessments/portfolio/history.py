"""The tab "History": what the tenant's audit log says of one business associate."""

from __future__ import annotations

from typing import Any

from accounts.audit import trail
from accounts.audit.events import Act
from assessments.agreements.models import Agreement
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership

SHOWN = 100
LOOKS = tuple(act for act in Act if act.value.rpartition(".")[2] in {"read", "list"})
"""Looking, by either side, is no part of its history; the audit log has that too."""


def history_context(associate: BusinessAssociate) -> dict[str, Any]:
    """The newest acts about its entry, its partnerships and agreements; `more`: whether there are others."""
    partnerships = Partnership.objects.filter(associate=associate).values_list("pk", flat=True)
    agreements = Agreement.objects.filter(associate=associate).values_list("pk", flat=True)
    traces = trail.acts_about([associate.pk, *partnerships, *agreements], leaving_out=LOOKS, most=SHOWN + 1)
    lines = [(trace, Act(trace.act).label) for trace in traces[:SHOWN]]
    return {"lines": lines, "more": len(traces) > SHOWN}
