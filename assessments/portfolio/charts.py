"""What the portfolio's charts are drawn from: numbers over all active business associates, none of them named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connections

from accounts.tenancy.scope import current_database
from assessments.portfolio.ranking import Wanted, ask
from assessments.portfolio.reasons import Reason
from assessments.sharing.models import SharedPosture, SharedPosturePoint
from assessments.sharing.reading import points_shown

TIERS = (1, 2, 3)
WEEKS = 14
COUNTED = ("evidenced", "gaps", "not_evidenced", "undetermined")
Column = tuple[int, ...]


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
    counted = _counted(now)
    return [
        Drawn("tiers", "Tier against what needs doing", "stacks", "Tier", "", chart_tiers(counted)),
        Drawn("freshness", "Freshness of what is shown", "stacks", "Oldest evidence", "", chart_freshness(counted)),
        Drawn(
            "over-time", "Safeguards shown over time", "areas", "Day",
            "Nobody shows you a posture yet. A business associate grants it from its own page of you.",
            chart_posture(now),
        ),
    ]  # fmt: skip


def posture_chart(posture: SharedPosture, now: datetime) -> Drawn:
    """One business associate's posture over time, as far as it is shown."""
    times = weekly(now)
    columns = _of_one(points_shown(posture), times)
    return Drawn("over-time", "Posture over time", "areas", "Day", "", _over_time(columns, times))


def _counted(now: datetime) -> list[dict[str, Any]]:
    """How many business associates have the same tier, place in the portfolio, and age (its number in _AGES)."""
    ages = " ".join(f"WHEN {sql} THEN {number}" for number, (_label, sql) in enumerate(_AGES))
    sql = f"SELECT tier, place, CASE {ages} END AS age, count(*) AS n FROM placed GROUP BY 1, 2, 3"  # noqa: S608 (this module's own words)
    return ask(sql, Wanted(), now)


def chart_tiers(counted: Iterable[Mapping[str, Any]]) -> Chart:
    """How many business associates of each tier stand where in the portfolio, the most urgent first."""
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
    times = weekly(now)
    points = SharedPosturePoint.received.filter(at__lte=now)
    sql, given = points.values_list("grant_id", "at", *COUNTED).query.sql_with_params()
    with connections[current_database()].cursor() as cursor:
        cursor.execute(
            f"WITH point (grant_id, at, {', '.join(COUNTED)}) AS ({sql}) {_CHANGES}",
            [*given, times[:-1]],
        )
        changes: dict[int, Column] = {week: tuple(each) for week, *each in cursor.fetchall()}
    sums = accumulate(
        (changes.get(number, (0, 0, 0)) for number in range(len(times))),
        lambda before, change: tuple(map(sum, zip(before, change, strict=True))),
    )
    return _over_time(list(sums) if changes else [], times)


_CHANGES = """
SELECT week, sum(evidenced)::int, sum(gaps)::int, sum(others)::int FROM (
    SELECT width_bucket(at, %s::timestamptz[]) AS week,
        evidenced - lag(evidenced, 1, 0::smallint) OVER earlier AS evidenced,
        gaps - lag(gaps, 1, 0::smallint) OVER earlier AS gaps, others - lag(others, 1, 0) OVER earlier AS others
    FROM (SELECT *, not_evidenced + undetermined AS others FROM point) AS summed
    WINDOW earlier AS (PARTITION BY grant_id ORDER BY at)
) AS changed GROUP BY week
"""
"""By how much the sums of all grants' counts change up to each week; the first one's has all that was before it."""


def _of_one(points: Sequence[SharedPosturePoint], times: Sequence[datetime]) -> list[Column]:
    """One grant's counts at each of the times, `points` being oldest first; they hold until the next point."""
    columns: list[Column] = []
    for at in times:
        last = next((point for point in reversed(points) if point.at <= at), None)
        columns.append(
            (last.evidenced, last.gaps, last.not_evidenced + last.undetermined) if last else (0, 0, 0)
        )
    return columns if points else []


def _over_time(columns: Sequence[Column], times: Sequence[datetime]) -> Chart:
    """`columns` are of each time: evidenced, gaps, neither. Nothing is drawn where there is none."""
    names = (("Evidenced", "ok"), ("Gap", "gap"), ("No evidence yet", "none"))
    series = (
        Series(name, look, tuple(column[number] for column in columns))
        for number, (name, look) in enumerate(names)
    )
    return Chart(tuple(f"{at:%Y-%m-%d}" for at in times) if columns else (), tuple(series))


def weekly(now: datetime) -> list[datetime]:
    """The times of a chart: the last WEEKS weeks to now."""
    return [now - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def chart_freshness(counted: Iterable[Mapping[str, Any]]) -> Chart:
    """How old the oldest evidence is that business associates show, in how many of them."""
    counts: Counter[int] = Counter()
    for row in counted:
        counts[row["age"]] += row["n"]
    return Chart(
        tuple(label for label, _sql in _AGES),
        (Series("Business associates", "run", tuple(counts[number] for number in range(len(_AGES)))),),
    )


_AGE = "now() - oldest_evidence_at"
_AGES = (
    ("A day at most", f"{_AGE} <= interval '1 day'"),
    ("A week at most", f"{_AGE} > interval '1 day' AND {_AGE} <= interval '7 days'"),
    ("30 days at most", f"{_AGE} > interval '7 days' AND {_AGE} <= interval '30 days'"),
    ("Older than 30 days", f"{_AGE} > interval '30 days'"),
    ("Not shown", "oldest_evidence_at IS NULL"),
)
