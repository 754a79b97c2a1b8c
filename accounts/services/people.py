"""People: making them, their names and passwords, their sessions."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.addresses import normalize_email
from accounts.audit.events import Act
from accounts.audit.log import one_act
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person, Session
from accounts.notices import Notice, notify
from accounts.services.person_log import record_for_person


def create_person(*, email: str, name: str, password: str | None = None) -> Person:
    """Creates a person who belongs to no tenant yet. Without a password they can't sign in.

    Raises InvalidInput for an unfit address or password, Conflict where the address is taken.
    """
    person = Person(email=normalize_email(email), name=name.strip())
    if password is not None:
        check_password_fitness(password, person)
    try:
        with transaction.atomic():
            return Person.objects.create_user(person.email, password, name=person.name)
    except IntegrityError as error:
        raise Conflict("There is an account with this address already: sign in with it.") from error


def check_password_fitness(password: str, person: Person) -> None:
    """Raises InvalidInput with every reason why the password won't do."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from error


def change_name(*, person: Person, name: str) -> None:
    """Changes the name that a person shows."""
    if not name.strip():
        raise InvalidInput("Enter your name.", field="name")
    person.name = name.strip()
    with one_act():
        person.save(update_fields=["name"])
        record_for_person(person.pk, Act.PERSON_CHANGE, changed="name")


def change_password(*, person: Person, current: str, new: str, keep_session: str) -> None:
    """Changes a password and ends the person's other sessions. `keep_session` is a session's digest.

    Raises InvalidInput where the current password is wrong or the new one unfit.
    """
    if not person.check_password(current):
        raise InvalidInput("This isn't your current password.", field="current")
    if current == new:
        raise InvalidInput("Choose a password that differs from the current one.", field="password")
    check_password_fitness(new, person)
    person.set_password(new)
    with one_act():
        record_for_person(person.pk, Act.PASSWORD_CHANGE)
        person.save(update_fields=["password"])
        end_sessions(person=person, keep=keep_session)
        notify(person, Notice.NEW_PASSWORD)


def end_sessions(*, person: Person, keep: str = "") -> int:
    """Ends the person's sessions but for one; says how many ended."""
    return Session.objects.filter(person=person).exclude(session_key=keep).delete()[0]


def disable_person(*, person: Person) -> None:
    """Keeps a person from signing in, and ends their sessions: the next request finds nobody signed in."""
    person.is_active = False
    person.save(update_fields=["is_active"])
    end_sessions(person=person)
