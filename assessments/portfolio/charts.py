"""What the portfolio's charts are drawn from: numbers over all active business associates, none of them named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from assessments.portfolio.ranking import Wanted, ask
from assessments.portfolio.reasons import Reason
from assessments.sharing.models import SharedPosture, SharedPosturePoint
from assessments.sharing.reading import points_shown

TIERS = (1, 2, 3)
WEEKS = 14
COUNTED = ("evidenced", "gaps", "not_evidenced", "undetermined")
Point = tuple[Any, ...]


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
        Drawn("freshness", "Freshness of what is shown", "stacks", "Oldest evidence", "", chart_freshness(now)),
        Drawn(
            "over-time", "Safeguards shown over time", "areas", "Day",
            "Nobody shows you a posture yet. A business associate grants it from its own page of you.",
            chart_posture(now),
        ),
    ]  # fmt: skip


def posture_chart(posture: SharedPosture, now: datetime) -> Drawn:
    """One business associate's posture over time, as far as it is shown."""
    points = points_shown(posture)
    rows = [(point.grant_id, point.at, *(getattr(point, name) for name in COUNTED)) for point in points]
    return Drawn("over-time", "Posture over time", "areas", "Day", "", over_time(rows, weekly(now)))


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


def chart_posture(now: datetime) -> Chart:
    """What those who show their posture now showed in the last WEEKS weeks: how many safeguards had which status."""
    points = SharedPosturePoint.received.filter(at__lte=now).order_by("at")
    return over_time(list(points.values_list("grant_id", "at", *COUNTED)), weekly(now))


def over_time(points: Sequence[Point], times: Sequence[datetime]) -> Chart:
    """The sums of the grants' counts at each of the times; a grant's counts hold until its next point.

    `points`: (grant, time, evidenced, gaps, not evidenced, undetermined), oldest first.
    """
    latest: dict[UUID, tuple[int, ...]] = {}
    sums, columns, following = [0, 0, 0], [], 0
    for at in times:
        while following < len(points) and points[following][1] <= at:
            grant, _at, evidenced, gaps, *others = points[following]
            fresh = (evidenced, gaps, sum(others))
            sums = [
                each + new - old
                for each, new, old in zip(sums, fresh, latest.get(grant, (0, 0, 0)), strict=True)
            ]
            latest[grant] = fresh
            following += 1
        columns.append(tuple(sums))
    names = (("Evidenced", "ok"), ("Gap", "gap"), ("No evidence yet", "none"))
    series = (
        Series(name, look, tuple(column[number] for column in columns))
        for number, (name, look) in enumerate(names)
    )
    return Chart(tuple(f"{at:%Y-%m-%d}" for at in times) if points else (), tuple(series))


def weekly(now: datetime) -> list[datetime]:
    """The times of a chart: the last WEEKS weeks to now."""
    return [now - timedelta(weeks=back) for back in reversed(range(WEEKS))]


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
