"""`manage.py up`: the portal's processes on this machine, with embedded servers unless told of others."""

from __future__ import annotations

import os
import socket
import subprocess
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from evidence.aws.errors import AwsError
from evidence.aws.session import own_principal
from portal import env
from portal.embedded import Supervisor
from portal.embedded.commands import MIGRATE, SERVICES, WEB


class Command(BaseCommand):
    """Serves without demonstration data. Ctrl-C ends every process it started."""

    help = "Migrates the database and runs web, worker, beat and the audit log's sealer."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind", default="127.0.0.1:8000", help="address and port (default: %(default)s)"
        )

    def handle(self, **options: Any) -> None:
        _require_free(options["bind"])
        postgres, redis = env.uses_embedded_postgres(), env.uses_embedded_redis()
        with Supervisor(env.state(), postgres=postgres, redis=redis) as supervisor:
            migrate = MIGRATE.child()
            subprocess.run(  # noqa: S603 (our own command)
                [*migrate.argv, "--verbosity", "0"],
                env={**os.environ, **migrate.env},
                check=True,
                cwd=env.CHECKOUT,
            )
            shared = {"AWS_PRINCIPAL_ARN": self._principal()}
            for service in SERVICES:
                bind = (
                    {"GUNICORN_CMD_ARGS": f"--bind {options['bind']} --workers 2"} if service is WEB else {}
                )
                supervisor.start(service.child(**shared, **bind))
            self.stderr.write(
                f"The site is at http://{options['bind']}/ - Ctrl-C ends it. The first tenant and its owner:\n"
                "  .venv/bin/python manage.py create_tenant --name 'My hospital' --slug my-hospital"
                " --owner-email me@example.org --owner-name 'My name'"
            )
            supervisor.wait()

    def _principal(self) -> str:
        """Who customers' roles are to trust: as the environment says, else who AWS says that we are."""
        if "AWS_PRINCIPAL_ARN" in os.environ:
            return os.environ["AWS_PRINCIPAL_ARN"]
        try:
            return own_principal()
        except AwsError as error:
            self.stderr.write(
                f"The portal has no AWS identity to read accounts with: {error}\n"
                "Give it AWS credentials, or connections can't be verified."
            )
            return str(settings.AWS_PRINCIPAL_ARN)


def _require_free(bind: str) -> None:
    """Else gunicorn would fail and be restarted again and again, with the reason in its log alone."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal():
        raise CommandError(f"--bind {bind!r} is no address and port, such as 127.0.0.1:8000.", returncode=2)
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise CommandError(f"Can't listen on {bind}: {error}.", returncode=2) from error
