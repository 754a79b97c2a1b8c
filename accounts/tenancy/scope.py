"""Which tenant is open. The middleware, the task base class and the command line are the only openers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

_open_tenant: ContextVar[UUID | None] = ContextVar("open_tenant", default=None)


class NoTenantError(RuntimeError):
    """Tenant data was touched while no tenant was open: a programming error, never a user's."""


class TenantSwitchError(RuntimeError):
    """A tenant was opened, or a row of it was saved, inside another one: a programming error."""


def current_tenant_id() -> UUID:
    """The open tenant's id. Raises NoTenantError where none is open."""
    tenant_id = _open_tenant.get()
    if tenant_id is None:
        raise NoTenantError(
            "no tenant is open; wrap the code in accounts.tenancy.scope.open_tenant(tenant_id)"
        )
    return tenant_id


def find_current_tenant_id() -> UUID | None:
    """The open tenant's id, or None."""
    return _open_tenant.get()


@contextmanager
def open_tenant(tenant_id: UUID) -> Iterator[UUID]:
    """Opens a tenant for one transaction, which it begins (or joins, as a savepoint).

    The setting is local to the transaction, so a pooled connection never carries it to the next borrower.
    Raises TenantSwitchError inside another tenant; opening the same one again is harmless.
    """
    outer = _open_tenant.get()
    if outer is not None and outer != tenant_id:
        raise TenantSwitchError("another tenant is open; one transaction serves one tenant")
    if outer == tenant_id:
        with transaction.atomic():
            yield tenant_id
        return
    joined = connection.in_atomic_block
    with transaction.atomic():
        _set_database_tenant(str(tenant_id))
        token = _open_tenant.set(tenant_id)
        try:
            yield tenant_id
        finally:
            _open_tenant.reset(token)
        # A released savepoint keeps the setting: without this the outer transaction would go on as the tenant.
        if joined and not connection.needs_rollback:
            _set_database_tenant("")


def _set_database_tenant(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select set_config('portal.tenant', %s, true)", [value])
