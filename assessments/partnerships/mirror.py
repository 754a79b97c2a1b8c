"""What the downstream party sees on its page of one covered entity: a line here for each part that shows something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.permissions import Permission
from assessments.agreements import tab as agreements
from assessments.chain import tab as chain
from assessments.notices.tab import mirror_context as notices_context
from assessments.partnerships.models import Partnership
from assessments.questionnaires import tab as questionnaires
from assessments.sharing import mirror as sharing
from assessments.verifications import tab as verifications

Context = Callable[[Partnership], dict[str, Any]]
Summaries = Callable[[Sequence[UUID]], Mapping[UUID, str]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A tab of the page. `context` is called with the received partnership, the downstream party's tenant open.

    Its template gets what `context` returns, `partnership` and `may_change`. The slug stands in the address:
    `?tab=slug`. `summaries` says a few words of each of some partnerships, by id, for the list of covered entities; it
    asks the database once for all of them.
    """

    slug: str
    title: str
    context: Context
    template: str
    needs: Permission = Permission.PARTNER_READ
    summaries: Summaries | None = None


MIRRORS: tuple[Mirror, ...] = (
    Mirror("agreement", "Agreement", agreements.mirror_context, "agreements/_mirror.html"),
    Mirror(
        "posture",
        "What it sees of our posture",
        sharing.mirror_context,
        "sharing/_mirror.html",
        summaries=sharing.summaries,
    ),
    Mirror("verification", "Verification", verifications.mirror_context, "verifications/_mirror.html"),
    Mirror("subcontractors", "Subcontractors", chain.mirror_context, "chain/_mirror.html"),
    Mirror("notices", "Notices", notices_context, "notices/_mirror.html"),
    Mirror("questionnaires", "Questionnaires", questionnaires.mirror_context, "questionnaires/_mirror.html"),
)
"""The tabs in their order, after the page's own first one."""
