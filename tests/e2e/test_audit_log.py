"""The audit log in a browser: searched, an entry opened with its proof, an export downloaded, a stream set up."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import open_visit


def test_a_person_searches_opens_exports_and_streams(browser, live_server, owner):
    for visit in open_visit(browser, live_server.url, 1440, "light"):
        visit.sign_in(owner)
        visit.go("/members/")
        visit.go("/audit/")
        page = visit.page
        page.get_by_label("What", exact=True).select_option(label="Looked at the members")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.locator("tbody tr a[href^='/audit/entries/']").click()
        expect(page.get_by_role("heading", name="Proof")).to_be_visible()
        assert owner.email in page.locator("dl.facts").first.inner_text()
        visit.go("/audit/export/?act=member.list")
        page.get_by_label("JSON lines").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export").click()
        assert download.value.suggested_filename.endswith(".jsonl")
        visit.go("/audit/streams/")
        page.get_by_label("Name").fill("SIEM")
        page.get_by_label("Receiver", exact=True).fill("https://siem.example.org/surety")
        page.get_by_role("button", name="Set up").click()
        expect(page.locator("#secret")).to_have_text(re.compile("^whsec_"))
