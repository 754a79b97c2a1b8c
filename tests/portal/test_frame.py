"""The frame of every page: navigation by role, errors, health, and what a strict content policy forbids."""

from __future__ import annotations

import re

import pytest
import redis
from django.test import Client

from accounts.permissions import Role
from tests.accounts.factories import make_ready_person


def _links(answer) -> set[str]:
    side = answer.content.decode().split('<nav class="side"')[1].split("</nav>")[0]
    return set(re.findall(r"<span>([^<]+)</span></a>", side))


PARTNERS = {
    "Business associates", "Agreements", "Covered entities", "Subcontractors", "Notices", "Questionnaires", "Verifications",
    "Exits", "Calendar",
}  # fmt: skip


def test_an_owner_is_led_to_every_part(owner, client_for):
    assert _links(client_for(owner).get("/")) == {
        "Overview", "Safeguards", "Evidence", "Submissions", "Findings", "AWS connections", "Engagements", "Packages",
        *PARTNERS, "Members", "Sign-in policy", "Single sign-on", "Provisioning", "Operator access", "API clients", "Webhooks",
        "Audit log",
    }  # fmt: skip


def test_a_viewer_is_not_led_to_what_the_role_may_not_open(tenant, client_for):
    viewer = make_ready_person(Role.VIEWER, tenant)
    assert _links(client_for(viewer).get("/")) == {
        "Overview", "Safeguards", "Findings", "AWS connections", "Engagements", *PARTNERS,
    }  # fmt: skip


def test_the_page_in_the_navigation_that_is_open_says_so(owner, client_for):
    page = client_for(owner).get("/safeguards/").content.decode()
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', page) == ["/safeguards/"]


def test_the_theme_that_was_chosen_is_there_before_the_first_paint(owner, client_for):
    client = client_for(owner)
    client.cookies["theme"] = "dark"
    assert (
        '<html lang="en" data-theme-choice="dark" data-bs-theme="dark">' in client.get("/").content.decode()
    )


def test_a_theme_that_is_none_is_not_repeated(owner, client_for):
    client = client_for(owner)
    client.cookies["theme"] = '"><script>'
    assert '<html lang="en" data-theme-choice="auto">' in client.get("/").content.decode()


def test_an_address_that_is_not_there_answers_in_the_frame(owner, client_for):
    answer = client_for(owner).get("/nothing/")
    assert answer.status_code == 404
    assert "Not found" in answer.content.decode()


def test_a_stranger_learns_nothing_from_an_address_that_is_not_there(db):
    answer = Client().get("/nothing/")
    assert answer.status_code == 404
    assert b"<nav" not in answer.content


@pytest.mark.parametrize(
    "address",
    ["safeguards/?status=x", "findings/?outcome=x", "evidence/?collector=x", "submissions/?state=x"],
)
def test_a_filter_that_cannot_be_used_is_left_open_and_says_so(owner, client_for, address):
    answer = client_for(owner).get(f"/{address}")
    page = answer.content.decode()
    name = re.search(r"\?(\w+)=", address)[1]
    assert answer.status_code == 200
    assert re.search(
        rf'<select name="{name}"[^>]*aria-invalid="true"[^>]*aria-describedby="id_{name}_error"', page
    )
    assert f'id="id_{name}_error">Select a valid choice. x is not one of the available choices.</div>' in page


def test_health_is_told_without_signing_in(db):
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": True})


def test_health_says_that_redis_does_not_answer(db, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(settings.CELERY_BROKER_URL).ping()
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "redis": False})


def test_the_policy_permits_no_inline_script_or_style(owner, client_for):
    policy = client_for(owner).get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
