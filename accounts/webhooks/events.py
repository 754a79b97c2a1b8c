"""Every kind of event that a webhook tells of. An event names things by id and link, never by their contents."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class EventType(StrEnum):
    """What happened. The value is what receivers see; it never changes its meaning."""

    TEST = "webhook.test"
    NOTICE_RECEIVED = "notice.received"
    NOTICE_UPDATED = "notice.updated"
    NOTICE_ACKNOWLEDGED = "notice.acknowledged"
    NOTICE_ESCALATED = "notice.escalated"
    AGREEMENT_EXPIRING = "agreement.expiring"
    AGREEMENT_EXPIRED = "agreement.expired"
    VERIFICATION_DELIVERED = "verification.delivered"
    QUESTIONNAIRE_RECEIVED = "questionnaire.received"
    GRANT_MADE = "grant.made"
    GRANT_REVOKED = "grant.revoked"
    PARTNERSHIP_BEGAN = "partnership.began"
    PARTNERSHIP_ENDED = "partnership.ended"
    EXIT_BEGAN = "exit.began"
    EXIT_CERTIFIED = "exit.certified"
    EXIT_CLOSED = "exit.closed"
    RUN_FINISHED = "run.finished"
    SAFEGUARD_STATUS_CHANGED = "safeguard.status_changed"
    SUBMISSION_ACCEPTED = "submission.accepted"
    SUBMISSION_REFUSED = "submission.refused"
    SUBMISSION_HELD = "submission.held"

    @property
    def words(self) -> str:
        """What people read."""
        return EVENTS[self].words

    @property
    def example(self) -> dict[str, Any]:
        """The `data` of such an event, with the same fields as a real one."""
        return {**_COMMON, **EVENTS[self].fields}


class Event(NamedTuple):
    """An event's words, and its own fields with sample values."""

    words: str
    fields: Mapping[str, Any]


_ID = "01997b4e-0c4e-7d52-9a3c-3f6f0a4d7e10"
_COMMON = {"tenant": _ID, "id": _ID, "url": "https://surety.example.org/"}
_CLOCK = {"kind": "contingency", "drill": False, "due_at": "2026-11-23T14:30:00Z"}
_RELATION = {"partnership": _ID}
_EXIT = {**_RELATION, "side": "upstream", "due_at": "2027-01-21T23:59:59Z"}

EVENTS: Mapping[EventType, Event] = MappingProxyType(
    {
        EventType.TEST: Event("A test that somebody sent by the button", {}),
        EventType.NOTICE_RECEIVED: Event(
            "A business associate sent us a notice; its clock runs",
            {**_RELATION, **_CLOCK, "sent_at": "2026-11-22T14:30:00Z"},
        ),
        EventType.NOTICE_UPDATED: Event(
            "A notice that we received was added to or closed",
            {**_RELATION, **_CLOCK, "revision": 2, "closed": False},
        ),
        EventType.NOTICE_ACKNOWLEDGED: Event(
            "A recipient acknowledged our notice",
            {**_RELATION, **_CLOCK, "acknowledged_at": "2026-11-22T15:02:11Z", "in_time": True},
        ),
        EventType.NOTICE_ESCALATED: Event(
            "A notice that we sent or received is not acknowledged at half time, or at its deadline",
            {**_CLOCK, "side": "sender", "overdue": True},
        ),
        EventType.AGREEMENT_EXPIRING: Event(
            "An agreement ends in 90, 30 or 7 days", {"last_on": "2026-12-31", "days": 30}
        ),
        EventType.AGREEMENT_EXPIRED: Event("An agreement has lapsed", {"last_on": "2026-12-31"}),
        EventType.VERIFICATION_DELIVERED: Event(
            "A yearly verification was delivered, by us (downstream) or to us (upstream)",
            {**_RELATION, "side": "upstream", "year": 2026, "next_due_on": "2027-11-22"},
        ),
        EventType.QUESTIONNAIRE_RECEIVED: Event(
            "A covered entity sent us a questionnaire, or its next round",
            {**_RELATION, "due_on": "2026-12-31", "round": 1},
        ),
        EventType.GRANT_MADE: Event(
            "A sharing grant was made, by us (downstream) or to us (upstream)",
            {**_RELATION, "side": "upstream", "level": 1, "begins_at": "2026-11-22T14:30:00Z", "ends_at": None},
        ),
        EventType.GRANT_REVOKED: Event(
            "A sharing grant was revoked, by us (downstream) or to us (upstream)",
            {**_RELATION, "side": "upstream"},
        ),
        EventType.PARTNERSHIP_BEGAN: Event("A partnership began", {"side": "upstream"}),
        EventType.PARTNERSHIP_ENDED: Event("A partnership ended", {"side": "upstream"}),
        EventType.EXIT_BEGAN: Event("PHI is to be returned or destroyed: an exit began", _EXIT),
        EventType.EXIT_CERTIFIED: Event(
            "The return or destruction of PHI was certified, by us (downstream) or to us (upstream)",
            {**_EXIT, "complete": True},
        ),
        EventType.EXIT_CLOSED: Event("An exit is closed: the covered entity accepted the proof", _EXIT),
        EventType.RUN_FINISHED: Event(
            "A collection run finished", {"connection": _ID, "verdict": "complete", "units": 40}
        ),
        EventType.SAFEGUARD_STATUS_CHANGED: Event(
            "Statuses of safeguards changed after a run or a document, and how many findings are new or fixed",
            {"statuses_changed": 2, "findings_failing_anew": 3, "findings_fixed": 1},
        ),
        EventType.SUBMISSION_ACCEPTED: Event(
            "A document that was sent became evidence", {"sequence": 41, "outcomes": 1289}
        ),
        EventType.SUBMISSION_REFUSED: Event(
            "A document that was sent can't be read; its page says why", {"sequence": 41}
        ),
        EventType.SUBMISSION_HELD: Event(
            "A document that was sent may hold PHI, and waits for two people's decision",
            {"sequence": 41, "kinds": ["medical_record_number"]},
        ),
    }
)  # fmt: skip
SUBSCRIBABLE = tuple(each for each in EventType if each is not EventType.TEST)
"""What an endpoint can ask for; a test goes to whoever is tested."""
