"""An owner sets single sign-on up in the browser; a new person comes by it and may look."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import IdentityProvider, Membership, Person, VerifiedDomain
from accounts.sso.domains import record_name, record_value
from accounts.sso.providers import our_address
from accounts.tenancy.scope import open_tenant
from tests.accounts.sso.kit import OidcProcess, dns_server, new_domain
from tests.e2e.conftest import open_visit


@pytest.fixture
def idp():
    process = OidcProcess()
    yield process
    process.close()


@pytest.fixture
def zone(settings):
    with dns_server() as (zone, address):
        settings.DNS_RESOLVERS = [address]
        yield zone


@pytest.fixture(autouse=True)
def _site(settings, live_server) -> None:
    settings.SITE_URL = live_server.url


def _at_provider(page, login: str) -> None:
    expect(page.get_by_role("heading", name="Example ID")).to_be_visible()
    page.get_by_label("Account").fill(login)
    page.get_by_role("button", name="Sign in").click()


def test_an_owner_sets_it_up_and_a_new_person_comes_by_it(
    visit, owner, tenant, idp, zone, browser, live_server
):
    page, domain = visit.page, new_domain()
    Person.objects.filter(pk=owner.pk).update(email=f"owner@{domain}")
    owner.refresh_from_db()
    visit.sign_in(owner)
    page.get_by_role("link", name="Single sign-on").click()
    page.get_by_label("Domain", exact=True).fill(domain)
    page.get_by_role("button", name="Add the domain").click()
    with open_tenant(tenant.pk):
        row = VerifiedDomain.objects.get()
    expect(page.get_by_text(record_value(row.challenge))).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("No such TXT record")).to_be_visible()
    zone.records[record_name(domain)] = [record_value(row.challenge)]
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Verified", exact=True)).to_be_visible()
    assert visit.violations() == []

    page.get_by_label("Name", exact=True).fill("Example ID")
    page.get_by_role("button", name="Add the provider").click()
    page.wait_for_url(re.compile("/single-sign-on/providers/"))
    with open_tenant(tenant.pk):
        provider = IdentityProvider.objects.get()
    expect(page.locator("#redirect")).to_have_text(our_address("sso-callback", provider))
    client_id, secret = idp.register(our_address("sso-callback", provider))
    page.get_by_label("Issuer").fill(idp.url)
    page.get_by_label("Client ID").fill(client_id)
    page.get_by_label("Client secret").fill(secret)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("The provider is set up.")).to_be_visible()

    idp.know(
        owner={"email": owner.email},
        newcomer={"email": f"new@{domain}", "name": "New Person", "amr": "pwd mfa"},
    )
    page.get_by_label("The provider's word counts").select_option("when_said")
    page.get_by_role("button", name="Save the rules").click()
    page.get_by_role("button", name="Test a sign-in").click()
    _at_provider(page, "owner")
    expect(page.get_by_text("The provider's answer holds.")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("People can sign in by it now.")).to_be_visible()
    assert visit.violations() == []

    for newcomer in open_visit(browser, live_server.url, width=360):
        newcomer.go("/sign-in/")
        newcomer.page.get_by_role("link", name="Sign in with your organisation").click()
        newcomer.page.get_by_label("E-mail address at work").fill(f"new@{domain}")
        assert (newcomer.violations(), newcomer.overflow()) == ([], 0)
        newcomer.page.keyboard.press("Enter")
        _at_provider(newcomer.page, "newcomer")
        newcomer.page.wait_for_url(f"{live_server.url}/")
        newcomer.page.goto(f"{live_server.url}/single-sign-on/")
        expect(newcomer.page.get_by_text("Your role doesn't permit this.")).to_be_visible()
        newcomer.complaints.clear()  # the browser reports the answer 403
    # The example provider has no icon, about which the browser complains.
    visit.complaints[:] = [said for said in visit.complaints if not said.startswith(idp.url)]
    with open_tenant(tenant.pk):
        assert Membership.objects.get(person__email=f"new@{domain}").role == "viewer"
