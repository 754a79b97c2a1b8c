"""The client against the portal itself, over HTTP, with real tokens."""

from __future__ import annotations

import pytest
from django.utils import timezone
from surety import Client, Problem, TokenRefused

from accounts.clients.scopes import Scope
from accounts.clients.services import revoke_client
from accounts.tenancy.scope import open_tenant
from tests.api.kit import make_machine
from tests.factories import make_connection, make_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_lists_are_read_and_refusals_are_said_as_the_portal_words_them(live_server, retry):
    machine = make_machine(Scope.RUNS_READ)
    aws = make_connection(machine.tenant)
    runs = [
        make_run(machine.tenant, aws, state="finished", verdict="complete", finished_at=timezone.now())
        for _ in range(3)
    ]
    made = machine.made
    with Client(
        live_server.url, client_id=str(made.client.pk), client_secret=made.text, retry=retry
    ) as client:
        pages = list(client.pages("runs", limit=2, fields=["id", "state"]))
        assert [len(page.items) for page in pages] == [2, 1]
        found = [item for page in pages for item in page.items]
        assert found == [{"id": str(run.pk), "state": "finished"} for run in reversed(runs)]
        assert client.get(f"runs/{runs[0].pk}")["verdict"] == "complete"
        for path, query, slug in (
            ("runs", {"colour": "red"}, "unfit-parameter"), ("findings", {}, "scope-missing"), ("nowhere", {}, "not-found"),
        ):  # fmt: skip
            with pytest.raises(Problem) as raised:
                client.get(path, **query)
            assert (raised.value.slug, bool(raised.value.instance)) == (slug, True)
        with open_tenant(machine.tenant.pk):
            revoke_client(client_id=made.client.pk)
        with pytest.raises(TokenRefused, match="invalid_client"):
            client.get("runs")
