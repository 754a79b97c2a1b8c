"""The run's document over HTTP, and errors as problem details."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from django.test import Client

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person
from tests.factories import make_connection, make_run, make_tenant


def _finished_run(tenant):
    return make_run(
        tenant, make_connection(tenant), state="finished", verdict="complete", finished_at=datetime.now(UTC)
    )


def test_a_finished_run_is_a_document_and_reading_it_is_recorded(tenant, owner, client_for):
    run = _finished_run(tenant)
    answer = client_for(owner).get(f"/api/v1/runs/{run.pk}/document")
    assert answer.status_code == 200, answer.content
    assert {"schema", "run", "findings", "safeguards"} <= set(answer.json())
    assert len(answer.json()["safeguards"]) == 75
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act="evidence.export", object_id=str(run.pk)).count() == 1


def test_an_address_that_is_not_there_is_a_problem_too(owner, client_for):
    answer = client_for(owner).get("/api/v1/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["status"] == 404


def test_refusals_are_problem_details(tenant, owner, client_for):
    other = _finished_run(make_tenant())
    strange = client_for(owner).get(f"/api/v1/runs/{other.pk}/document")
    missing = client_for(owner).get(f"/api/v1/runs/{uuid4()}/document")
    viewer = client_for(make_ready_person(Role.VIEWER, tenant)).get(
        f"/api/v1/runs/{_finished_run(tenant).pk}/document"
    )
    nobody = Client().get(f"/api/v1/runs/{other.pk}/document")
    assert [answer.status_code for answer in (strange, missing, viewer, nobody)] == [404, 404, 403, 401]
    for answer in (strange, missing, viewer, nobody):
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
    assert strange.json()["detail"] == missing.json()["detail"]
