"""`manage.py end_sessions`: signs somebody out everywhere, or everybody."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit.events import Act
from accounts.models import Person, Session
from accounts.services import end_sessions, record_for_person


class Command(BaseCommand):
    """Who signs in again begins anew with both factors (OWASP ASVS 5.0, 7.4.5)."""

    help = "Ends the sessions of one person, or of everybody."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--email", help="the address of the person")
        whose.add_argument("--everybody", action="store_true")

    def handle(self, **options: Any) -> None:
        ended = sum(_end(person) for person in _people(options["email"]))
        self.stdout.write(f"{ended} session{'' if ended == 1 else 's'} ended.")


def _people(email: str | None) -> list[Person]:
    if email is None:
        return list(Person.objects.filter(pk__in=Session.objects.values("person_id")))
    found = list(Person.objects.filter(email=email.strip().lower()))
    if not found:
        raise CommandError(f"Nobody has the address {email}.", returncode=2)
    return found


def _end(person: Person) -> int:
    record_for_person(person.pk, Act.SESSION_REVOKE, session="all", by="operator")
    return end_sessions(person=person)
