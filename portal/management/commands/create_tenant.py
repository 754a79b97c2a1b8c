"""`manage.py create_tenant`: a tenant and its first owner, who sets up a second factor at the first sign-in."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email, validate_slug
from django.db import transaction

from accounts.errors import InvalidInput, PortalError
from accounts.models import TenantKind
from accounts.permissions import Role
from accounts.services import add_member, create_person, create_tenant
from accounts.tenancy.scope import open_tenant


class Command(BaseCommand):
    """The password is asked for on the terminal, or read from standard input where that is no terminal."""

    help = "Creates a tenant and its owner."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", required=True)
        parser.add_argument(
            "--kind", choices=[str(kind) for kind in TenantKind], default=str(TenantKind.COVERED_ENTITY)
        )
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", required=True)

    def handle(self, **options: Any) -> None:
        try:
            name, owner = _words(options["name"], "--name"), _words(options["owner_name"], "--owner-name")
            validate_slug(options["slug"])
            validate_email(options["owner_email"])
            password = (
                getpass.getpass("Password of the owner: ")
                if sys.stdin.isatty()
                else sys.stdin.readline().strip()
            )
            with transaction.atomic():
                person = create_person(email=options["owner_email"], name=owner, password=password)
                tenant = create_tenant(name=name, slug=options["slug"], kind=options["kind"])
                with open_tenant(tenant.pk):
                    add_member(person=person, role=Role.OWNER)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        except PortalError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{tenant.name} is there; {person.email} can sign in.")


def _words(text: str, option: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise InvalidInput(f"{option} is empty.")
    return words
