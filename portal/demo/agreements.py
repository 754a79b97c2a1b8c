"""Agreements of the demonstration's hospital, each in another state, with dates that count from today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from accounts.models import Membership, Person
from accounts.permissions import Role
from assessments.agreements.checklist import Marking, mark_clauses
from assessments.agreements.clauses import NEEDED
from assessments.agreements.models import AgreementVersion, ClauseAnswer, VersionKind
from assessments.agreements.services import NewVersion, add_version, record_agreement, set_stage
from assessments.agreements.states import Stage, today
from assessments.models import Agreement, BusinessAssociate

OWN = "Mercy Lakes Hospital"
LACKING = ("access", "security-subcontractors")
"""What the agreement with the billing company leaves out."""


def seed_agreements(slug: str) -> None:
    """Records the agreements of the open tenant, once."""
    if slug != "mercy-lakes" or Agreement.objects.exists():
        return
    by = Membership.objects.select_related("person").filter(role=Role.SECURITY_OFFICIAL)[0].person
    imaging = _record("V-1001", VersionKind.SIGNED, by, **_dates(-700), **_hours(24, 72), audit_right=True)
    _mark(imaging, by, NEEDED, ClauseAnswer.PRESENT, page=3)
    amended = AgreementVersion(
        own_party=OWN, other_party="Northwind Imaging", audit_right=True, binds_subcontractors=True,
        disposal="either", return_days=30, contingency_hours=24, workforce_hours=24, **_dates(-90), **_hours(24, 48),
    )  # fmt: skip
    change = NewVersion(
        VersionKind.AMENDMENT, amended, "Hours for breaches shortened; contingency plan and access."
    )
    add_version(agreement_id=imaging.pk, new=change, by=by)
    billing = _record("V-1002", VersionKind.SIGNED, by, **_dates(-686, 44), **_hours(96, 90 * 24))
    _mark(billing, by, NEEDED - set(LACKING), ClauseAnswer.PRESENT, page=2)
    _mark(billing, by, LACKING, ClauseAnswer.MISSING)
    _record("V-1003", VersionKind.SIGNED, by, **_dates(-742, -12), **_hours(72, 240))
    draft = _record("V-1004", VersionKind.DRAFT, by, **_hours(48, 120))
    set_stage(agreement_id=draft.pk, stage=Stage.NEGOTIATION)


def _record(reference: str, kind: VersionKind, by: Person, **terms: Any) -> Agreement:
    associate = BusinessAssociate.objects.get(reference=reference)
    said = AgreementVersion(own_party=OWN, other_party=associate.name, **terms)
    return record_agreement(associate_id=associate.pk, new=NewVersion(kind, said), by=by)


def _mark(
    agreement: Agreement, by: Person, clauses: Any, answer: ClauseAnswer, page: int | None = None
) -> None:
    mark_clauses(agreement_id=agreement.pk, marking=Marking(sorted(clauses), answer, page), by=by)


def _dates(first: int, last: int | None = None) -> dict[str, date | None]:
    day = today() + timedelta(days=first)
    return {
        "signed_on": day, "effective_from": day,
        "ends_on": None if last is None else today() + timedelta(days=last),
    }  # fmt: skip


def _hours(incident: int, breach: int) -> dict[str, int]:
    return {"incident_hours": incident, "breach_hours": breach}
