"""`manage.py seal_log`: the audit log's sealer."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.audit.anchor import AnchorUnavailableError, anchor_store
from accounts.audit.keys import WrongKeyError, make_signer
from accounts.audit.service import AnotherSealerError, Pace, SealerService
from portal import env
from portal.embedded import Role


class Command(BaseCommand):
    """Needs the private key, so it runs as the role "sealer" alone. SIGTERM ends it between two transactions."""

    help = "Seals committed entries of the audit log, signs checkpoints and anchors them, until it is ended."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="seal and anchor what there is now, and end")

    def handle(self, **options: Any) -> None:
        if env.role() is not Role.SEALER:
            raise CommandError("Run the sealer with SURETY_DATABASE_ROLE=sealer.", returncode=2)
        try:
            service = SealerService(
                connect_as_sealer,
                [make_signer(secret) for secret in settings.AUDIT_SIGNING_KEYS],
                anchor_store(),
                Pace(settings.SEAL_SECONDS, settings.ANCHOR_SECONDS),
            )
            if options["once"]:
                self.stdout.write(f"Sealed {service.run_once()} entries.")
                return
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: service.stop())
            service.run()
        except (WrongKeyError, AnotherSealerError, AnchorUnavailableError) as error:
            raise CommandError(str(error)) from error


def connect_as_sealer() -> psycopg.Connection[Any]:
    """A connection of its own, past any pool: the sealer's lock is the session's."""
    return psycopg.connect(env.database_url(Role.SEALER), autocommit=True, connect_timeout=5)
