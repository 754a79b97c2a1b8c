"""`manage.py demo`: the portal with demonstration data, on this machine alone."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import env
from portal.progress import run_progress


class Command(BaseCommand):
    """Needs the packages of requirements-dev.txt."""

    help = "Connects, collects and assesses two demonstration accounts, and serves the site."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do not serve: end after the assessment")
        parser.add_argument(
            "--port", type=int, default=8000, help="where the site listens, on this machine alone"
        )
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, **options: Any) -> None:
        if env.production():
            raise CommandError("The demonstration doesn't run in production.", returncode=2)
        try:
            from portal.demo.run import DemonstrationFailed, run_demo
        except ModuleNotFoundError as error:
            raise CommandError(
                f"{error.name} is missing: install requirements-dev.txt, or run make demo.", returncode=2
            ) from error
        try:
            found = run_demo(
                once=options["once"],
                port=options["port"],
                say=self.stderr.write,
                bar=partial(run_progress, sys.stderr),
            )
        except DemonstrationFailed as error:
            raise CommandError(str(error), returncode=2) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps({"tenants": found}, indent=2))
