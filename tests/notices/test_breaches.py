"""A breach: the four factors by version, and what follows for fewer than 500 and for more."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BreachAssessment, Occurrence
from assessments.notices.breaches import list_steps
from assessments.notices.duties import duties
from assessments.notices.kinds import Kind
from assessments.notices.receiving import receive_notice
from tests.accounts.factories import make_ready_person, sign_in
from tests.conftest import superuser_dsn
from tests.notices.factories import make_parties, send, utc

pytestmark = pytest.mark.django_db(transaction=True)
FACTORS = {
    "nature": "Names and dates of visits", "recipient": "A former employee", "acquired": "Viewed once",
    "mitigated": "Deleted, in writing",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    for place in ("assessments.timers.services", "assessments.notices.sending"):
        monkeypatch.setattr(f"{place}.ring_after_commit", lambda *_: None)


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _open(client, **fields) -> str:
    given = {
        "title": "Lost laptop",
        "discovered_at": "2025-10-01T08:00",
        "zone": "America/New_York",
        **fields,
    }
    answer = client.post("/notices/breaches/new/", given)
    assert answer.status_code == 302, answer.content
    return answer.url


def _owed(tenant) -> dict[str, str]:
    with open_tenant(tenant.pk):
        steps = list_steps(Occurrence.objects.get())
    return {step.slug: f"{step.due_at:%Y-%m-%d %H:%M}" for step in steps}


SOON, YEAR = "2025-12-01 04:59", "2026-03-02 04:59"


@pytest.mark.parametrize(
    ("individuals", "in_state", "owed"),
    [
        ("499", "", {"individuals": SOON, "secretary": YEAR}),
        ("500", "", {"individuals": SOON, "secretary": SOON}),
        ("500", "500", {"individuals": SOON, "secretary": SOON}),
        ("900", "501", {"individuals": SOON, "media": SOON, "secretary": SOON}),
        ("", "", {"individuals": SOON, "secretary": SOON}),
    ],
)
def test_the_number_of_individuals_decides_what_is_owed_by_when(
    official, tenant, individuals, in_state, owed
):
    _open(official, individuals=individuals, most_in_one_state=in_state)
    assert _owed(tenant) == owed
    with open_tenant(tenant.pk):
        listed = list(duties(utc(2025, 10, 1), utc(2027, 1, 1)))
    assert len(listed) == len(owed)
    assert all(not duty.done and "164.40" in duty.why for duty in listed)


def test_a_low_probability_ends_the_duties_and_a_new_version_brings_them_back(official, tenant):
    path = _open(official, individuals="20", discovered_at="2025-01-05T08:00")
    assert b"Not assessed yet" in official.get(path).content
    answer = official.post(
        f"{path}assess/", {**FACTORS, "conclusion": "low", "individuals": "20"}, follow=True
    )
    assert b"Low probability that the PHI was compromised: no breach" in answer.content
    assert _owed(tenant) == {}
    again = {**FACTORS, "acquired": "Copied, as the logs show", "conclusion": "breach", "individuals": "700"}
    answer = official.post(f"{path}assess/", again, follow=True)
    assert b"Copied, as the logs show" in answer.content
    assert set(_owed(tenant)) == {"individuals", "secretary"}
    with open_tenant(tenant.pk):
        kept = list(BreachAssessment.objects.order_by("version").values_list("version", "acquired"))
    assert kept == [(1, "Viewed once"), (2, "Copied, as the logs show")]


@pytest.mark.parametrize("missing", [*FACTORS, "conclusion"])
def test_all_four_factors_and_a_conclusion_are_asked_for(official, tenant, missing):
    path = _open(official, discovered_at="2025-01-05T08:00")
    given = {**FACTORS, "conclusion": "low"}
    del given[missing]
    assert official.post(f"{path}assess/", given).status_code == 422
    with open_tenant(tenant.pk):
        assert not BreachAssessment.objects.exists()


def test_a_version_is_frozen_in_the_database(official, tenant):
    path = _open(official, discovered_at="2025-01-05T08:00")
    official.post(f"{path}assess/", {**FACTORS, "conclusion": "low"})
    database = psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True)
    with database, pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("update assessments_breachassessment set low_probability = false")


def test_a_duty_is_noted_as_done_once_with_its_day(official, tenant):
    path = _open(official, individuals="20", discovered_at="2025-01-05T08:00")
    step = f"{path}steps/individuals/"
    assert official.post(step, {"done_on": ""}).status_code == 422
    assert official.post(step, {"done_on": "2999-01-01"}).status_code == 422
    assert official.post(step, {"done_on": "2025-02-01", "note": "By mail"}).status_code == 302
    assert official.post(step, {"done_on": "2025-02-02"}).status_code == 409
    assert official.post(f"{path}steps/media/", {"done_on": "2025-02-02"}).status_code == 404
    page = official.get(path).content
    assert b"2025-02-01" in page
    assert b"By mail" in page


def test_a_covered_entity_starts_its_own_clock_from_a_notice(official, tenant):
    parties = make_parties()
    send(parties, kind=Kind.BREACH, individuals=12)
    hospital = parties.hospitals[0]
    client = sign_in(make_ready_person(Role.OWNER, hospital))
    page = client.get("/notices/?tab=received")
    notice = page.context["received"][0].notice
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    given = {"title": "Lost laptop", "discovered_at": "2025-10-01T08:00", "zone": "UTC", "individuals": "12"}
    assert b"12" in client.get(f"/notices/breaches/new/?notice={notice.pk}").content
    made = client.post(f"/notices/breaches/new/?notice={notice.pk}", given)
    assert made.url.encode() in client.get(f"/notices/received/{notice.pk}/").content
    assert official.get(f"/notices/breaches/new/?notice={notice.pk}").status_code == 404
    assert official.get("/notices/breaches/new/?notice=nonsense").status_code == 404


def test_a_business_associates_breach_owes_its_notices_and_not_the_covered_entitys_duties():
    parties = make_parties()
    occurrence = send(parties, kind=Kind.BREACH, individuals=12)
    with open_tenant(parties.associate.pk):
        assert list_steps(occurrence) == []
        found = list(duties(occurrence.sent_at, occurrence.sent_at + timedelta(days=99)))
    assert [duty.why for duty in found] == [
        "without unreasonable delay, at most 60 days from discovery (45 CFR 164.410)"
    ]
