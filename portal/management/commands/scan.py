"""`manage.py scan`: collects and evaluates one AWS account here and now."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from accounts.errors import PortalError
from assessments.checks.base import Severity
from portal.progress import run_progress
from portal.scan import LOCAL_TENANT, Target, scan


class Command(BaseCommand):
    """Exit code 0: done; 1: findings at or above --fail-on; 2: could not run, with one line that says why."""

    help = "Collects evidence from one AWS account, evaluates it, and prints findings and safeguards."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Without the usage, so that a wrong argument is answered by one line.
        return super().create_parser(prog_name, subcommand, usage=argparse.SUPPRESS, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account-id", required=True, help="the AWS account, 12 digits")
        parser.add_argument(
            "--role-arn", default="", help="the role to assume; without it, this process's credentials"
        )
        parser.add_argument("--external-id", default="", help="the connection's external ID, for comparison")
        parser.add_argument("--regions", required=True, help="comma-separated, such as us-east-1,us-west-2")
        parser.add_argument("--tenant", default=LOCAL_TENANT, help="the tenant's slug (default: %(default)s)")
        parser.add_argument("--format", choices=["table", "json"], default="table")
        parser.add_argument("--fail-on", choices=[str(severity) for severity in Severity])

    def handle(self, **options: Any) -> None:
        target = Target(
            aws_account_id=options["account_id"],
            regions=tuple(region.strip() for region in options["regions"].split(",") if region.strip()),
            role_arn=options["role_arn"],
            external_id=options["external_id"],
            tenant_slug=options["tenant"],
        )
        if not target.regions:
            raise CommandError("--regions names no region.", returncode=2)
        try:
            with run_progress(sys.stderr) as progress:
                found = scan(target, progress)
        except PortalError as error:
            raise CommandError(" ".join(str(error).split()), returncode=2) from error
        self._print(found, options["format"])
        if options["fail_on"] and _reaches(found, Severity(options["fail_on"])):
            sys.exit(1)

    def _print(self, found: dict[str, Any], form: str) -> None:
        if form == "json":
            self.stdout.write(json.dumps(found, indent=2))
            return
        console = Console(file=sys.stdout)
        for table in (_findings_table(found), _gaps_table(found), _safeguards_table(found)):
            if table.row_count:
                console.print(table)
        run = found["run"]
        console.print(f"{run['api_calls']:,} API calls, {len(run['gaps'])} gaps, run {run['id']}.")


def _reaches(found: dict[str, Any], least: Severity) -> bool:
    return any(
        f["outcome"] == "FAIL" and Severity(f["severity"]).rank <= least.rank for f in found["findings"]
    )


def _findings_table(found: dict[str, Any]) -> Table:
    table = Table("severity", "check", "failed", "passed", "unknown", title="Findings by check")
    counts: dict[tuple[int, str, str], Counter[str]] = {}
    for finding in found["findings"]:
        severity = Severity(finding["severity"])
        counts.setdefault((severity.rank, str(severity), finding["check_id"]), Counter())[
            finding["outcome"]
        ] += 1
    for (_rank, word, check_id), outcomes in sorted(
        counts.items(), key=lambda row: (not row[1]["FAIL"], row[0])
    ):
        table.add_row(word, check_id, *(str(outcomes[name]) for name in ("FAIL", "PASS", "UNKNOWN")))
    return table


def _gaps_table(found: dict[str, Any]) -> Table:
    table = Table("service", "operation", "region", "reason", "message", title="Not seen")
    for gap in found["run"]["gaps"]:
        table.add_row(*(gap[name] for name in ("service", "operation", "region", "reason", "message")))
    return table


def _safeguards_table(found: dict[str, Any]) -> Table:
    table = Table("citation", "title", "status", "decided", "why", title="Safeguards")
    for row in found["safeguards"]:
        coverage = row["coverage"]
        decided = f"{coverage['decided']}/{coverage['total']}" if coverage["total"] else "-"
        table.add_row(row["citation"], row["title"], row["status"], decided, row["reasons"].get("why", ""))
    return table
