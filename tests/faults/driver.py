"""What the web process would do, one order a line, in a process whose servers may be broken: no test data of its own.

Started as `python -m tests.faults.driver`; reads {"do": ..., ...} from standard input and answers with JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import close_old_connections, connection  # noqa: E402

from accounts.models import TenantKind  # noqa: E402
from accounts.services import create_tenant  # noqa: E402
from accounts.tenancy.scope import open_tenant  # noqa: E402
from evidence.models import CollectionUnit  # noqa: E402
from evidence.queue import COLLECT_UNIT, ring  # noqa: E402
from evidence.services import create_connection, load_answers, probe_connection, start_run  # noqa: E402


def connect(slug: str, account_id: str, regions: list[str]) -> dict[str, Any]:
    tenant = create_tenant(name=slug, slug=slug, kind=TenantKind.COVERED_ENTITY)
    with open_tenant(tenant.pk):
        made = create_connection(name="All of it", aws_account_id=account_id, regions=regions)
    return {"tenant_id": str(tenant.pk), "connection_id": str(made.pk), "external_id": str(made.external_id)}


def verify(tenant_id: str, connection_id: str) -> dict[str, Any]:
    report = probe_connection(tenant_id=UUID(tenant_id), connection_id=UUID(connection_id), collects=False)
    return {"passed": report.passed, "steps": [str(step) for step in report.steps]}


def start(tenant_id: str, connection_id: str, *, rings: int = 1) -> dict[str, Any]:
    """`rings` counts how often each unit's message is sent."""
    before = time.monotonic()
    with open_tenant(UUID(tenant_id)):
        run = start_run(connection_id=UUID(connection_id), trigger="person", rings=rings > 0)
        units = list(CollectionUnit.objects.filter(run=run).values_list("pk", flat=True))
    seconds = time.monotonic() - before
    for _ in range(1, rings):
        ring(COLLECT_UNIT, UUID(tenant_id), units)
    return {"run_id": str(run.pk), "seconds": seconds}


def answers(tenant_id: str, run_id: str) -> dict[str, Any]:
    """Opens everything that was sealed."""
    found = load_answers(tenant_id=UUID(tenant_id), run_id=UUID(run_id))
    return {"calls": {f"{name} {region}": len(one.calls) for (name, region), one in found.items()}}


ORDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "connect": connect, "verify": verify, "start": start, "answers": answers,
}  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        close_old_connections()
        if connection.connection is not None and not connection.is_usable():
            connection.close()
        sys.stdout.write(json.dumps(ORDERS[order.pop("do")](**order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
