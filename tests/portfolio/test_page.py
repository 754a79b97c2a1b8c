"""A business associate's page and the charts, as members meet them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import SharedPosturePoint
from assessments.portfolio.tabs import TABS
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_tenant
from tests.partnerships.factories import make_associate, make_partnership

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _page(associate, tab: str = "") -> str:
    return f"/business-associates/{associate.pk}/{tab}"


def test_every_tab_opens_and_no_other_does(official, tenant):
    associate = make_associate(tenant)
    for tab in TABS:
        answer = official.get(_page(associate, f"{tab.slug}/"))
        assert answer.status_code == 200, tab.slug
        assert answer.context["tab"] == tab
    assert official.get(_page(associate, "no-such-tab/")).status_code == 404


def test_no_tab_of_another_tenants_opens(official):
    associate = make_associate(make_tenant())
    assert {official.get(_page(associate, f"{tab.slug}/")).status_code for tab in TABS} == {404}
    assert official.get(_page(associate)).status_code == 404


def test_the_history_says_who_did_what_and_not_who_looked(official, tenant):
    official.post(
        "/business-associates/new/",
        {"reference": "V-1", "name": "Cedar Billing", "volume": "more", "reach": "regular"},
    )
    associate = official.get("/business-associates/").context["rows"][0].associate
    official.get(_page(associate))
    official.post(_page(associate, "end/"))
    lines = official.get(_page(associate, "history/")).context["lines"]
    assert [trace.act for trace, _label in lines] == ["business_associate.end", "business_associate.create"]


def test_the_history_is_for_those_who_may_read_the_audit_log(tenant):
    viewer = sign_in(make_ready_person(Role.VIEWER, tenant))
    associate = make_associate(tenant)
    assert viewer.get(_page(associate, "history/")).status_code == 404
    assert b"History" not in viewer.get(_page(associate)).content


def test_a_chart_counts_every_active_one_once_and_says_it_as_a_table(official, tenant):
    for tier, volume in enumerate(("more", "under_10000", "under_10000", "under_500")):
        make_associate(
            tenant,
            name=f"Vendor {tier}",
            volume=volume,
            maintains=False,
            reach="occasional" if volume == "under_500" else "regular",
        )
    make_associate(tenant, ended_at=datetime.now(UTC))
    answer = official.get("/business-associates/charts/")
    drawn = answer.context["charts"][0]
    assert [sum(values) for _label, values in drawn.chart.rows] == [1, 2, 1]
    assert b"The same as a table" in answer.content


def _history(tenant, *points: tuple[int, int, int], **fields: object) -> None:
    """What one partner showed: days ago, evidenced, gaps."""
    relation, now = make_partnership(tenant), datetime.now(UTC)
    with open_tenant(relation.viewer_id):
        for days, evidenced, gaps in points:
            SharedPosturePoint.objects.create(
                viewer_id=tenant.pk, partnership_id=relation.pk, grant_id=relation.pk, at=now - timedelta(days=days),
                evidenced=evidenced, gaps=gaps, not_evidenced=1, undetermined=1, required_gaps=0, **fields,
            )  # fmt: skip


def test_the_history_sums_what_held_in_each_week_and_forgets_what_was_revoked(official, tenant):
    _history(tenant, (300, 1, 9), (200, 10, 5), (20, 12, 3), (19, 14, 1))
    _history(tenant, (10, 3, 2), (3, 4, 1))
    _history(tenant, (50, 100, 100), withdrawn_at=datetime.now(UTC))
    make_partnership(tenant)
    drawn = official.get("/business-associates/charts/").context["charts"][2].chart
    found = [values for _label, values in drawn.rows]
    assert found[:11] == [[10, 5, 2]] * 11
    assert found[11:] == [[14, 1, 2], [14 + 3, 1 + 2, 4], [14 + 4, 1 + 1, 4]]
