"""`manage.py create_operator`: one of the operator's staff, who sees a tenant only through a window it grants."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError
from django.urls import reverse

from accounts.errors import PortalError
from accounts.operators.people import create_operator


class Command(BaseCommand):
    """Prints a link, good once and for three days, at which the person sets a name and a password.

    Runs as the migration's role (SURETY_DATABASE_ROLE=migrate): the database refuses it to the others.
    """

    help = "Creates one of the operator's staff, and prints their invitation."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, **options: Any) -> None:
        try:
            person, token = create_operator(email=options["email"])
        except PortalError as error:
            raise CommandError(str(error), returncode=2) from error
        except ProgrammingError as error:
            raise CommandError("Run this with SURETY_DATABASE_ROLE=migrate.", returncode=2) from error
        path = reverse("operator-join", kwargs={"operator_id": person.pk, "token": token})
        self.stdout.write(settings.SITE_URL.rstrip("/") + path)
