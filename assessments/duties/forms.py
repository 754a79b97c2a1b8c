"""The filter of the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import RegexValidator

from assessments.duties.parts import Part
from assessments.duties.reading import Doing, Wanted
from assessments.duties.types import Side
from assessments.notices.clocks import ZONES, zone_named

DEFAULT_ZONE = "America/New_York"
SPANS = (("1", "One month"), ("3", "Three months"), ("12", "A year"))
DEFAULT_SPAN = "3"
SIDES = (
    ("", "Every side"),
    (Side.UPSTREAM, "Ours, towards business associates"),
    (Side.DOWNSTREAM, "Ours, towards covered entities"),
    (Side.OWN, "Within our organisation"),
)
STATES = ((Doing.OPEN, "To do"), (Doing.DONE, "Done or past"), (Doing.ALL, "All"))
_MONTH = RegexValidator(r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z", "Give a month such as 2026-11.")


@dataclass(frozen=True, slots=True)
class Period:
    """The months that are looked at: [since, until) in a zone. `before` and `after` are where the next ones begin."""

    since: datetime
    until: datetime
    before: str
    after: str


class CalendarFilterForm(forms.Form):
    month = forms.CharField(
        required=False, max_length=7, label="From month", validators=[_MONTH],
        widget=forms.TextInput(attrs={"type": "month"}),
    )  # fmt: skip
    months = forms.ChoiceField(required=False, label="How far", choices=SPANS)
    part = forms.ChoiceField(required=False, label="Part")
    side = forms.ChoiceField(required=False, label="Side", choices=SIDES)
    doing = forms.ChoiceField(required=False, label="State", choices=STATES)
    zone = forms.ChoiceField(required=False, label="Time zone", choices=list(ZONES.items()))

    def __init__(self, data: Any, *, parts: Iterable[Part], now: datetime) -> None:
        """Fields that are left out take their usual values, so that the controls show what the list is of."""
        given = {"months": DEFAULT_SPAN, "doing": Doing.OPEN.value, "zone": DEFAULT_ZONE, **data.dict()}
        given["month"] = given.get("month") or f"{now.astimezone(zone_named(given['zone'])):%Y-%m}"
        super().__init__(given)
        self.now = now
        self.fields["part"].choices = [("", "Every part"), *((part.slug, part.label) for part in parts)]  # type: ignore[attr-defined] # a choice field

    @property
    def place(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return zone_named(self.cleaned_data["zone"] or DEFAULT_ZONE)

    def wanted(self) -> Wanted:
        """What the list is narrowed to."""
        doing = Doing(self.cleaned_data["doing"] or Doing.OPEN)
        return Wanted(self.cleaned_data["part"], self.cleaned_data["side"], doing)

    def period(self) -> Period:
        """The months that are asked for."""
        year, month = (int(each) for each in self.cleaned_data["month"].split("-"))
        first, span = year * 12 + month - 1, int(self.cleaned_data["months"] or DEFAULT_SPAN)
        return Period(
            self._begin(first), self._begin(first + span), _named(first - span), _named(first + span)
        )

    def _begin(self, months: int) -> datetime:
        year, month = divmod(months, 12)
        return datetime(year, month + 1, 1, tzinfo=self.place).astimezone(UTC)


def _named(months: int) -> str:
    year, month = divmod(months, 12)
    return f"{year:04}-{month + 1:02}"
