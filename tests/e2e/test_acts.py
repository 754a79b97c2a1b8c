"""What people do in the browser: connect by keyboard, watch a run, verify evidence, choose a theme, stay signed in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection, CollectionRun, CollectionUnit
from tests.collected import VERSIONING
from tests.e2e.conftest import open_visit
from tests.factories import make_connection, make_run


@pytest.fixture
def signed_in(visit, owner):
    visit.sign_in(owner)
    return visit


def _press_until(page, selector: str, most: int = 120) -> None:
    """Tabs until the element has the focus, as a keyboard's user does."""
    for _ in range(most):
        if page.locator(selector).evaluate_all(
            "found => found.some((one) => one === document.activeElement)"
        ):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached by keyboard")


def test_the_first_key_leads_past_the_navigation(signed_in):
    page = signed_in.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_an_account_is_connected_by_keyboard_alone(signed_in, tenant):
    page = signed_in.page
    signed_in.go("/connections/new/")
    page.keyboard.type("Clinical systems")
    page.keyboard.press("Tab")
    page.keyboard.type("222222222222")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/grant/"))
    with open_tenant(tenant.pk):
        made = AwsConnection.objects.get()
    expect(page.locator("#external-id")).to_have_text(str(made.external_id))
    _press_until(page, "form[action$='/verify/'] button")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/connections/{made.pk}/$"))
    expect(page.get_by_text("Verification is under way.")).to_be_visible()


def test_mistakes_in_the_wizard_are_said_at_their_field(signed_in):
    page = signed_in.page
    page.goto(signed_in.server + "/connections/new/")
    page.get_by_label("Name", exact=True).fill("Clinical")
    page.get_by_label("AWS account ID").fill("12")
    page.keyboard.press("Enter")
    field = page.get_by_label("AWS account ID")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("12 digits, without dashes"))
    assert signed_in.violations() == []
    signed_in.complaints.clear()  # the browser reports the answer 400


def test_progress_is_seen_without_loading_the_page_again(signed_in, tenant):
    page = signed_in.page
    connection = make_connection(tenant)
    run = make_run(tenant, connection, units_total=2)
    with open_tenant(tenant.pk):
        first, second = (
            CollectionUnit.objects.create(run=run, collector=name, region="us-east-1")
            for name in ("ec2", "rds")
        )
    signed_in.go(f"/connections/{connection.pk}/?tab=runs")
    expect(page.get_by_text("0 of 2 units done").first).to_be_visible()
    with open_tenant(tenant.pk):
        CollectionUnit.objects.filter(pk=first.pk).update(
            state="done", api_calls={"ec2:DescribeInstances": 4}
        )
    expect(page.get_by_text("1 of 2 units done").first).to_be_visible()
    with open_tenant(tenant.pk):
        CollectionUnit.objects.filter(pk=second.pk).update(state="done")
        CollectionRun.objects.filter(pk=run.pk).update(
            state="finished", verdict="complete", finished_at=datetime.now(UTC)
        )
    expect(page.locator("tbody .status-word").first).to_have_text("Complete")
    expect(page.locator(".progress-card")).to_have_count(0)


def test_evidence_is_verified_in_place(signed_in, collected):
    page = signed_in.page
    signed_in.go(f"/evidence/{collected.snapshot.pk}/")
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verification .status-word")).to_have_text("intact")
    assert page.evaluate("window.stayed")


def test_a_chosen_theme_holds_on_the_next_page(signed_in):
    page = signed_in.page
    page.locator(".menu-theme summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    signed_in.go("/safeguards/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_ways_to_mend_are_tabs_for_mouse_and_keyboard(signed_in, collected):
    page = signed_in.page
    signed_in.go(f"/findings/checks/{VERSIONING}/")
    tabs = page.get_by_role("tab")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_have_count(1)


def test_the_session_warns_before_its_end_and_is_prolonged(settings, visit, owner):
    settings.SESSION_WARNING_SECONDS = settings.SESSION_IDLE_SECONDS - 4
    visit.sign_in(owner)
    dialog = visit.page.get_by_role("dialog", name="Your session is about to end")
    expect(dialog).to_be_visible()
    button = dialog.get_by_role("button", name="Stay signed in")
    expect(button).to_be_focused()
    assert visit.violations() == []
    with visit.page.expect_response(re.compile("/session/extend/")) as answer:
        visit.page.keyboard.press("Enter")
    assert answer.value.json()["seconds_left"] > settings.SESSION_WARNING_SECONDS
    expect(dialog).to_be_hidden()


def test_on_a_telephone_the_navigation_opens_and_closes_by_keyboard(browser, live_server, owner):
    for visit in open_visit(browser, live_server.url, 360):
        visit.sign_in(owner)
        side = visit.page.get_by_role("navigation", name="Main")
        expect(side).to_be_hidden()
        visit.page.get_by_role("button", name="Navigation").press("Enter")
        expect(side).to_be_visible()
        expect(side.get_by_role("link", name="Overview")).to_be_focused()
        assert visit.violations() == []
        visit.page.keyboard.press("Escape")
        expect(side).to_be_hidden()
        expect(visit.page.get_by_role("button", name="Navigation")).to_be_focused()
