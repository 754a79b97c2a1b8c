"""What a business associate's page shows: one tab for each part of the portal that knows something of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.permissions import Permission
from assessments.agreements import tab as agreements
from assessments.chain import tab as chain
from assessments.exits import tab as exits
from assessments.notices.tab import tab_context
from assessments.partners.models import BusinessAssociate
from assessments.partnerships import tab as partnership
from assessments.portfolio.documents import documents_context
from assessments.portfolio.history import history_context
from assessments.questionnaires import tab as questionnaires
from assessments.sharing.tab import tab_context as shared_posture
from assessments.verifications import tab as verifications


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab at `business-associates/<id>/<slug>/`.

    `context` is given the entry in the register, in its tenant, and answers what `template` needs beside it.
    """

    slug: str
    title: str
    context: Callable[[BusinessAssociate], dict[str, Any]]
    template: str
    needs: Permission = Permission.PARTNER_READ


TABS: tuple[Tab, ...] = (
    Tab("agreement", "Agreement", agreements.tab_context, "agreements/_tab.html"),
    Tab("posture", "Posture", shared_posture, "sharing/_tab.html"),
    Tab("verification", "Verification", verifications.tab_context, "verifications/_tab.html"),
    Tab("subcontractors", "Subcontractors", chain.tab_context, "chain/_tab.html"),
    Tab("notices", "Notices", tab_context, "notices/_tab.html"),
    Tab("questionnaires", "Questionnaires", questionnaires.tab_context, "questionnaires/_tab.html"),
    Tab("exit", "Exit", exits.tab_context, "exits/_tab.html"),
    Tab("partnership", "Partnership", partnership.tab_context, partnership.TEMPLATE),
    Tab("documents", "Documents", documents_context, "portfolio/_documents.html"),
    Tab("history", "History", history_context, "portfolio/_history.html", Permission.AUDIT_READ),
)
"""The tabs after the overview, in the order of the page."""
