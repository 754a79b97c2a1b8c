"""The page of the calendar: the clocks of all parts in one list, narrowed by what its reader may see and asks for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.models import ApiClient, ScimToken
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.duties.parts import PARTS
from assessments.models import (
    Agreement,
    EvidenceRequest,
    Package,
    PartnershipInvitation,
    Questionnaire,
    RequestMessage,
    SharingGrant,
)
from tests.accounts.factories import make_ready_person
from tests.agreements.factories import in_days, make_agreement
from tests.conftest import superuser_dsn
from tests.engagements.factories import make_engagement
from tests.exits.everything import received_exit
from tests.factories import make_connection, make_tenant
from tests.notices.factories import make_occurrences
from tests.partnerships.factories import make_associate, make_partnership

pytestmark = pytest.mark.django_db(transaction=True)

NEXT_YEAR = f"{in_days(365):%Y-%m}"
"""When the verification of a partnership that begins now is due."""


def _page(client: Any, **query: str) -> str:
    answer = client.get("/calendar/", query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def _titles(page: str) -> list[str]:
    return re.findall(r'<a class="row-title" href="[^"]+">([^<]+)</a>', page)


def _parts(page: str) -> set[str]:
    return set(re.findall(r'data-label="Part">([^<]+)<', page))


def _a_clock_of_each_part(tenant: Any, owner: Any) -> None:
    associate, upstream = make_associate(tenant, name="Cedar Billing"), make_tenant(name="Upstream")
    make_agreement(tenant, associate=associate, ends_on=in_days(10))
    make_partnership(tenant, associate=associate)
    works_for = make_partnership(upstream, tenant)
    received_exit(tenant, "Upstream")
    make_occurrences(tenant, owner)
    grow_old(make_connection(tenant, name="Laboratory"))
    engagement = make_engagement(tenant)
    soon = timezone.now() + timedelta(days=3)
    token = {"token_digest": b"x" * 32, "expires_at": soon}
    with open_tenant(tenant.pk):
        PartnershipInvitation.objects.create(
            associate=associate, email="a@example.org", invited_by=owner, **token
        )
        ScimToken.objects.create(name="Directory", created_by=owner, **token)
        ApiClient.objects.create(name="Scanner", scopes=["findings:read"], created_by=owner, expires_at=soon)
        days = {"period_from": in_days(-9), "period_to": in_days(-1)}
        Package.objects.create(state="ready", keep_until=soon, requested_by=owner, **days)
        asked = EvidenceRequest.objects.create(
            engagement=engagement,
            citation="164.312(b)",
            title="Logs of May",
            due_on=in_days(2),
            asked_by=owner,
        )
        RequestMessage.objects.create(
            request=asked, number=1, side="auditor", author=owner, act="ask", state="asked"
        )
        SharingGrant.objects.create(
            viewer=upstream, partnership_id=works_for.pk, citations=[], level=1, version=1,
            upstream_name="Upstream", downstream_name="Us", granted_by=owner, shown_until=soon,
        )  # fmt: skip
    with open_tenant(upstream.pk):
        Questionnaire.objects.create(
            associate_id=works_for.associate_id, viewer=tenant, partnership_id=works_for.pk, title="Yearly questions",
            template="hipaa-security", version=1, year=2026, content={"sections": []}, content_sha256="0" * 64,
            upstream_name="Upstream", downstream_name="Us", due_on=in_days(5), sent_by=owner,
        )  # fmt: skip


def grow_old(aws: Any) -> None:
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
        database.execute(
            "update evidence_awsconnection set created_at = now() - interval '9 days' where id = %s", [aws.pk]
        )


def test_an_empty_calendar_says_what_will_stand_there(owner, client_for):
    assert "Nothing is due" in _page(client_for(owner))


def test_every_part_has_its_clocks_in_the_list_what_is_overdue_first_and_each_role_sees_its_own(
    tenant, owner, client_for
):
    _a_clock_of_each_part(tenant, owner)
    client = client_for(owner)
    page = _page(client, months="12")
    shown = {*_parts(page), *_parts(_page(client, month=NEXT_YEAR, months="1"))}
    assert shown == {part.label for part in PARTS}
    assert _titles(page)[0] == "Collect from the connection Laboratory"
    assert page.index(">Overdue<") < page.index("Renew or replace the agreement with Cedar Billing")
    assert "Answer the auditor&#x27;s request: Logs of May" in page
    assert _titles(_page(client, part="packages")) == [
        f"The package of {in_days(-9)} to {in_days(-1)} is removed"
    ]
    mine = _titles(_page(client, months="12", side="downstream"))
    assert "Answer Yearly questions of Upstream" in mine
    assert not any("Cedar" in title for title in mine)

    viewer = client_for(make_ready_person(Role.VIEWER, tenant))
    seen = _parts(_page(viewer, months="12"))
    assert shown - seen == {"Packages", "Provisioning", "API clients", "Verifications"}


def test_what_is_done_leaves_the_list_and_stands_among_the_done(tenant, owner, client_for):
    agreement, client = make_agreement(tenant, ends_on=in_days(3)), client_for(owner)
    name = "agreement with Cloud Billing"
    assert _titles(_page(client, months="12")) == [f"Renew or replace the {name}"]
    with open_tenant(tenant.pk):
        Agreement.objects.filter(pk=agreement.pk).update(stage="terminated")
    assert _titles(_page(client, months="12")) == []
    assert _titles(_page(client, months="12", doing="done")) == [f"End the {name}"]


def test_what_is_overdue_for_long_stands_first_in_the_present_and_in_its_month_in_the_past(
    tenant, owner, client_for
):
    make_agreement(tenant, ends_on=in_days(-100))
    client, month = client_for(owner), f"{in_days(-100):%Y-%m}"
    assert ">Overdue<" in _page(client)
    past = _page(client, month=month, months="1")
    assert ">Overdue<" not in past
    assert f"{in_days(-100):%B %Y}" in past
    assert _titles(past) == ["Renew or replace the agreement with Cloud Billing"]


def test_times_are_shown_in_the_zone_that_the_reader_chooses(tenant, owner, client_for):
    with open_tenant(tenant.pk):
        at = timezone.now().replace(month=7, day=1, hour=3, minute=30, year=2027)
        ScimToken.objects.create(name="Directory", created_by=owner, token_digest=b"y" * 32, expires_at=at)
    client = client_for(owner)
    eastern = _page(client, month="2027-06", months="1")
    assert "2027-06-30 23:30" in eastern
    assert "EDT" in eastern
    assert _titles(_page(client, month="2027-06", months="1", zone="UTC")) == []


def test_a_filter_that_fits_nothing_is_refused_in_words(owner, client_for):
    client = client_for(owner)
    for query in ({"month": "2026-13"}, {"part": "nothing"}, {"zone": "Mars"}, {"months": "0"}):
        assert client.get("/calendar/", query).status_code == 400


def test_those_whose_rows_the_list_shows_find_the_reading_in_their_log(tenant, owner, client_for):
    upstream = make_tenant()
    make_partnership(upstream, tenant)
    _page(client_for(owner), month=NEXT_YEAR)
    with open_tenant(upstream.pk):
        [entry] = AuditEntry.objects.filter(act="calendar.read")
        assert (entry.actor_kind, entry.actor_name) == ("partner", tenant.name)
