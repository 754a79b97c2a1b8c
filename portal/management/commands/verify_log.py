"""`manage.py verify_log`: verifies the audit log in the database, whole."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.audit.anchor import AnchorUnavailableError, anchor_store, newest_note
from accounts.audit.verification.notes import Key, KeyRow, judge_keys
from accounts.audit.verification.pool import open_snapshot, unit_runner
from accounts.audit.verification.units import Connection, Fault
from accounts.audit.verification.whole import (
    CHECKPOINTS,
    Anchored,
    RunUnits,
    TenantLog,
    Verdict,
    list_logs,
    verify_checkpoints,
    verify_tenants,
)
from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import tenant_by_slug
from portal import env
from portal.embedded import Role

KEYS = "keys"
_WORDS = {CHECKPOINTS: ("checkpoints", "anchors"), KEYS: ("keys", "faults")}


class Command(BaseCommand):
    """Exit code 0: all is as recorded and sealed; 1: not, with the first bad entry and what is wrong; 2: can't run.

    One line for each log. Reads as portal_sealer, and sees the database as it was at one moment.
    """

    help = "Verifies every entry, leaf, tile, checkpoint, signature and anchor of the audit log."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="this tenant's log alone (default: all)")
        parser.add_argument(
            "--older-than", type=float, default=60, metavar="SECONDS",
            help="how long an entry may wait for its place in the log (default: %(default)g)",
        )  # fmt: skip
        parser.add_argument("--key", default="", metavar="FINGERPRINT", help="a key that the log must have")
        parser.add_argument(
            "--known-loss", type=int, action="append", default=[], metavar="EPOCH",
            help="an epoch that began with less than was anchored, which you know about",
        )  # fmt: skip
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, **options: Any) -> None:
        try:
            with env.servers():
                verdicts = list(self._verify(options))
        except (psycopg.OperationalError, AnchorUnavailableError) as error:
            raise CommandError(" ".join(str(error).split()), returncode=2) from error
        if any(verdict.fault_count for verdict in verdicts):
            raise SystemExit(1)

    def _verify(self, options: Mapping[str, Any]) -> Iterator[Verdict]:
        wanted = _find_tenant(options["tenant"])
        # Before the snapshot: what is anchored by now is then in it.
        anchored = _newest_anchor()
        with _reading(options) as (connection, keys, faults, run):
            if faults:
                told = [Fault(0, each) for each in faults]
                yield self._told(Verdict(KEYS, len(keys), len(faults), told, len(faults)))
            logs = [
                log
                for log in list_logs(connection, patience=options["older_than"])
                if wanted in {None, log.tenant}
            ]
            for verdict in verify_tenants(connection, logs, run, _names(logs)):
                yield self._told(verdict)
            yield self._told(verify_checkpoints(connection, keys, anchored, options["known_loss"]))

    def _told(self, verdict: Verdict) -> Verdict:
        one, other = _WORDS.get(verdict.name, ("entries", "checkpoints"))
        counted = f"{verdict.name}: {verdict.entries:,} {one}, {verdict.checkpoints:,} {other}"
        if not verdict.fault_count:
            self.stdout.write(f"{counted}: all as recorded and sealed")
        else:
            more = f"; and {verdict.fault_count - 1} more" if verdict.fault_count > 1 else ""
            self.stdout.write(f"{counted}: WRONG: {verdict.faults[0].sentence}{more}")
        return verdict


@contextmanager
def _reading(
    options: Mapping[str, Any],
) -> Iterator[tuple[Connection, list[Key], list[str], RunUnits]]:
    """The database at one moment, the log's keys with their faults, and processes that see the same moment."""
    address = env.database_url(Role.SEALER)
    mac_keys = {**settings.AUDIT_MAC_KEYS_RETIRED, settings.AUDIT_MAC_KEY_ID: settings.AUDIT_MAC_KEY}
    with open_snapshot(address) as (connection, snapshot):
        rows = connection.execute(
            "SELECT key_id, vkey, public_key, certificate FROM accounts_auditkey ORDER BY created_at"
        )
        keys, faults = judge_keys([KeyRow._make(row) for row in rows], options["key"])
        vkeys = [key.vkey for key in keys]
        with unit_runner(
            address, snapshot, processes=options["processes"], mac_keys=mac_keys, vkeys=vkeys
        ) as run:
            yield connection, keys, faults, run


def _newest_anchor() -> Anchored | None:
    found = newest_note(anchor_store())
    return None if found is None else Anchored(*found)


def _find_tenant(slug: str | None) -> UUID | None:
    if slug is None:
        return None
    found = tenant_by_slug(slug)
    if found is None:
        raise CommandError(f"There is no tenant {slug}.", returncode=2)
    return found


def _names(logs: list[TenantLog]) -> dict[UUID, str]:
    names: dict[UUID, str] = {}
    for log in logs:
        with open_tenant(log.tenant):
            names |= dict(Tenant.objects.filter(pk=log.tenant).values_list("pk", "slug"))
    return names
