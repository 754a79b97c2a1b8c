"""Pages of a long list by the key of the last row seen: the thousandth page costs what the first does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.errors import InvalidInput

PAGE_SIZE = 50


class Page(NamedTuple):
    """Some rows; `next` is the key of the page after them, empty on the last."""

    rows: list[Any]
    next: str
    first: bool


def page_by_time(rows: QuerySet[Any], time: str, after: str, size: int = PAGE_SIZE) -> Page:
    """The page of `rows`, newest first by the field `time` and then by id, that follows the key `after`.

    Raises InvalidInput for a key that no page gave.
    """
    if after:
        at, row_id = _parse(after)
        # The first condition is implied by the second; it is what an index can use.
        rows = rows.filter(
            Q(**{f"{time}__lte": at}) & (Q(**{f"{time}__lt": at}) | Q(**{time: at, "id__lt": row_id}))
        )
    found = list(rows.order_by(f"-{time}", "-id")[: size + 1])
    more = len(found) > size
    found = found[:size]
    key = f"{getattr(found[-1], time).isoformat()}_{found[-1].pk}" if more else ""
    return Page(found, key, first=not after)


def _parse(key: str) -> tuple[datetime, UUID]:
    at, _, row_id = key.partition("_")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("This is no page of the list. Start at its first page.", field="after") from error
