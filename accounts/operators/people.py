"""Making the operator's staff: by the command line alone, in the migration's role (the database refuses others)."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction

from accounts.addresses import normalize_email
from accounts.errors import Conflict, NotFound
from accounts.models import Person
from accounts.services.people import check_password_fitness

CLOSED = "This invitation isn't open: it was used, or is older than three days. Ask for a new one."


def create_operator(*, email: str) -> tuple[Person, str]:
    """A person of the staff and the token of their invitation, good once and for three days.

    For somebody of the staff who has no password yet it is a new invitation. Raises InvalidInput, or Conflict for
    an address that a member of a tenant could have: who works for a tenant doesn't look into others.
    """
    address = normalize_email(email)
    with transaction.atomic():
        person = Person.objects.select_for_update().filter(email=address).first()
        if person is None:
            person = Person.objects.create_user(
                address, None, name=address.partition("@")[0], is_operator=True
            )
        if not person.is_operator or person.has_usable_password():
            raise Conflict("There is an account with this address already: choose another.")
    return person, default_token_generator.make_token(person)


def find_invited(*, person_id: UUID, token: str) -> Person:
    """Whom an invitation is for. Raises NotFound for one that is wrong, used or too old alike."""
    person = Person.objects.filter(pk=person_id, is_operator=True, is_active=True).first()
    if (
        person is None
        or person.has_usable_password()
        or not default_token_generator.check_token(person, token)
    ):
        raise NotFound(CLOSED)
    return person


def join(*, person_id: UUID, token: str, name: str, password: str) -> Person:
    """Takes an invitation up: name and password; factors follow at the first sign-in. Raises NotFound, InvalidInput."""
    with transaction.atomic():
        Person.objects.select_for_update().filter(pk=person_id).first()
        person = find_invited(person_id=person_id, token=token)
        person.name = name.strip()
        check_password_fitness(password, person)
        person.set_password(password)
        person.save(update_fields=["name", "password"])
    return person
