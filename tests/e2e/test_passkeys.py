"""Passkeys in a real browser, with Chromium's virtual authenticator: set-up, sign-in, second factor, proof, removal."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Passkey
from accounts.sessions import PROVED_AT, SessionStore
from tests.accounts.factories import PASSWORD
from tests.e2e.conftest import Visit
from tests.factories import make_member


class Virtual:
    """The browser's authenticator: a laptop's own, which knows its person."""

    def __init__(self, visit: Visit) -> None:
        self._session = visit.context.new_cdp_session(visit.page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        self.id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})[
            "authenticatorId"
        ]

    def know_person(self, known: bool) -> None:
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": known})


@pytest.fixture
def authenticator(visit) -> Virtual:
    return Virtual(visit)


@pytest.fixture
def newcomer(tenant):
    return make_member(tenant, password=PASSWORD)


def _give_password(visit: Visit, person) -> None:
    visit.go("/sign-in/")
    visit.page.get_by_label("E-mail").fill(person.email)
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Continue").click()


def _set_up(visit: Visit, person) -> None:
    _give_password(visit, person)
    visit.page.get_by_label("Name of the passkey").fill("Virtual laptop")
    assert visit.violations() == []
    visit.page.get_by_role("button", name="Set up a passkey").click()
    expect(visit.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    visit.page.get_by_role("link", name=re.compile("continue")).click()
    visit.page.wait_for_url(re.compile(r"^[^/]+//[^/]+/$"))


def _sign_out(visit: Visit) -> None:
    visit.go("/profile/")
    visit.page.locator(".menu-person summary").click()
    visit.page.get_by_role("button", name="Sign out").click()
    visit.page.wait_for_url(re.compile("/sign-in/"))


def _grow_stale(visit: Visit) -> None:
    key = next(one["value"] for one in visit.context.cookies() if one["name"] == "session")
    session = SessionStore(key)
    session[PROVED_AT] = 0
    session.save()


def test_it_is_set_up_first_and_then_signs_in_without_a_password(visit, authenticator, newcomer):
    _set_up(visit, newcomer)
    _sign_out(visit)
    assert visit.violations() == []
    visit.page.get_by_role("button", name="Sign in with a passkey").click()
    visit.page.wait_for_url(re.compile(r"^[^/]+//[^/]+/$"))
    kept = Passkey.objects.get(user=newcomer)
    assert (kept.name, kept.sign_count >= 1, kept.transports) == ("Virtual laptop", True, ["internal"])


def test_it_is_the_second_factor_after_the_password(visit, authenticator, newcomer):
    _set_up(visit, newcomer)
    _sign_out(visit)
    _give_password(visit, newcomer)
    assert visit.violations() == []
    visit.page.get_by_role("button", name="Use a passkey").click()
    visit.page.wait_for_url(re.compile(r"^[^/]+//[^/]+/$"))


def test_a_stale_session_proves_itself_and_the_interrupted_form_goes_on(visit, authenticator, newcomer):
    _set_up(visit, newcomer)
    visit.go("/members/")
    _grow_stale(visit)
    visit.page.get_by_label("E-mail address").fill("colleague@example.org")
    visit.page.get_by_role("button", name="Send the invitation").click()
    expect(visit.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert visit.violations() == []
    visit.page.get_by_role("button", name="Confirm with a passkey").click()
    expect(visit.page.get_by_text("colleague@example.org is invited")).to_be_visible()


def test_one_is_added_to_an_app_and_removed_again(visit, authenticator, owner):
    visit.sign_in(owner)
    visit.go("/profile/passkeys/new/")
    visit.page.get_by_role("button", name="Add a passkey").click()
    expect(visit.page.get_by_text("The passkey “Passkey 1” is added.")).to_be_visible()
    visit.page.get_by_text("Remove Passkey 1").first.click()
    visit.page.get_by_role("button", name="Remove Passkey 1 now").click()
    visit.page.wait_for_url(re.compile("/sign-in/code/"))
    assert not Passkey.objects.filter(user=owner).exists()


def test_a_device_that_does_not_know_its_person_is_told_so(visit, authenticator, newcomer):
    _set_up(visit, newcomer)
    _sign_out(visit)
    authenticator.know_person(False)
    visit.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(visit.page.get_by_role("alert").filter(has_text="not used")).to_be_visible()


def test_a_tenant_that_requires_one_leads_to_it(visit, authenticator, owner):
    visit.sign_in(owner)
    visit.go("/profile/passkeys/new/")
    visit.page.get_by_role("button", name="Add a passkey").click()
    expect(visit.page.get_by_text("is added.")).to_be_visible()
    visit.go("/settings/sign-in/")
    visit.page.get_by_label("Require a passkey of every member").check()
    visit.page.get_by_role("button", name="Save the policy").click()
    expect(visit.page.get_by_text("A passkey is required from now on.")).to_be_visible()
    assert visit.violations() == []
