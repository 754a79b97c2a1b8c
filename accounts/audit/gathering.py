"""One entry a request: what a request does in a tenant is gathered, and written once, in the act's transaction.

A request's records wait for the end of the tenant's transaction (accounts.tenancy.scope.before_leaving). The first
one names the entry; the others stand in its details under "also". What a request owes and didn't record, because it
was refused, failed, or did nothing more telling, the middleware records in its place. Background work and the
command line are no requests: each of their records is an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from accounts.audit.actors import Actor, current_actor
from accounts.audit.events import Act, ActOutcome
from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import AUDITOR, DEFAULT, current_database

Mark = Callable[[], None]


class SecondEntryError(RuntimeError):
    """A request did something in a tenant after its entry was committed there: a programming error.

    What belongs together goes into one transaction: accounts.audit.log.one_act().
    """


@dataclass(frozen=True, slots=True)
class Noted:
    """What was done, before it is an entry. `details` hold neither secrets nor evidence."""

    act: Act
    object_type: str = ""
    object_id: str = ""
    outcome: ActOutcome = ActOutcome.DONE
    on_behalf_of: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    actor: Actor = field(default_factory=current_actor)

    def as_also(self) -> dict[str, Any]:
        """How it stands in another entry's details."""
        thing = {"type": self.object_type, "id": self.object_id}
        return {
            "act": str(self.act),
            "outcome": str(self.outcome),
            "object": thing,
            "details": dict(self.details),
        }


class Notes:
    """What one transaction notes of a tenant; what a savepoint noted goes when it is rolled back."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry = entry
        self._notes: list[tuple[Noted, Mark]] = []

    def add(self, noted: Noted) -> None:
        mark = _new_mark()
        # Django forgets a savepoint's callbacks when it rolls back: what is left of ours tells which notes hold.
        transaction.on_commit(mark, using=current_database())
        self._notes.append((noted, mark))

    def holding(self) -> list[Noted]:
        """What was done and not undone, in order."""
        return [noted for noted, mark in self._notes if _is_waiting(mark)]


class RequestEntries:
    """What one request has noted and written, and what it owes, by tenant."""

    def __init__(self) -> None:
        self.owed: dict[UUID, Noted] = {}
        """What the request is called where it records nothing more telling."""
        self.using = DEFAULT
        """The connection of what is owed in the tenant that the request is about."""
        self.attempted: dict[UUID, Noted] = {}
        """What the request noted first, even if it was undone."""
        self._written: dict[UUID, Mark] = {}
        self._committed: set[UUID] = set()

    def refuse_for(self, reason: str) -> None:
        """Calls what is owed refused, whatever the answer's status."""
        self.owed = {
            tenant_id: replace(noted, outcome=ActOutcome.REFUSED, details={**noted.details, "reason": reason})
            for tenant_id, noted in self.owed.items()
        }

    def mark_written(self, tenant_id: UUID) -> None:
        """Says that the present transaction writes the tenant's entry. Raises SecondEntryError."""
        if self.has_written(tenant_id):
            raise SecondEntryError(SecondEntryError.__doc__)
        mark = self._written[tenant_id] = _new_mark(lambda: self._committed.add(tenant_id))
        if current_database() == AUDITOR:
            self._committed.add(tenant_id)  # an auditor's entry stands before the page's own transaction does
        transaction.on_commit(mark, using=current_database())

    def has_written(self, tenant_id: UUID) -> bool:
        """Whether the tenant's entry is committed, or written in the present transaction."""
        mark = self._written.get(tenant_id)
        return tenant_id in self._committed or (mark is not None and _is_waiting(mark))

    def missing(self) -> dict[UUID, Noted]:
        """What is owed and not written."""
        return {tenant_id: noted for tenant_id, noted in self.owed.items() if not self.has_written(tenant_id)}


_request: ContextVar[RequestEntries | None] = ContextVar("request_entries", default=None)


def current_request() -> RequestEntries | None:
    """The entries of the request being answered; None in background work."""
    return _request.get()


@contextmanager
def request_entries() -> Iterator[RequestEntries]:
    """Around each request: from here on its records are gathered."""
    entries = RequestEntries()
    token = _request.set(entries)
    try:
        yield entries
    finally:
        _request.reset(token)


@contextmanager
def no_request() -> Iterator[None]:
    """For what a request sets off in other tenants after its own transaction: each record there is an entry."""
    token = _request.set(None)
    try:
        yield
    finally:
        _request.reset(token)


def _new_mark(then: Mark = lambda: None) -> Mark:
    return lambda: then()  # noqa: PLW0108 (each mark is a thing of its own)


def _is_waiting(mark: Mark) -> bool:
    waiting = (connection.run_on_commit for connection in connections.all(initialized_only=True))
    return any(callback[1] is mark for callbacks in waiting for callback in callbacks)
