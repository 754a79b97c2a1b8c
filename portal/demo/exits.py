"""Exits of the demonstration's hospital: one that its business associate works on, one written down by hand."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.exits.models import Said, Verdict
from assessments.exits.services.answering import Answer, answer_item, record_item
from assessments.exits.services.beginning import Beginning, begin_exit
from assessments.exits.services.reviewing import review_answer
from assessments.models import BusinessAssociate, Exit
from portal.demo.clock import ago
from portal.demo.partners import Parties
from portal.demo.people import person_of


def seed_exits(parties: Parties) -> None:
    """Begins both, once."""
    with open_tenant(parties.hospital):
        if Exit.objects.exists():
            return
    with ago(days=10):
        billing = _begin(parties.hospital, "V-1002", "Claims move to another company.", "Claims clearing")
        shredding = _begin(parties.hospital, "V-1003", "The agreement has expired and isn't renewed.")
    with ago(days=4), open_tenant(parties.billing):
        day, owner = timezone.now().date(), person_of(Role.OWNER)
        closed = Answer(
            Said.DONE, day, how="All accounts of both sides were closed, and the list was compared."
        )
        revoked = Answer(Said.DONE, day, how="The file transfer is off.")
        answer_item(exit_id=billing, key="access", answer=closed, person=owner)
        answer_item(exit_id=billing, key="credentials", answer=revoked, person=owner)
    with ago(days=2), open_tenant(parties.hospital):
        official, day = person_of(Role.SECURITY_OFFICIAL), timezone.now().date()
        review_answer(exit_id=billing, key="access", verdict=Verdict.ACCEPTED, words="", person=official)
        review_answer(
            exit_id=billing, key="credentials", verdict=Verdict.MORE, person=official,
            words="Is the interface for remittances off as well?",
        )  # fmt: skip
        paper = Answer(
            Said.DESTROYED, day - timedelta(days=3), how="Told by telephone; a certificate is to come."
        )
        record_item(exit_id=shredding, key="media", answer=paper, person=official)


def _begin(hospital_id: UUID, reference: str, reason: str, *systems: str) -> UUID:
    with open_tenant(hospital_id):
        made = begin_exit(
            associate_id=BusinessAssociate.objects.get(reference=reference).pk,
            beginning=Beginning(timezone.now().date(), reason, systems),
            person=person_of(Role.SECURITY_OFFICIAL), tenant=Tenant.objects.get(),
        )  # fmt: skip
        return made.pk
