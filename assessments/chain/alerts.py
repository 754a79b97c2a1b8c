"""Alerts of broken links below the tenant's business associates: told once a break, ended when it is mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.models import Membership, Person
from accounts.notices import send_after_commit, site_link
from accounts.permissions import Role
from assessments.chain.models import ChainAlert, ChainNode
from assessments.chain.words import Break, Ending
from assessments.partnerships.models import Partnership

TOLD = (Role.OWNER, Role.SECURITY_OFFICIAL)
Place = tuple[UUID, tuple[str, ...]]


def watch_breaks(nodes: Iterable[ChainNode], partnerships: Mapping[UUID, Partnership]) -> None:
    """Brings the open tenant's alerts to what it is told, and tells its officials of what is newly broken."""
    told = {_place(node): node for node in nodes}
    broken = {place: node for place, node in told.items() if node.broken}
    standing = {_place(alert): alert for alert in ChainAlert.objects.filter(ended_at=None)}
    for place in standing.keys() - broken.keys():
        _end(standing[place], Ending.MENDED if place in told else Ending.WITHDRAWN)
    for place in standing.keys() & broken.keys():
        _keep_reasons(standing[place], broken[place])
    fresh = [
        _raise(broken[place], partnerships[place[0]]) for place in sorted(broken.keys() - standing.keys())
    ]
    if fresh:
        _mail(fresh, partnerships)


def _place(row: ChainNode | ChainAlert) -> Place:
    return row.partnership_id, tuple(row.path)


def _raise(node: ChainNode, partnership: Partnership) -> ChainAlert:
    alert = ChainAlert.objects.create(
        associate_id=partnership.associate_id, partnership_id=node.partnership_id, pseudonym=node.pseudonym,
        service=node.service, path=node.path, reasons=node.broken,
    )  # fmt: skip
    record(
        Act.CHAIN_BREAK, object_type="business_associate", object_id=partnership.associate_id,
        alert=str(alert.pk), reasons=list(node.broken), depth=node.depth,
    )  # fmt: skip
    return alert


def _end(alert: ChainAlert, ending: Ending) -> None:
    alert.ended_at, alert.ending = timezone.now(), ending
    alert.save(update_fields=["ended_at", "ending"])
    record(
        Act.CHAIN_MEND, object_type="business_associate", object_id=alert.associate_id, alert=str(alert.pk),
        ending=str(ending),
    )  # fmt: skip


def _keep_reasons(alert: ChainAlert, node: ChainNode) -> None:
    if alert.reasons != node.broken:
        alert.reasons = node.broken
        alert.save(update_fields=["reasons"])


def _mail(alerts: list[ChainAlert], partnerships: Mapping[UUID, Partnership]) -> None:
    """One message to each official for all that broke at once. It names the business associate and no one below it."""
    broken = [
        {
            "associate": partnerships[alert.partnership_id].downstream_name,
            "pseudonym": alert.pseudonym,
            "reasons": [Break(reason).sentence for reason in alert.reasons],
            "url": site_link("business-associate-detail", alert.associate_id),
        }
        for alert in alerts
    ]
    for address in _officials():
        send_after_commit(
            to=address, subject="A link in a chain of subcontractors is broken", template="chain/break_mail.txt",
            broken=broken,
        )  # fmt: skip


def _officials() -> list[str]:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    members = Membership.objects.filter(living, role__in=TOLD).values_list("person_id", flat=True)
    return list(Person.objects.filter(pk__in=list(members), is_active=True).values_list("email", flat=True))
