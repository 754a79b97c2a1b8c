"""A task that fails leaves an entry, in a transaction of its own, and doesn't fill the log by being tried again."""

from __future__ import annotations

import pytest

from accounts.audit.models import AuditEntry
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from tasks.assess import evaluate_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_task_that_fails_again_and_again_says_so_once(tenant):
    missing = new_id()
    for _ in range(3):
        result = evaluate_run.apply(kwargs={"tenant_id": str(tenant.pk), "row_id": str(missing)})
        assert result.failed()
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(object_id=str(missing))
    assert (entry.act, entry.object_type, entry.outcome, entry.actor_name) == (
        "evaluation.finish", "run", "failed", "worker",
    )  # fmt: skip
