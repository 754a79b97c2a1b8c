"""The numbers of an agreement as clocks take them, and what is to be said about them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from assessments.agreements.models import Agreement, AgreementTerms, TermColumns
from assessments.agreements.states import Stage, State, today

LAW_HOURS = 60 * 24
"""164.410(b): a breach is told without unreasonable delay and within 60 calendar days of its discovery."""
PROPOSED_HOURS = 24
"""The 2025 rulemaking's hours for contingency plans and workforce access: proposed, not in force."""
SENSIBLE: Mapping[str, int] = MappingProxyType(
    {"incident_hours": 72, "breach_hours": 10 * 24, "contingency_hours": 24, "workforce_hours": 24}
)
"""More is warned about; nothing in law says so."""
SENSIBLE_RETURN_DAYS = 60
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "incident_hours": "Security incidents are told within",
        "breach_hours": "Breaches are told within",
        "contingency_hours": "An activated contingency plan is told within",
        "workforce_hours": "Ended workforce access is told within",
        "return_days": "PHI is returned or destroyed within",
    }
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The hours and days that bind, never without a number.

    What an agreement doesn't say, or says longer than law, is `LAW_HOURS` for incidents and breaches and 24 hours, as
    proposed, for the others. `agreed` names the numbers that are the agreement's own. `state` is None without one.
    """

    agreement_id: UUID | None = None
    state: State | None = None
    incident_hours: int = LAW_HOURS
    breach_hours: int = LAW_HOURS
    contingency_hours: int = PROPOSED_HOURS
    workforce_hours: int = PROPOSED_HOURS
    return_days: int = SENSIBLE_RETURN_DAYS
    agreed: frozenset[str] = frozenset()

    def why(self, number: str) -> str:
        """By what a number binds, for pages: `number` is the name of a field of numbers."""
        if number in self.agreed:
            return "the agreement"
        if number in {"incident_hours", "breach_hours"}:
            return "45 CFR 164.410(b): at most 60 days"
        if number == "return_days":
            return "no number agreed: 60 days are assumed"
        return "no number agreed: 24 hours as proposed in 2025, not in force"


def terms_of(associate_id: UUID) -> Terms:
    """What binds a business associate of the open tenant. Law's own numbers where nothing is signed."""
    found = Agreement.objects.with_state().filter(associate_id=associate_id, is_current=True).first()
    return read_terms(found, found.pk) if found else Terms()


def received_terms(partnership_id: UUID) -> Terms:
    """What binds the open tenant towards its covered entity, as that one shows it."""
    found = AgreementTerms.received.with_state().filter(partnership_id=partnership_id).first()
    return read_terms(found, found.agreement_id) if found else Terms()


def read_terms(row: Any, agreement_id: UUID) -> Terms:
    """The terms of a row that `with_state` found. A draft binds nobody, so it leaves law's numbers."""
    state = State(row.state)
    if row.stage in {Stage.DRAFT, Stage.NEGOTIATION}:
        return Terms(agreement_id, state)
    said = {
        field.name: getattr(row, field.name)
        for field in fields(Terms)
        if field.name in NAMES and getattr(row, field.name) is not None
    }
    if said.get("breach_hours", 0) > LAW_HOURS:
        del said["breach_hours"]
    return Terms(agreement_id, state, agreed=frozenset(said), **said)


def words_of_hours(hours: int | None) -> str:
    """72 hours, 60 days; "" for None. Days where they are whole and more than three, as agreements write them."""
    if hours is None:
        return ""
    days, rest = divmod(hours, 24)
    if days > 3 and not rest:  # noqa: PLR2004 (72 hours)
        return f"{days:,} days"
    return f"{hours:,} hour{'' if hours == 1 else 's'}"


def words_of_days(days: int | None) -> str:
    """1 day, 30 days; "" for None."""
    return "" if days is None else f"{days:,} day{'' if days == 1 else 's'}"


def warnings_of(terms: TermColumns) -> list[str]:
    """What a person should look at again in an agreement's terms, the unlawful first."""
    return [*unlawful_of(terms), *_long(terms), *_dates(terms)]


def unlawful_of(terms: TermColumns) -> list[str]:
    """Terms that are longer than law lets them be."""
    if (terms.breach_hours or 0) <= LAW_HOURS:
        return []
    return [
        f"Breaches within {words_of_hours(terms.breach_hours)}: the law lets a business associate take 60 days at most"
        " (164.410(b)). Clocks run to 60 days."
    ]


def _long(terms: TermColumns) -> list[str]:
    said = []
    for name, most in SENSIBLE.items():
        hours = getattr(terms, name)
        if hours is not None and hours > most and not (name == "breach_hours" and hours > LAW_HOURS):
            said.append(f"{NAMES[name]} {words_of_hours(hours)}: {_why_long(name, most)}")
    if (terms.return_days or 0) > SENSIBLE_RETURN_DAYS:
        said.append(f"{NAMES['return_days']} {words_of_days(terms.return_days)}: more than 60 days is long.")
    return said


def _why_long(name: str, most: int) -> str:
    if name == "breach_hours":
        return (
            "your own 60 days may begin when it learns of the breach, if it is your agent (164.404(a)(2)). More than 10"
            " days leaves you little."
        )
    if name == "incident_hours":
        return "more than 72 hours is long."
    return f"more than the {most} hours that the 2025 rulemaking would ask for (proposed, not in force)."


def _dates(terms: TermColumns) -> list[str]:
    said = []
    if terms.signed_on and terms.effective_from and terms.effective_from < terms.signed_on:
        said.append("It takes effect before it was signed: PHI handled in between had no written assurance.")
    if terms.signed_on and terms.breach_hours is None:
        said.append("No number for breaches: the law's 60 days are the only limit (164.410(b)).")
    return said


def term_end(terms: TermColumns, on: date | None = None) -> date | None:
    """The last day of the term that runs on a day, renewals counted; None where it runs without an end."""
    on, end = on or today(), terms.ends_on
    if end is None or not terms.renews or not terms.renewal_months or end >= on:
        return end
    months = (on.year - end.year) * 12 + on.month - end.month
    terms_over = max(1, months // terms.renewal_months)
    later = _add_months(end, terms_over * terms.renewal_months)
    return later if later >= on else _add_months(end, (terms_over + 1) * terms.renewal_months)


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
