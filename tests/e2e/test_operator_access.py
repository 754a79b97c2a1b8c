"""An owner lets the operator's staff look and ends it, and makes a token for an identity provider, in a browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.models import OperatorWindow, ScimGroup
from accounts.operators.windows import approve_window, ask_window
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_operator
from tests.accounts.scim_client import verify_domain
from tests.e2e.conftest import open_visit

PICTURES = os.environ.get("PICTURES")


def _picture(visit, name: str) -> None:
    if PICTURES:
        visit.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_an_owner_grants_a_window_sees_its_banner_and_ends_it(
    browser, live_server, tenant, owner, width, theme
):
    ask_window(
        by=make_operator("Ada Staff"), slug=tenant.slug, reason="the scan hangs", ticket="T-7", hours=2
    )
    with open_tenant(tenant.pk):
        window = OperatorWindow.objects.get()
    approve_window(window_id=window.pk, by=make_operator("Bo Staff"))
    for visit in open_visit(browser, live_server.url, width, theme):
        visit.sign_in(owner)
        visit.go("/operator-access/")
        _picture(visit, f"operator-access-{width}")
        assert (visit.overflow() <= 0, visit.violations()) == (True, [])
        visit.page.get_by_role("button", name="Grant").click()
        banner = visit.page.get_by_text("of the operator can see")
        expect(banner).to_be_visible()
        visit.go("/")
        expect(banner).to_contain_text("the scan hangs (T-7)")
        _picture(visit, f"operator-banner-{width}")
        assert (visit.overflow() <= 0, visit.violations()) == (True, [])
        visit.page.get_by_role("link", name="Look, or end it").click()
        visit.page.get_by_role("button", name="End it now").click()
        expect(banner).to_be_hidden()
        expect(visit.page.get_by_text("Revoked by")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1440, "dark")])
def test_an_owner_makes_a_token_and_gives_a_group_its_role(browser, live_server, tenant, owner, width, theme):
    verify_domain(tenant)
    with open_tenant(tenant.pk):
        ScimGroup.objects.create(display_name="Nurses")
    for visit in open_visit(browser, live_server.url, width, theme):
        visit.sign_in(owner)
        visit.go("/provisioning/")
        visit.page.get_by_label("Name").fill("Okta 2026")
        visit.page.get_by_role("button", name="Make a token").click()
        expect(visit.page.locator("#new-token")).to_contain_text("surety_scim_")
        _picture(visit, f"provisioning-{width}")
        assert (visit.overflow() <= 0, visit.violations()) == (True, [])
        visit.go("/provisioning/")
        expect(visit.page.locator("#new-token")).to_have_count(0)
        visit.page.get_by_label("Role of Nurses").select_option("contributor")
        visit.page.get_by_role("button", name="Change the role of Nurses").click()
        expect(visit.page.get_by_text("Nurses gives contributor.")).to_be_visible()
