"""Passkeys that go: which sessions end, which factor stays; and sites that browsers give no passkeys to."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.ceremony import relying_party
from accounts.models import Passkey, Person
from accounts.services.second_factor import create_recovery_codes
from tests.accounts.authenticator import Authenticator, give_passkey, sign_in_by_passkey
from tests.accounts.factories import grow_stale, make_ready_person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person() -> Person:
    return make_ready_person()


@pytest.fixture
def authenticator(person) -> Authenticator:
    return give_passkey(person)


class TestRemoving:
    def test_the_sessions_it_opened_end_and_the_person_is_told(self, person, authenticator, mailoutbox):
        opened, client = Client(), sign_in(person)
        sign_in_by_passkey(authenticator, opened)
        handle = Passkey.objects.get(user=person).handle
        assert client.post(f"/profile/passkeys/{handle}/remove/").status_code == 302
        assert opened.get("/profile/").url.startswith("/sign-in/code/")
        assert client.get("/profile/").status_code == 200
        assert "removed from your account: the passkey “Laptop”" in mailoutbox[-1].body

    def test_the_last_factor_stays(self, person, authenticator):
        client = Client()
        sign_in_by_passkey(authenticator, client)
        handle = Passkey.objects.get(user=person).handle
        assert client.post("/profile/second-factor/remove/").status_code == 302
        assert client.post(f"/profile/passkeys/{handle}/remove/").status_code == 409
        assert client.post("/profile/second-factor/remove/").status_code == 404
        assert Passkey.objects.filter(user=person).count() == 1

    def test_the_app_stays_where_it_is_the_last_factor(self, person):
        assert sign_in(person).post("/profile/second-factor/remove/").status_code == 409

    def test_nobody_elses_is_removed(self, person, authenticator):
        handle = Passkey.objects.get(user=person).handle
        assert sign_in(make_ready_person()).post(f"/profile/passkeys/{handle}/remove/").status_code == 404

    def test_without_a_fresh_proof_nothing_is_removed(self, person, authenticator):
        client = grow_stale(sign_in(person))
        handle = Passkey.objects.get(user=person).handle
        assert client.post(f"/profile/passkeys/{handle}/remove/").url.startswith("/step-up/")
        assert client.post("/profile/second-factor/remove/").url.startswith("/step-up/")
        assert Passkey.objects.filter(user=person).exists()

    def test_a_session_that_lost_its_passkey_is_no_passkey_session_after_a_code(self, person, authenticator):
        client = Client()
        sign_in_by_passkey(authenticator, client)
        client.post(f"/profile/passkeys/{Passkey.objects.get(user=person).handle}/remove/")
        code = create_recovery_codes(person=person)[0]
        assert client.post("/sign-in/code/", {"code": code}).status_code == 302
        assert client.session["factor"] == "recovery_code"


@pytest.mark.parametrize(
    ("site", "offered"),
    [("https://portal.example.org", True), ("http://localhost:8000", True), ("http://portal.example.org", False),
     ("https://192.0.2.7", False), ("https://[2001:db8::1]", False), ("http://127.0.0.1:8000", False)],
)  # fmt: skip
def test_passkeys_are_offered_where_browsers_give_them(settings, site, offered):
    settings.SITE_URL = site
    assert (relying_party() is not None) is offered
    assert (b"Sign in with a passkey" in Client().get("/sign-in/").content) is offered
    assert Client().post("/sign-in/passkey/options/").status_code == (200 if offered else 409)
