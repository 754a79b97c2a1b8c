"""A past for the demonstration: what is due can only be overdue where it was asked for some time ago."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def ago(*, days: int = 0, hours: int = 0) -> Iterator[None]:
    """Services inside believe that it is so long ago. The audit log doesn't: its entries say when they were written."""
    now = timezone.now
    with patch.object(timezone, "now", lambda: now() - timedelta(days=days, hours=hours)):
        yield
