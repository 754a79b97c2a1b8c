"""Acts that need a fresh proof of both factors: what is asked, what follows, and what is never skipped."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.models import AuditEntry, Invitation, Membership, Session
from accounts.permissions import Role
from accounts.sessions import session_digest
from accounts.tenancy.scope import open_tenant
from portal import settings as product
from tests.accounts.factories import (
    PASSWORD,
    code_for,
    grow_stale,
    make_ready_person,
    prove_again,
    sign_in,
)
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

INVITATION = {"email": "new.person@example.org", "role": "viewer", "ends_on": ""}


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def person(tenant):
    return make_ready_person(tenant=tenant)


@pytest.fixture
def client(person):
    return grow_stale(sign_in(person))


def _invitations(tenant) -> int:
    with open_tenant(tenant.pk):
        return Invitation.objects.count()


def test_five_minutes_after_the_proof_it_is_asked_again(person, settings):
    settings.STEP_UP_SECONDS = product.STEP_UP_SECONDS
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = sign_in(person)
        clock.shift(timedelta(minutes=4, seconds=59))
        assert client.get("/profile/recovery-codes/").status_code == 200
        clock.shift(timedelta(seconds=2))
        assert client.get("/profile/recovery-codes/").url == "/step-up/?next=%2Fprofile%2Frecovery-codes%2F"


def test_reading_goes_on_without_a_fresh_proof(client):
    assert client.get("/members/").status_code == 200
    assert client.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/profile/second-factor/", "/profile/recovery-codes/", "/profile/password/", "/connections/new/"],
)
def test_after_the_proof_the_page_is_reached(person, client, path):
    asked = client.get(path)
    assert asked.status_code == 302
    client.get(asked.url)
    assert prove_again(client, person).url == path
    assert client.get(path).status_code == 200


def test_a_form_that_was_interrupted_is_sent_again_by_its_person_and_did_nothing_before(
    person, client, tenant
):
    asked = client.post("/members/invite/", INVITATION)
    assert _invitations(tenant) == 0
    client.get(asked.url)
    assert prove_again(client, person).url == "/step-up/continue/"
    page = client.get("/step-up/continue/")
    assert page.context["path"] == "/members/invite/"
    assert dict(page.context["fields"]) == INVITATION
    assert _invitations(tenant) == 0
    assert client.post(page.context["path"], dict(page.context["fields"])).status_code == 302
    assert _invitations(tenant) == 1
    assert client.get("/step-up/continue/").url == "/profile/"


def test_the_interrupted_form_is_gone_when_another_page_asks(person, client):
    client.post("/members/invite/", INVITATION)
    client.get(client.get("/profile/recovery-codes/").url)
    assert prove_again(client, person).url == "/profile/recovery-codes/"


def test_a_form_with_a_secret_is_not_kept(person, client):
    answer = client.post("/profile/password/", {"current": PASSWORD, "password": "quite another phrase"})
    page = client.get(answer.url)
    assert b"repeat what you did" in page.content
    session = Session.objects.get(session_key=session_digest(client.cookies["session"].value))
    assert "another phrase" not in str(session.get_decoded())
    prove_again(client, person)
    assert client.get("/step-up/continue/").status_code == 302


def test_neither_the_password_nor_the_code_alone_is_a_proof(person, client):
    assert client.post("/step-up/", {"current": "wrong", "code": code_for(person)}).status_code == 422
    assert client.post("/step-up/", {"current": PASSWORD, "code": "000000"}).status_code == 422
    assert client.post("/step-up/", {"current": PASSWORD}).status_code == 422
    assert client.get("/profile/recovery-codes/").status_code == 302


def test_a_code_proves_once(person, client):
    code = code_for(person)
    sign_in_used = client.post("/step-up/", {"current": PASSWORD, "code": code})
    assert sign_in_used.status_code == 422  # the sign-in used it


def test_the_session_has_a_new_key_after_the_proof(person, client):
    before = client.cookies["session"].value
    prove_again(client, person)
    stolen = Client()
    stolen.cookies["session"] = before
    assert client.cookies["session"].value != before
    assert stolen.get("/profile/").status_code == 302
    assert client.get("/profile/").status_code == 200


def test_guessing_at_the_page_is_slowed(person, client):
    answers = [client.post("/step-up/", {"current": "wrong", "code": "123456"}) for _ in range(11)]
    assert b"Too many tries" in answers[-1].content
    assert b"Too many tries" in prove_again(client, person).content


@pytest.mark.parametrize("hostile", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(person, client, hostile):
    client.get("/step-up/", {"next": hostile})
    assert prove_again(client, person).url == "/profile/"


def test_the_role_is_judged_before_a_proof_is_asked(tenant):
    client = grow_stale(sign_in(make_ready_person(Role.VIEWER, tenant)))
    assert client.post("/members/invite/", INVITATION).status_code == 403


def test_htmx_is_led_to_the_page_that_asks(client):
    answer = client.post(
        "/members/invite/",
        INVITATION,
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/members/"},
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/step-up/?next=http%3A%2F%2Ftestserver%2Fmembers%2F"


def test_the_interface_says_what_is_missing(rf, person, client):
    from accounts.refusals import ask_step_up

    answer = ask_step_up(rf.post("/api/v1/things/"))
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert b"urn:surety:problem:step-up-needed" in answer.content


def test_proofs_and_failures_stand_in_the_log(person, client, tenant):
    client.post("/step-up/", {"current": "wrong", "code": "123456"})
    prove_again(client, person)
    with open_tenant(tenant.pk):
        entries = AuditEntry.objects.filter(act=Act.STEP_UP).order_by("occurred_at")
        assert [entry.outcome for entry in entries] == ["failed", "done"]


@pytest.mark.parametrize("act", ["role", "remove"])
def test_members_are_changed_with_a_fresh_proof_alone(client, tenant, act):
    other = make_ready_person(Role.VIEWER, tenant)
    with open_tenant(tenant.pk):
        membership = Membership.objects.get(person=other)
    assert client.post(f"/members/{membership.pk}/{act}/", {"role": "owner"}).url.startswith("/step-up/")
    with open_tenant(tenant.pk):
        assert Membership.objects.get(pk=membership.pk).role == Role.VIEWER


def test_every_act_that_the_design_names_asks_for_a_fresh_proof():
    from django.urls import resolve

    from tests.architecture.test_access import _path

    routes = (
        "members/invite/", "members/<uuid:membership_id>/role/", "members/<uuid:membership_id>/remove/",
        "members/invitations/<uuid:invitation_id>/revoke/", "connections/new/", "connections/<uuid:connection_id>/remove/",
        "evidence/<uuid:snapshot_id>/download/", "profile/password/", "profile/second-factor/", "profile/recovery-codes/",
    )  # fmt: skip
    assert [route for route in routes if not resolve(_path(route)).func.access.step_up] == []
