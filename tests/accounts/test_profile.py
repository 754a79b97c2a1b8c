"""What people change about their own ways in, and what they must prove for it."""

from __future__ import annotations

import pyotp
import pytest
from django.test import Client

from accounts.devices import TotpDevice
from accounts.services.second_factor import create_recovery_codes
from tests.accounts.factories import PASSWORD, grow_stale, make_ready_person, post_password, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "four quite plain words"


@pytest.fixture
def person():
    return make_ready_person()


@pytest.fixture
def client(person):
    return sign_in(person)


def test_a_new_password_needs_the_current_one_and_ends_the_other_sessions(person, client):
    other = sign_in(person)
    wrong = client.post("/profile/password/", {"current": "wrong", "password": NEW})
    assert wrong.status_code == 422
    assert "current" in wrong.context["form"].errors
    assert client.post("/profile/password/", {"current": PASSWORD, "password": NEW}).status_code == 302
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302
    assert post_password(Client(), person).status_code == 422
    assert post_password(Client(), person, NEW).status_code == 302


@pytest.mark.parametrize("unfit", ["short", "password1234", PASSWORD])
def test_an_unfit_password_is_refused_at_its_field(client, unfit):
    answer = client.post("/profile/password/", {"current": PASSWORD, "password": unfit})
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors


def test_guessing_the_current_password_from_an_open_session_is_slowed(person, client):
    answers = [client.post("/profile/password/", {"current": "wrong", "password": NEW}) for _ in range(11)]
    assert b"Too many tries" in answers[-1].content
    assert (
        b"Too many tries" in client.post("/profile/password/", {"current": PASSWORD, "password": NEW}).content
    )


def test_the_app_is_replaced_and_the_old_one_ends(person, client):
    other = sign_in(person)
    old = TotpDevice.objects.get(user=person).secret
    secret = client.get("/profile/second-factor/").context["secret"].replace(" ", "")
    assert secret != old
    assert client.post("/profile/second-factor/", {"code": "000000"}).status_code == 422
    TotpDevice.objects.filter(user=person).update(throttling_failure_count=0)
    assert client.post("/profile/second-factor/", {"code": pyotp.TOTP(secret).now()}).status_code == 302
    assert [device.secret for device in TotpDevice.objects.filter(user=person)] == [secret]
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302


def test_new_recovery_codes_are_shown_once(client):
    answer = client.post("/profile/recovery-codes/")
    codes = answer.context["codes"]
    assert all(code in answer.content.decode() for code in codes)
    assert codes[0] not in client.get("/profile/recovery-codes/").content.decode()
    assert client.get("/profile/").context["codes_left"] == 10


def test_who_lost_the_phone_replaces_the_app_with_recovery_codes(person):
    codes, client = create_recovery_codes(person=person), Client()
    post_password(client, person)
    assert client.post("/sign-in/code/", {"code": codes[0]}).status_code == 302
    assert client.get("/profile/second-factor/").status_code == 200
    grow_stale(client)
    assert client.get("/profile/second-factor/").url.startswith("/step-up/")
    assert client.post("/step-up/", {"current": PASSWORD, "code": codes[1]}).status_code == 302
    assert client.get("/profile/second-factor/").status_code == 200


def test_a_name_is_changed_and_an_empty_one_is_not(client):
    assert client.post("/profile/name/", {"name": " Nell Moss "}).status_code == 302
    assert client.get("/profile/").context["person"].name == "Nell Moss"
    assert client.post("/profile/name/", {"name": "  "}).status_code == 422


def test_the_theme_is_kept_in_a_cookie_and_only_known_ones_are(client):
    client.post("/profile/theme/", {"theme": "dark"})
    assert client.cookies["theme"].value == "dark"
    assert client.post("/profile/theme/", {"theme": "<script>"}).status_code == 400


def test_fields_say_what_they_are_to_password_managers(client):
    page = Client().get("/sign-in/").content
    assert b'autocomplete="username"' in page
    assert b'autocomplete="current-password"' in page
    assert b'autocomplete="one-time-code"' in client.get("/step-up/").content
    assert b'autocomplete="new-password"' in client.get("/profile/password/").content


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/profile/", "/members/", "/audit/", "/profile/password/", "/tenants/", "/step-up/"]
)
def test_no_page_has_script_or_style_of_its_own(client, path):
    import re

    text = (Client() if path == "/sign-in/" else client).get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", text)


def test_the_set_up_page_has_no_style_of_its_own(person):
    from tests.factories import make_member, make_tenant

    client = Client()
    post_password(client, make_member(make_tenant(), password=PASSWORD))
    page = client.get("/sign-in/set-up/").content.decode()
    assert " style=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
