"""The letter to a business associate that names what its agreement lacks, as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accounts.errors import Conflict
from accounts.models import Person, Tenant
from accounts.tenancy.scope import current_tenant_id
from assessments.agreements.checklist import Found, checklist_of
from assessments.agreements.clauses import Weight
from assessments.agreements.models import Agreement
from assessments.agreements.states import today
from assessments.agreements.terms import unlawful_of
from assessments.pdf import write_pdf

TEMPLATE = Path(__file__).with_name("letter.typ")


def gap_letter(agreement: Agreement, *, by: Person) -> bytes:
    """The letter. Raises Conflict where nothing was found missing, Unavailable where it can't be made."""
    facts = facts_of(agreement, by=by)
    if not facts["missing"] and not facts["unlawful"]:
        raise Conflict("No clause was found missing, so there is nothing to write about.")
    return write_pdf(TEMPLATE, facts)


def facts_of(agreement: Agreement, *, by: Person) -> dict[str, Any]:
    """What the letter says, as JSON."""
    associate = agreement.associate
    return {
        "tenant": agreement.own_party or Tenant.objects.get(pk=current_tenant_id()).name,
        "associate": agreement.other_party or associate.name,
        "attention": associate.contact_name or associate.official_name,
        "reference": associate.reference,
        "date": today().isoformat(),
        "by": by.name,
        "signed_on": agreement.signed_on.isoformat() if agreement.signed_on else "",
        "version": agreement.version,
        "missing": [_told(row) for row in checklist_of(agreement) if row.is_gap],
        "unlawful": unlawful_of(agreement),
    }


def _told(row: Found) -> dict[str, str]:
    clause = row.clause
    return {
        "citation": clause.citation,
        "title": clause.title,
        "says": clause.says,
        "case": clause.case if clause.weight is Weight.BY_CASE else "",
        "found": row.mark.reason if row.mark else "",
    }
