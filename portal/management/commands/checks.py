"""`manage.py checks`: lists every check."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from assessments.checks.base import checks


class Command(BaseCommand):
    """Needs no database."""

    help = "Lists every check with id, title, severity, service, collectors and citations."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, **options: Any) -> None:
        rows = [
            {
                "id": check.id,
                "title": check.title,
                "severity": str(check.severity),
                "service": check.service,
                "collectors": list(check.collectors),
                "citations": list(check.supports),
            }
            for check in checks().values()
        ]
        if options["format"] == "json":
            self.stdout.write(json.dumps(rows, indent=2))
            return
        table = Table("id", "severity", "title", "citations", title=f"{len(rows)} checks")
        for row in rows:
            table.add_row(
                str(row["id"]), str(row["severity"]), str(row["title"]), ", ".join(row["citations"])
            )
        Console(file=sys.stdout).print(table)
