"""What the portfolio's charts are drawn from: numbers over all active business associates, none of them named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assessments.portfolio.ranking import Wanted, ask
from assessments.portfolio.reasons import Reason
from assessments.portfolio.sources import PARTS

TIERS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Series:
    """A name, a look (a class of the style sheet), and a number for each of the chart's labels."""

    name: str
    look: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the table of the same: a row for each of `labels`, a column for each of `series`."""

    labels: tuple[str, ...]
    series: tuple[Series, ...]

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The table."""
        return [
            (label, [each.values[number] for each in self.series]) for number, label in enumerate(self.labels)
        ]

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws."""
        series = [{"name": each.name, "look": each.look, "values": each.values} for each in self.series]
        return {"labels": self.labels, "series": series}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart on a page: `kind` is how the script draws it, `first` heads the labels in the table of the same."""

    name: str
    title: str
    kind: str
    first: str
    empty: str
    chart: Chart


def portfolio_charts(now: datetime) -> list[Drawn]:
    """The charts of the whole portfolio."""
    return [
        Drawn("tiers", "Tier against what needs doing", "stacks", "Tier", "", chart_tiers(now)),
        *(
            [
                Drawn(
                    "freshness",
                    "Freshness of what is shown",
                    "stacks",
                    "Oldest evidence",
                    "",
                    chart_freshness(now),
                )
            ]
            if "posture" in PARTS
            else []
        ),
    ]


def chart_tiers(now: datetime) -> Chart:
    """How many business associates of each tier stand where in the portfolio, the most urgent first."""
    counted = ask("SELECT tier, place, count(*) AS n FROM placed GROUP BY tier, place", Wanted(), now)
    counts: Counter[tuple[int, str]] = Counter()
    for row in counted:
        counts[row["tier"], _STANDS.get(row["place"], "Something else needs doing")] += row["n"]
    series = tuple(
        Series(name, look, tuple(counts[tier, name] for tier in TIERS)) for name, look in _STAND_LOOKS.items()
    )
    return Chart(tuple(f"Tier {tier}" for tier in TIERS), series)


_STANDS: Mapping[int, str] = {
    list(Reason).index(Reason.NO_AGREEMENT): Reason.NO_AGREEMENT.label,
    list(Reason).index(Reason.EXPIRING): Reason.EXPIRING.label,
    len(Reason): "Nothing needs doing",
}
_STAND_LOOKS: Mapping[str, str] = {
    Reason.NO_AGREEMENT.label: "gap",
    Reason.EXPIRING.label: "unseen",
    "Something else needs doing": "run",
    "Nothing needs doing": "ok",
}


def chart_freshness(now: datetime) -> Chart:
    """How old the oldest evidence is that business associates show, in how many of them."""
    conditions = ", ".join(
        f"count(*) FILTER (WHERE {sql}) AS n{number}" for number, (_label, sql) in enumerate(_AGES)
    )
    (row,) = ask(f"SELECT {conditions} FROM placed", Wanted(), now)  # noqa: S608 (this module's own words)
    return Chart(
        tuple(label for label, _sql in _AGES),
        (Series("Business associates", "run", tuple(row[f"n{number}"] for number in range(len(_AGES)))),),
    )


_AGE = "now() - oldest_evidence_at"
_AGES = (
    ("A day at most", f"{_AGE} <= interval '1 day'"),
    ("A week at most", f"{_AGE} > interval '1 day' AND {_AGE} <= interval '7 days'"),
    ("30 days at most", f"{_AGE} > interval '7 days' AND {_AGE} <= interval '30 days'"),
    ("Older than 30 days", f"{_AGE} > interval '30 days'"),
    ("Not shown", "oldest_evidence_at IS NULL"),
)
