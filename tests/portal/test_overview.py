"""The overview: four numbers that lead to their lists, what to do next, what changed."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.checks.base import Severity, checks
from assessments.models import Finding
from assessments.rule.model import SECURITY_RULE
from evidence.models import ConnectionState
from tests.accounts.factories import make_ready_person
from tests.collected import VERSIONING, collect
from tests.factories import make_connection


def _page(client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def _figure(page: str, name: str) -> str:
    block = re.search(rf'id="{name}">.*?</section>', page, re.DOTALL)
    assert block
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", block.group().split(">", 1)[1])).strip()


def test_without_an_account_it_asks_to_connect_one(owner, client_for):
    page = _page(client_for(owner))
    assert "Connect an AWS account" in page
    assert f"0 of {len(SECURITY_RULE)}" in _figure(page, "n-evidenced")
    assert "none decided" in _figure(page, "n-coverage")


def test_a_viewer_is_not_asked_to_do_what_the_role_may_not(tenant, client_for):
    viewer = make_ready_person(Role.VIEWER, tenant)
    assert "Without one nothing can be evidenced." not in _page(client_for(viewer))


def test_the_numbers_are_those_of_the_evaluation(owner, tenant, client_for, collected):
    page = _page(client_for(owner))
    with open_tenant(tenant.pk):
        failing = Finding.objects.filter(outcome="FAIL").values_list("severity", flat=True)
        counts = Counter(failing)
    assert counts
    words = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    assert _figure(page, "n-failing") == f"Failing findings {counts.total()} {words}"
    assert "2 hours ago" in _figure(page, "n-fresh")
    assert "1 gap" in page


def test_every_number_opens_the_list_that_it_counts(owner, client_for, collected):
    client = client_for(owner)
    for url in set(re.findall(r'class="figure-value" href="([^"]+)"', _page(client))):
        assert client.get(url).status_code == 200


def test_unknown_outcomes_lower_the_coverage(owner, client_for, collected):
    decided = re.search(r"(\d+)% decided", _figure(_page(client_for(owner)), "n-coverage"))
    assert decided and 0 < int(decided.group(1)) < 50  # only S3 was collected, and of it little


@pytest.mark.parametrize(
    ("state", "act"),
    [(ConnectionState.BROKEN, "Mend the connection"), (ConnectionState.PENDING, "Verify the connection")],
)
def test_a_connection_that_does_not_work_is_next(owner, tenant, client_for, state, act):
    make_connection(tenant, name="Lab", state=state)
    assert f"{act} Lab" in _page(client_for(owner))


def test_changes_since_the_first_evaluation_are_told(owner, tenant, client_for):
    first = collect(tenant, at=datetime(2026, 3, 2, tzinfo=UTC), versioned={"logs": True, "scans": False})
    assert "Nothing has changed since the first evaluation." in _page(client_for(owner))
    collect(
        tenant,
        at=datetime(2026, 3, 3, tzinfo=UTC),
        versioned={"logs": False, "scans": True, "xrays": False},
        connection=first.connection,
    )
    changes = _page(client_for(owner)).split('id="changes"')[1].split("</section>")[0]
    told = re.findall(
        r'findings/[^"]+">([^<]+)</a><span class="row-sub">(\w+),.*?<span>(\w+)</span></span>',
        changes,
        re.DOTALL,
    )
    assert {(name, kind) for title, name, kind in told if title == checks()[VERSIONING].title} == {
        ("logs", "regressed"), ("scans", "fixed"), ("xrays", "new"),
    }  # fmt: skip


def test_the_overview_asks_the_database_as_often_for_many_findings_as_for_few(
    owner, tenant, client_for, django_assert_max_num_queries
):
    collect(tenant, versioned={f"bucket-{number}": number % 2 == 0 for number in range(60)})
    client = client_for(owner)
    client.get("/")
    with django_assert_max_num_queries(30):
        client.get("/")
