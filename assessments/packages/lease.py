"""Holds a package while it is made: the lease is renewed and the progress written each second, by a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.tenancy.scope import open_tenant
from assessments.packages.models import Package, PackageState

log = structlog.get_logger()

EVERY_SECONDS = 1.0


class LeaseLost(Exception):
    """Somebody else holds the package now, or nobody may: what this worker made is thrown away."""


class Lease:
    """One worker's hold on a package, and how far the worker is."""

    def __init__(self, package: Package) -> None:
        self.tenant_id: UUID = package.tenant_id  # type: ignore[assignment] # a row of a tenant
        self.package_id, self.fence = package.pk, package.fence
        self.done = self.bytes_done = 0
        self._ended, self._lost = threading.Event(), threading.Event()

    def check(self) -> None:
        """Raises LeaseLost."""
        if self._lost.is_set():
            raise LeaseLost

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renews the lease inside; when the process dies, the lease runs out."""
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._ended.set()
            keeper.join()

    def _keep(self) -> None:
        try:
            while not self._ended.wait(EVERY_SECONDS):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        try:
            with open_tenant(self.tenant_id):
                held = self.held().update(
                    lease_until=lease_end(), due_at=lease_end(), done=self.done, bytes_done=self.bytes_done
                )
        except (InterfaceError, OperationalError) as error:
            # A database that restarts may be back before the lease is over.
            connection.close()
            log.warning("lease_not_renewed", package=str(self.package_id), error=str(error))
            return
        if not held:
            self._lost.set()

    def held(self) -> Any:
        """The package's row, if this lease still holds it."""
        return Package.objects.filter(
            pk=self.package_id, fence=self.fence, state=PackageState.BUILDING, keep_until=None
        )


def claim(package_id: UUID) -> Package | None:
    """Takes a package that waits, or whose holder died; None where another one has it. The tenant is open."""
    free = Q(state=PackageState.WAITING) | Q(state=PackageState.BUILDING, lease_until__lt=Now())
    # While it is held it is due when its lease runs out, so that the sweeper finds it then.
    taken = Package.objects.filter(free, pk=package_id).update(
        state=PackageState.BUILDING, fence=F("fence") + 1, attempt=F("attempt") + 1, note="",
        lease_until=lease_end(), due_at=lease_end(), done=0, bytes_done=0,
    )  # fmt: skip
    return Package.objects.select_related("engagement", "requested_by").get(pk=package_id) if taken else None


def lease_end() -> Any:
    """When a lease that is taken now runs out, by the database's clock, since the holders' clocks may differ."""
    return Now() + timedelta(seconds=settings.COLLECT_LEASE_SECONDS)
