"""What the downstream party sees on its page of one covered entity: a line here for each part that shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.permissions import Permission
from assessments.agreements import tab as agreements
from assessments.agreements.duties import owed_to as agreement_duties
from assessments.chain import tab as chain
from assessments.duties.types import Duty
from assessments.exits import tab as exits
from assessments.exits.duties import owed_to as exit_duties
from assessments.notices.duties import owed_to as notice_duties
from assessments.notices.tab import mirror_context as notices_context
from assessments.partnerships.models import Partnership
from assessments.questionnaires import tab as questionnaires
from assessments.questionnaires.duties import owed_to as questionnaire_duties
from assessments.sharing import mirror as sharing
from assessments.verifications import tab as verifications
from assessments.verifications.duties import owed_to as verification_duties

Context = Callable[[Partnership], dict[str, Any]]
Summaries = Callable[[Sequence[UUID]], Mapping[UUID, str]]
Owed = Callable[[Partnership], Iterable[Duty]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A tab of the page. `context` is called with the received partnership, the downstream party's tenant open.

    Its template gets what `context` returns, `partnership`, `may_change`, `may_share`. The slug stands in the address:
    `?tab=slug`. `summaries` says a few words of each of some partnerships, by id, for the list of covered entities; it
    asks the database once for all of them. `owed` gives what the open tenant still owes to the covered entity of a
    partnership.
    """

    slug: str
    title: str
    context: Context
    template: str
    needs: Permission = Permission.PARTNER_READ
    summaries: Summaries | None = None
    owed: Owed | None = None


MIRRORS: tuple[Mirror, ...] = (
    Mirror(
        "agreement", "Agreement", agreements.mirror_context, "agreements/_mirror.html", owed=agreement_duties
    ),
    Mirror(
        "posture",
        "What it sees of our posture",
        sharing.mirror_context,
        "sharing/_mirror.html",
        summaries=sharing.summaries,
    ),
    Mirror(
        "verification",
        "Verification",
        verifications.mirror_context,
        "verifications/_mirror.html",
        owed=verification_duties,
    ),
    Mirror("subcontractors", "Subcontractors", chain.mirror_context, "chain/_mirror.html"),
    Mirror("notices", "Notices", notices_context, "notices/_mirror.html", owed=notice_duties),
    Mirror(
        "questionnaires",
        "Questionnaires",
        questionnaires.mirror_context,
        "questionnaires/_mirror.html",
        owed=questionnaire_duties,
    ),
    Mirror("exit", "Exit", exits.mirror_context, "exits/_mirror.html", owed=exit_duties),
)
"""The tabs in their order, after the page's own first one."""
