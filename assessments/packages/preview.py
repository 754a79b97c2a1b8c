"""What a package would hold, and how documents with withheld fields would look to their reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from assessments.engagements import scope
from assessments.engagements.models import Engagement
from assessments.packages.gather import Extent, measure
from assessments.packages.withholding import Withholding, values_in
from evidence import vault
from evidence.fields import cut
from evidence.models import Snapshot

MOST_DOCUMENTS = 60
MOST_BYTES = 8 << 20
ROWS_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One field as the reader would see it: its pointer and value, or that it is withheld (`value`: how many are)."""

    pointer: str
    value: str
    withheld: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A document with `hidden` of `total` fields withheld."""

    collector: str
    region: str
    hidden: int
    total: int
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """`documents` are those looked at that would lose fields, the most first; `shown` is the first in full.

    `looked_at` of the extent's snapshots were read: the newest, as many as a page may read.
    """

    extent: Extent
    looked_at: int
    documents: tuple[Document, ...]
    shown: Document | None

    @property
    def complete(self) -> bool:
        """Whether every document was looked at."""
        return self.looked_at == self.extent.snapshots


def preview_scope(of: Engagement, patterns: list[str]) -> Preview:
    """Counts a scope and, with patterns, reads its newest documents to show what they would lose."""
    extent = measure(of)
    if not patterns:
        return Preview(extent, 0, (), None)
    read = _newest(of)
    withholding = Withholding(patterns, values_in((document for _row, document in read), patterns))
    judged = [(row, _judge(document, withholding)) for row, document in read]
    losing = [
        Document(row.collector, row.region, sum(each.withheld for each in rows), len(rows), tuple(rows))
        for row, rows in judged
        if any(each.withheld for each in rows)
    ]
    losing.sort(key=lambda document: -document.hidden)
    shown = losing[0] if losing else None
    return Preview(extent, len(read), tuple(losing), _excerpt(shown) if shown else None)


def _newest(of: Engagement) -> list[tuple[Snapshot, Any]]:
    read, size = [], 0
    for row in scope.snapshots(of).select_related("blob").order_by("-collected_at", "-id")[:MOST_DOCUMENTS]:
        size += row.blob.size
        if size > MOST_BYTES:
            break
        read.append((row, json.loads(vault.open_blob(row.blob))))
    return read


def _judge(document: Any, withholding: Withholding) -> list[Row]:
    return [
        Row(pointer, json.dumps(value, ensure_ascii=False), withholding.hides(pointer, value))
        for pointer, value in sorted(cut(document), key=lambda field: field[0])
    ]


def _excerpt(document: Document) -> Document:
    """The rows around the first that is withheld; withheld ones in a row are one, with how many."""
    first = next(number for number, row in enumerate(document.rows) if row.withheld)
    rows = [row for group in _runs(document.rows[max(0, first - 10) :]) for row in group]
    return Document(
        document.collector, document.region, document.hidden, document.total, tuple(rows[:ROWS_SHOWN])
    )


def _runs(rows: tuple[Row, ...]) -> Iterator[list[Row]]:
    for withheld, run in groupby(rows, key=lambda row: row.withheld):
        same = list(run)
        yield [Row("", str(len(same)), withheld=True)] if withheld else same
