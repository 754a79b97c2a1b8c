"""`manage.py read_submission`: prints what a document says, as it would be taken as evidence."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evidence.formats.base import BadDocument, Reading, Source, formats, read_document
from evidence.formats.kit.errors import printable
from evidence.formats.kit.mapping import FieldMapping, mapping_from
from evidence.formats.kit.outcomes import Header, Outcome
from evidence.formats.kit.plain import load_small
from evidence.phi.guard import scan


class Command(BaseCommand):
    """Exit code 0: read to its end; 2: can't be read, with one line that says what is wrong and where."""

    help = "Reads a document of evidence (OCSF, ASFF, SARIF, OSCAL, ...) and prints its outcomes. Nothing is stored."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Without the usage, so that a wrong argument is answered by one line.
        return super().create_parser(prog_name, subcommand, usage=argparse.SUPPRESS, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format", choices=list(formats()), default="", help="(default: by its first bytes)"
        )
        parser.add_argument("--mapping", type=Path, help="what the fields mean, as JSON (for csv and json)")
        parser.add_argument("--output", choices=["text", "json"], default="text")
        parser.add_argument(
            "--phi", action="store_true", help="print what may identify patients, instead of outcomes"
        )
        parser.add_argument(
            "--limit", type=int, default=0, help="print at most so many outcomes; all are read"
        )

    def handle(self, **options: Any) -> None:
        try:
            with options["file"].open("rb") as stream:
                if options["phi"]:
                    self._print_identifiers(stream, options)
                else:
                    self._print(_read(stream, options), options)
        except (BadDocument, OSError) as error:
            raise CommandError(f"{options['file'].name}: {_said(error)}", returncode=2) from error

    def _print(self, reading: Reading, options: dict[str, Any]) -> None:
        as_json = options["output"] == "json"
        counts: Counter[str] = Counter()
        limit = options["limit"] or sys.maxsize
        self.stdout.write(_json({"header": _header(reading.header)}) if as_json else _heading(reading.header))
        for outcome in reading.outcomes:
            counts[outcome.result] += 1
            if counts.total() <= limit:
                self.stdout.write(_json(_outcome(outcome)) if as_json else _line(outcome))
        self.stdout.write(_json({"counts": counts}) if as_json else _summary(counts))

    def _print_identifiers(self, stream: BinaryIO, options: dict[str, Any]) -> None:
        counts: Counter[str] = Counter()
        for hit in scan(stream, options["file"].name):
            counts[hit.weight] += 1
            if counts.total() <= (options["limit"] or sys.maxsize):
                line = f"{hit.weight:7} {hit.kind:22} {hit.place}  {hit.sample}"
                self.stdout.write(_json(asdict(hit)) if options["output"] == "json" else printable(line))
        said = (
            ", ".join(f"{number} {weight}" for weight, number in sorted(counts.items())) or "no identifiers"
        )
        self.stdout.write(_json({"counts": counts}) if options["output"] == "json" else said)


def _read(stream: BinaryIO, options: dict[str, Any]) -> Reading:
    mapping = _mapping(options["mapping"]) if options["mapping"] else None
    source = Source(stream=stream, name=options["file"].name, mapping=mapping)
    return read_document(source, format_name=options["format"])


def _mapping(path: Path) -> FieldMapping:
    with path.open("rb") as stream:
        return mapping_from(load_small(stream))


def _said(error: Exception) -> str:
    return (
        (error.strerror or "can't be opened") if isinstance(error, OSError) else " ".join(str(error).split())
    )


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


def _header(header: Header) -> dict[str, Any]:
    return asdict(header)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome)


def _heading(header: Header) -> str:
    return "\n".join(_heading_lines(header))


def _heading_lines(header: Header) -> Iterator[str]:
    made = f" {header.producer_version}" if header.producer_version else ""
    yield f"format: {formats()[header.format].title}"
    if header.producer:
        yield printable(f"made by: {header.producer}{made}")
    for label, time in (
        ("made at", header.produced_at),
        ("from", header.period_from),
        ("to", header.period_to),
    ):
        if time:
            yield f"{label}: {_plain(time)}"
    if header.verified is not None:
        yield "digests: verified" if header.verified else "digests: not verified"
    yield from (printable(note) for note in header.notes)


def _line(outcome: Outcome) -> str:
    about = outcome.resource.id if outcome.resource else "-"
    severity = outcome.severity or "-"
    cited = " ".join(outcome.citations) or "-"
    muted = " (suppressed)" if outcome.suppressed else ""
    line = f"{outcome.result:14} {severity:8} {outcome.check.id}  {about}  {cited}{muted}"
    return printable(line)


def _summary(counts: Counter[str]) -> str:
    if not counts:
        return "no outcomes"
    return ", ".join(f"{number} {result}" for result, number in sorted(counts.items()))
