"""A past for the demonstration: what is due can only be overdue where it was asked for some time ago."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def ago(*, days: int = 0, hours: int = 0) -> Iterator[None]:
    """Services inside believe that it is so long ago. The audit log doesn't: its entries say when they were written."""
    distance = timedelta(days=days, hours=hours)

    class Past(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a plain one, as others are
            return datetime.now(tz) - distance

    # Defaults of columns hold `timezone.now` itself, so that what it calls is replaced.
    with patch.object(timezone, "datetime", Past):
        yield
