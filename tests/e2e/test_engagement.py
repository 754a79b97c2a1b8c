"""An engagement in the browser from both sides, and each of its pages on a telephone and on a desk, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.engagements import services
from assessments.engagements.models import Extent, Judgement, Side
from assessments.engagements.services.populations import Source
from assessments.models import Engagement
from tests.accounts.factories import make_ready_person
from tests.collected import VERSIONING
from tests.e2e.conftest import Visit, judged, meets, open_visit
from tests.engagements.factories import make_auditor, make_engagement

CITATION = "164.312(c)(1)"


@pytest.fixture
def official(tenant):
    return make_ready_person(Role.SECURITY_OFFICIAL, tenant)


@pytest.fixture
def auditor(tenant):
    return make_auditor(tenant)


@pytest.fixture
def other_window(browser, live_server) -> Iterator[Visit]:
    yield from open_visit(browser, live_server.url)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_an_engagement_from_its_opening_to_its_end(visit, other_window, tenant, official, auditor, collected):
    ours, theirs = visit.page, other_window.page
    visit.sign_in(official)
    engagement = _open_an_engagement(visit, ours, auditor.email)
    other_window.sign_in(auditor, home="/auditor/")
    theirs.get_by_role("link", name="Examination 2026").click()
    expect(theirs.get_by_text("Read-only, until")).to_be_visible()
    _ask(theirs)
    _answer(ours, engagement)
    _accept(theirs)
    _sample(theirs)
    _conclude(theirs)
    ours.goto(f"{visit.server}/engagements/{engagement}/?tab=conclusions")
    expect(ours.get_by_text("Versions are kept but for one bucket.")).to_be_visible()
    ours.get_by_role("link", name="Access log").click()
    expect(ours.locator("code", has_text="evidence.read").first).to_be_visible()
    ours.locator("summary", has_text="End").click()
    press(ours, "End the access of its auditors now")
    expect(ours.get_by_text("The engagement is ended.")).to_be_visible()
    theirs.goto(f"{visit.server}/auditor/")
    expect(theirs.get_by_text("Read-only, until")).to_have_count(0)


def _open_an_engagement(visit: Visit, page: Page, auditor: str) -> str:
    visit.go("/engagements/")
    page.get_by_role("link", name="Open an engagement").click()
    page.get_by_label("Title").fill("Examination 2026")
    page.get_by_label("Auditor's firm").fill("Haddad & Partners")
    page.get_by_label("164.312(c)(1) Integrity").check()
    press(page, "Open it")
    page.get_by_label("Auditor's name").fill("Amir Haddad")
    page.get_by_label("E-mail address").fill(auditor)
    press(page, "Name an auditor")
    expect(page.get_by_text("is named as an auditor")).to_be_visible()
    return re.search(r"/engagements/([0-9a-f-]{36})/", page.url)[1]


def _ask(page: Page) -> None:
    page.get_by_role("link", name="Ask for something").first.click()
    page.get_by_label("What you ask for, in a few words").fill("Versions of buckets")
    page.get_by_label("The request").fill("Show that versions are kept.")
    press(page, "Ask")
    expect(page.get_by_role("heading", name="Versions of buckets")).to_be_visible()


def _answer(page: Page, engagement: str) -> None:
    page.goto(re.sub(r"/engagements/.*", f"/engagements/{engagement}/", page.url))
    page.get_by_role("link", name="Versions of buckets").click()
    page.get_by_label("Message").fill("Attached.")
    page.locator("summary", has_text="Attach evidence").click()
    page.get_by_label(re.compile("s3 in global")).check()
    press(page, "Answer")
    expect(page.get_by_text("Attached.")).to_be_visible()


def _accept(page: Page) -> None:
    page.reload()
    page.get_by_role("link", name="s3 in global").click()
    expect(page.get_by_text("What AWS answered")).to_be_visible()
    press(page, "Verify now")
    expect(page.get_by_text("both digests match")).to_be_visible()
    page.get_by_role("link", name="Requests").click()
    page.get_by_role("link", name="Versions of buckets").click()
    press(page, "Accept")
    expect(page.locator(".page-head").get_by_text("accepted", exact=False)).to_be_visible()


def _sample(page: Page) -> None:
    page.get_by_role("link", name="Samples").click()
    page.get_by_role("link", name="Freeze a population").first.click()
    page.get_by_label("What is tested").fill("Buckets")
    page.get_by_label("Check").select_option(VERSIONING)
    press(page, "Freeze it")
    page.get_by_role("textbox", name="Seed").fill("dice 4 2 6")
    press(page, "Draw")
    page.locator("summary", has_text="Judge or replace").click()
    page.get_by_label("Why it can't be tested").fill("It was deleted last week.")
    press(page, "Replace by the next rank")
    expect(page.get_by_text("in place of item 1")).to_be_visible()
    page.locator("summary", has_text="Judge or replace").click()
    press(page, "Judge")
    expect(page.get_by_text("1 of 1 item judged")).to_be_visible()


def _conclude(page: Page) -> None:
    page.get_by_role("link", name="Safeguards").click()
    page.get_by_role("link", name="Integrity", exact=True).click()
    page.get_by_role("combobox", name="Conclusion").select_option("effective")
    page.get_by_role("textbox", name="Reasons").fill("Versions are kept but for one bucket.")
    page.get_by_label("Share it with the organisation").check()
    press(page, "Conclude")
    expect(page.get_by_text("version 1 by")).to_be_visible()


@pytest.fixture
def pages(tenant, official, auditor, collected) -> tuple[list[str], list[str]]:
    """Addresses of the tenant and of the auditor, of an engagement in which much was done."""
    engagement = make_engagement(tenant, auditor)
    due = timezone.now().date() + timedelta(days=5)
    with open_tenant(tenant.pk):
        engagement = Engagement.objects.get(pk=engagement.pk)
        request = services.ask(
            engagement=engagement, citation=CITATION, title="Versions of buckets", text="Show them, please.",
            due_on=due, by=auditor.pk,
        )  # fmt: skip
        services.say(
            request=request, act=services.RequestAct.ANSWER, side=Side.TENANT, by=official.pk, text="Attached.",
            snapshot_ids=[collected.snapshot.pk],
        )  # fmt: skip
        frozen = {"engagement": engagement, "citation": CITATION, "by": auditor.pk}
        sample = services.freeze_population(
            title="Buckets", extent=Extent.FEW, source=Source.RESOURCES, subject=VERSIONING, **frozen
        )
        days = services.freeze_population(
            title="Every day", extent=Extent.PERIOD, source=Source.DAYS, subject="", **frozen
        )
        services.draw_sample(sample=sample, seed="dice 4 2 6", size=2, by=auditor.pk)
        services.comment(
            engagement=engagement, citation=CITATION, side=Side.AUDITOR, text="Which key?", by=auditor.pk
        )
        services.conclude(
            engagement=engagement, citation=CITATION, judgement=Judgement.EFFECTIVE, reasons="They are kept.",
            shared=True, by=auditor.pk,
        )  # fmt: skip
    ours, theirs = f"/engagements/{engagement.pk}/", f"/auditor/{engagement.pk}/"
    return (
        ["/engagements/", "/engagements/new/", ours, *(f"{ours}?tab={tab}" for tab in ("samples", "conclusions", "packages", "access")),
         f"{ours}requests/{request.pk}/", f"{ours}samples/{sample.pk}/", f"{ours}safeguards/{CITATION}/"],
        ["/auditor/", "/auditor/help/", theirs, f"{theirs}requests/", f"{theirs}requests/new/", f"{theirs}requests/{request.pk}/",
         f"{theirs}safeguards/", f"{theirs}safeguards/{CITATION}/", f"{theirs}checks/{VERSIONING}/",
         f"{theirs}findings/{collected.finding('scans').pk}/", f"{theirs}evidence/", f"{theirs}evidence/{collected.snapshot.pk}/",
         f"{theirs}samples/", f"{theirs}samples/new/", f"{theirs}samples/{sample.pk}/", f"{theirs}samples/{days.pk}/",
         f"{theirs}documents/", f"{theirs}packages/"],
    )  # fmt: skip


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_every_page_of_engagements_fits_and_bars_nobody(
    browser, live_server, official, auditor, pages, width, theme
):
    for person, home, addresses in ((official, "/", pages[0]), (auditor, "/auditor/", pages[1])):
        for visit in open_visit(browser, live_server.url, width, theme):
            visit.sign_in(person, home=home)
            for number, address in enumerate(addresses):
                if not meets(number, width):
                    continue
                visit.go(address)
                assert visit.page.locator("h1").count() == 1, address
                assert visit.overflow() <= 0, f"{address} is {visit.overflow()} pixels too wide"
                assert not judged(number, width) or visit.violations() == [], address
