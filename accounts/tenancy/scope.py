"""Which tenant is open, on which connection. The middleware, the task base class and the command line open it.

An auditor's request runs on the connection AUDITOR, as a role that can change nothing but what an engagement is for;
its audit entries go through AUDITLOG, as a role that can only insert them. All else runs on DEFAULT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db import OperationalError, connections, transaction

Ending = TypeVar("Ending", bound=Callable[[], None])
DEFAULT, AUDITOR, AUDITLOG = "default", "auditor", "auditlog"


@dataclass(frozen=True, slots=True)
class _Open:
    tenant_id: UUID
    using: str
    endings: list[Callable[[], None]] = field(default_factory=list)


_open: ContextVar[_Open | None] = ContextVar("open_tenant", default=None)


class NoTenantError(RuntimeError):
    """Tenant data was touched while no tenant was open: a programming error, never a user's."""


class TenantSwitchError(RuntimeError):
    """A tenant was opened, or a row of it was saved, inside another one: a programming error."""


def current_tenant_id() -> UUID:
    """The open tenant's id. Raises NoTenantError where none is open."""
    tenant_id = find_current_tenant_id()
    if tenant_id is None:
        raise NoTenantError(
            "no tenant is open; wrap the code in accounts.tenancy.scope.open_tenant(tenant_id)"
        )
    return tenant_id


def find_current_tenant_id() -> UUID | None:
    """The open tenant's id, or None."""
    opened = _open.get()
    return opened.tenant_id if opened else None


def current_database() -> str:
    """The alias of the connection on which the tenant is open; DEFAULT where none is."""
    opened = _open.get()
    return opened.using if opened else DEFAULT


@contextmanager
def open_tenant(tenant_id: UUID, *, using: str | None = None, writes: bool = False) -> Iterator[UUID]:
    """Opens a tenant for one transaction, which it begins (or joins, as a savepoint), on DEFAULT or `using`.

    The setting is local to the transaction, so a pooled connection never carries it to the next borrower.
    A transaction of AUDITOR can only read unless it `writes`. Raises TenantSwitchError inside another tenant or
    another connection; opening the same one again is harmless.
    """
    outer = _open.get()
    if outer is not None:
        if (outer.tenant_id, outer.using) != (tenant_id, using or outer.using):
            raise TenantSwitchError("another tenant is open; one transaction serves one tenant")
        with transaction.atomic(using=outer.using):
            yield tenant_id
        return
    opened = _Open(tenant_id, using or DEFAULT)
    with _tenant_transaction(tenant_id, opened.using, writes=writes):
        token = _open.set(opened)
        try:
            yield tenant_id
            _end(opened)
        finally:
            _open.reset(token)


@contextmanager
def _tenant_transaction(tenant_id: UUID, using: str, *, writes: bool) -> Iterator[None]:
    connection = connections[using]
    joined = connection.in_atomic_block
    with transaction.atomic(using=using):
        if using == AUDITOR and writes:
            _execute(using, "set transaction read write")
        _execute(using, "select set_config('portal.tenant', %s, true)", str(tenant_id))
        yield
        # A released savepoint keeps the setting: without this the outer transaction would go on as the tenant.
        if joined and not connection.needs_rollback:
            _execute(using, "select set_config('portal.tenant', '', true)")


def before_leaving(ending: Callable[[], None]) -> None:
    """Does something at the end of the open tenant's scope, inside its transaction; not where that is undone."""
    current_tenant_id()
    if (opened := _open.get()) is not None:
        opened.endings.append(ending)


def find_ending(kind: type[Ending]) -> Ending | None:
    """What was given to before_leaving in this scope, by its class."""
    opened = _open.get()
    return next((ending for ending in opened.endings if isinstance(ending, kind)), None) if opened else None


def _end(opened: _Open) -> None:
    for ending in opened.endings:
        if not connections[opened.using].needs_rollback:
            ending()


def after_commit(act: Callable[[], object]) -> None:
    """Does something once the open tenant's transaction stands; a failure is logged and undoes nothing."""

    def do() -> None:  # Django's log of the failure wants a name, which a partial has not
        act()

    transaction.on_commit(do, using=current_database(), robust=True)


@contextmanager
def savepoint() -> Iterator[None]:
    """A part of the open tenant's transaction that can fail by itself, such as an insert that may collide."""
    with transaction.atomic(using=current_database()):
        yield


def execute_apart(using: str, statement: Any, arguments: list[Any]) -> None:
    """Runs one statement for the open tenant in a transaction of its own on another connection, and commits it."""
    with _tenant_transaction(current_tenant_id(), using, writes=True):
        _execute(using, statement, *arguments)


def execute_alone(tenant_id: UUID, statement: str, given: list[Any], *, durable: bool = True) -> list[Any]:
    """Runs one statement for a tenant in a transaction of its own, in one round trip; the rows that it gives.

    What isn't `durable` stands at once, for everybody, and may be forgotten if the database crashes within a second.
    Where the connection turns out to be dead the statement is run once more on a new one, and so it should be one
    that may be run twice. Raises TenantSwitchError inside a tenant.
    """
    if find_current_tenant_id() is not None:
        raise TenantSwitchError("a tenant is open; one transaction serves one tenant")
    connection = connections[DEFAULT]
    before = [_SWITCH] if durable else [_SWITCH, "set local synchronous_commit = off"]
    # PostgreSQL takes statements that come as one for a transaction, unless one is under way: that is left clean.
    after = [_LEAVE] if connection.in_atomic_block else []
    whole = "; ".join([*before, statement, *after])
    # Asking whether the connection lives, as Django does at its first use in a request, is what the statement does.
    connection.health_check_done = True  # type: ignore[attr-defined] # which the stubs leave out
    try:
        return _rows_of(whole, [str(tenant_id), *given], skipped=len(before))
    except OperationalError:
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _rows_of(whole, [str(tenant_id), *given], skipped=len(before))


def _rows_of(statements: str, given: list[Any], *, skipped: int) -> list[Any]:
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute(statements, given)
        for _ in range(skipped):
            cursor.nextset()
        return list(cursor.fetchall())


def execute_for_each(statements: Iterable[tuple[UUID, str, list[Any]]], *, using: str = DEFAULT) -> None:
    """Runs one statement for each of many tenants, none of which is open, in one round trip and one transaction.

    Raises TenantSwitchError inside a tenant.
    """
    if find_current_tenant_id() is not None:
        raise TenantSwitchError("a tenant is open; one transaction serves one tenant")
    # Put together here, one statement after the other: psycopg would parse the whole of a long one for each request.
    compose: Callable[[str, list[Any]], str] = connections[using].ops.compose_sql  # type: ignore[attr-defined] # PostgreSQL's
    parts = [
        compose(f"{_SWITCH}; {statement}", [str(tenant_id), *given])
        for tenant_id, statement, given in statements
    ]
    with transaction.atomic(using=using):
        _execute(using, "; ".join([*parts, compose(_SWITCH, [""])]))


_SWITCH = "select set_config('portal.tenant', %s, true)"
_LEAVE = "select set_config('portal.tenant', '', true)"


def _execute(using: str, statement: Any, *arguments: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, arguments or None)
