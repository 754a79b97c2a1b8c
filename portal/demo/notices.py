"""Notices of the demonstration's business associate, and what the hospital made of one. None of it ever happened."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Notice, Occurrence
from assessments.notices.breaches import FACTORS, Weighed, assess_breach, open_breach
from assessments.notices.kinds import Kind
from assessments.notices.receiving import acknowledge_notice
from assessments.notices.sending import Draft, add_update, list_recipients, send_notices
from portal.demo.clock import ago
from portal.demo.partners import Parties
from portal.demo.people import person_of

ZONE = "America/Chicago"
_OUTAGE = (
    "Image archive could not be read",
    "The archive was down for three hours after a failed upgrade. Use the copy at the reading rooms until we say that"
    " it is back.",
)
_INCIDENT = (
    "A stolen log-in was tried on the reporting service",
    "A password of one of our service accounts was used from an unknown network. The second factor stopped it. We have"
    " closed the account and are reading the logs of the last 30 days.",
)
_DRILL = (
    "Exercise: the archive is lost",
    "Pretend that images can't be read since this hour, and acknowledge.",
)
_WEIGHED = (
    "Reports hold kinds of data that identify people; none was reached.",
    "Somebody outside, unknown; the network belongs to a hosting company.",
    "No: the session ended at the second factor, and the logs show no reading.",
    "The account is closed, all log-ins of the service were renewed the same day.",
)


def seed_notices(parties: Parties) -> None:
    """A contingency plan that is over, an incident that is acknowledged, an open drill; once."""
    with open_tenant(parties.imaging):
        if Occurrence.objects.exists():
            return
    with ago(days=24):
        outage = _send(parties, Kind.CONTINGENCY, _OUTAGE)
    with ago(days=23, hours=22):
        _acknowledge(parties, outage, "We read from the copy until it is back.")
    with ago(days=23, hours=21), open_tenant(parties.imaging):
        text = "The archive is back since this hour; nothing was lost."
        add_update(occurrence_id=outage.pk, text=text, closes=True, by=person_of(Role.SECURITY_OFFICIAL))
    _seed_incident(parties)
    with ago(hours=1):
        _send(parties, Kind.CONTINGENCY, _DRILL, drill=True)


def _seed_incident(parties: Parties) -> None:
    with ago(days=5):
        incident = _send(parties, Kind.INCIDENT, _INCIDENT)
    with ago(days=4, hours=20):
        notice = _acknowledge(parties, incident, "Thank you. Tell us when the logs are read.")
    with ago(days=3), open_tenant(parties.imaging):
        text = "The logs of the last 30 days are read: nobody else used that account."
        add_update(occurrence_id=incident.pk, text=text, closes=False, by=person_of(Role.SECURITY_OFFICIAL))
    with ago(days=2), open_tenant(parties.hospital):
        official = person_of(Role.SECURITY_OFFICIAL)
        draft = _draft(Kind.BREACH, (f"Was it a breach? {_INCIDENT[0]}", ""), since=timedelta(days=3))
        breach = open_breach(draft=draft, by=official, from_notice=notice.pk)
        weighed = Weighed(dict(zip(FACTORS, _WEIGHED, strict=True)), True, 0, 0)
        assess_breach(occurrence_id=breach.pk, weighed=weighed, by=official)


def _draft(kind: Kind, words: tuple[str, str], *, since: timedelta, drill: bool = False) -> Draft:
    title, details = words
    return Draft(kind, drill, title, details, timezone.now() - since, ZONE)


def _send(parties: Parties, kind: Kind, words: tuple[str, str], *, drill: bool = False) -> Occurrence:
    """Tells the hospital, soon after it became known."""
    with open_tenant(parties.imaging):
        draft = _draft(kind, words, since=timedelta(minutes=50), drill=drill)
        to = list_recipients(kind=kind, discovered_at=draft.discovered_at, zone=ZONE)
        return send_notices(draft=draft, to={each.id for each in to}, by=person_of(Role.OWNER))


def _acknowledge(parties: Parties, occurrence: Occurrence, note: str) -> Notice:
    with open_tenant(parties.hospital):
        notice = Notice.received.get(title=occurrence.title)
        acknowledge_notice(notice_id=notice.pk, note=note, by=person_of(Role.SECURITY_OFFICIAL))
        return notice
