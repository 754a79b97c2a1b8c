"""What pages show of an agreement, on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from assessments.agreements.models import Agreement, AgreementVersion, Disposal, TermColumns
from assessments.agreements.terms import NAMES, term_end, words_of_days, words_of_hours


@dataclass(frozen=True, slots=True)
class Fact:
    """A term in words; `said` is False where the agreement says nothing."""

    name: str
    words: str
    said: bool = True


def facts_of(terms: Any) -> list[Fact]:
    """The terms of an agreement, a version, or what the other party is shown."""
    return [*_term(terms), *_numbers(terms), *_rights(terms)]


def versions_of(agreement: Agreement) -> QuerySet[AgreementVersion]:
    """Every version, the newest first."""
    rows = AgreementVersion.objects.filter(agreement=agreement).select_related("blob", "recorded_by")
    return rows.order_by("-number")


def _term(terms: Any) -> list[Fact]:
    found = [
        _day("Signed on", terms.signed_on),
        _day("In force from", terms.effective_from),
        _day("Last day", terms.ends_on, empty="none: until it is ended"),
    ]
    if terms.renews:
        notice = words_of_days(terms.notice_days) or "in time"
        found += [
            Fact(
                "Renews itself",
                f"for {terms.renewal_months} months, unless a party gives notice {notice} before",
            ),
            _day("This term ends", term_end(terms)),
        ]
    if getattr(terms, "terminated_on", None):
        found.append(_day("Terminated from", terms.terminated_on))
    return found


def _numbers(terms: TermColumns) -> list[Fact]:
    found = []
    for name, label in NAMES.items():
        value = getattr(terms, name)
        words = words_of_days(value) if name == "return_days" else words_of_hours(value)
        found.append(Fact(label, words or "no number", said=bool(words)))
    return found


def _rights(terms: TermColumns) -> list[Fact]:
    disposal = Disposal(terms.disposal).label.lower() if terms.disposal else "not said"
    return [
        Fact("PHI at the end", disposal, said=bool(terms.disposal)),
        _said("Right to audit", terms.audit_right),
        _said("Subcontractors are bound", terms.binds_subcontractors),
    ]


def _day(name: str, day: Any, empty: str = "not said") -> Fact:
    return Fact(name, day.isoformat() if day else empty, said=bool(day))


def _said(name: str, value: bool | None) -> Fact:  # noqa: FBT001 (what a column holds)
    words = "not looked at yet" if value is None else "yes" if value else "no"
    return Fact(name, words, said=value is not None)
