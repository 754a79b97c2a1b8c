"""The progress of a run on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from evidence.models import CollectionUnit
from portal import scan


@contextmanager
def run_progress(stream: TextIO, label: str = "Collecting") -> Iterator[scan.Progress]:
    """Shows units done of all, calls, gaps and the time left; draws nothing where the stream is no terminal."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[calls]:,} calls, {task.fields[gaps]} gaps"), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(file=stream)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None, calls=0, gaps=0)

        def advance(unit: CollectionUnit | None, done: int, total: int) -> None:
            fields = bar.tasks[0].fields if bar.tasks else {"calls": 0, "gaps": 0}
            calls = fields["calls"] + (sum(unit.api_calls.values()) if unit else 0)
            bar.update(
                task,
                completed=done,
                total=total,
                calls=calls,
                gaps=fields["gaps"] + (len(unit.gaps) if unit else 0),
            )

        yield advance
