"""`manage.py rotate_audit_key`: gives the audit log's signatures a new key, certified by the old one."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.audit.keys import WrongKeyError, make_signer, rotate_key
from portal import env
from portal.embedded import Role
from portal.embedded.files import read_or_create_secret
from portal.management.commands.seal_log import connect_as_sealer

CURRENT, NEXT = "AUDIT_SIGNING_KEY", "AUDIT_SIGNING_KEY_NEXT"


class Command(BaseCommand):
    """Outside production the new key is made here and takes the old one's file. The sealer takes it up by itself."""

    help = "Makes AUDIT_SIGNING_KEY_NEXT the key that signs the audit log, certified by AUDIT_SIGNING_KEY."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lost",
            action="store_true",
            help="the old private key is lost: no certificate links the new one to it",
        )

    def handle(self, **options: Any) -> None:
        if env.role() is not Role.SEALER:
            raise CommandError("Run this with SURETY_DATABASE_ROLE=sealer.", returncode=2)
        new = env.given_secret(NEXT)
        made = new is None and not env.production() and env.given_secret(CURRENT) is None
        if new is None and not made:
            raise CommandError(f"Give the new key as {NEXT}, or {NEXT}_FILE.", returncode=2)
        old = None if options["lost"] else make_signer(settings.AUDIT_SIGNING_KEYS[0])
        try:
            with closing(connect_as_sealer()) as connection:
                signer = make_signer(new or read_or_create_secret(env.state(), NEXT))
                vkey = rotate_key(connection, old=old, new=signer)
        except WrongKeyError as error:
            raise CommandError(str(error)) from error
        if made:
            secrets = env.state() / "secrets"
            (secrets / NEXT).replace(secrets / CURRENT)
        self.stdout.write(f"The audit log is signed with {vkey} from now on.")
        if not made:
            self.stdout.write(f"Now make it {CURRENT} and restart the sealer.")
