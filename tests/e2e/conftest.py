"""A real browser on a real server: what the portal's people meet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.accounts.factories import PASSWORD, code_for
from tests.collected import Collected, collect

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()

# Playwright's synchronous API keeps a loop in this thread, in which Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or _find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def _find_chromium() -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "chromium.py"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@dataclass
class Visit:
    """A browser window in which a person works. `complaints`: what the browser's console said of the pages."""

    context: BrowserContext
    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.server + path, wait_until="load")
        assert answer and answer.status == 200, f"{path}: {answer and answer.status}"

    def sign_in(self, person, home: str = "/") -> None:
        self.go("/sign-in/")
        self.page.get_by_label("E-mail").or_(self.page.locator("input[type=email]")).first.fill(person.email)
        self.page.locator("input[type=password]").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile("/sign-in/code/"))
        self.page.locator("input[autocomplete=one-time-code]").fill(code_for(person))
        if "/sign-in/code/" in self.page.url:
            self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(rf"^[^/]+//[^/]+{home}$"))

    def violations(self) -> list[str]:
        """What axe-core holds to be a serious or critical barrier on the page."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)"
        )
        grave = [one for one in found if one["impact"] in {"serious", "critical"}]
        return [f"{one['id']} at {node['target']}" for one in grave for node in one["nodes"]]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def meets(number: int, width: int) -> bool:
    """Whether the page of that number is walked at the width: each on a telephone, every other one on a desk as well."""
    return width < 1000 or number % 2 == 1


def judged(number: int, width: int) -> bool:
    """Whether axe-core judges it there: each page once, since it takes a second or two."""
    return meets(number, width) and (width >= 1000) == (number % 2 == 1)


@pytest.fixture
def visit(browser: Browser, live_server) -> Iterator[Visit]:
    yield from open_visit(browser, live_server.url)


def open_visit(
    browser: Browser, server: str, width: int = 1440, theme: Literal["light", "dark"] = "light"
) -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    window = Visit(context, page, server)

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            window.complaints.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: window.complaints.append(f"{page.url}: {error}"))
    yield window
    context.close()
    assert window.complaints == []


@pytest.fixture
def collected(tenant) -> Collected:
    return collect(tenant)


@pytest.fixture(autouse=True)
def _site(settings, live_server) -> None:
    """Passkeys belong to the site's name and port."""
    settings.SITE_URL = live_server.url


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.services.connections.ring_after_commit", lambda *_: None)
    monkeypatch.setattr("evidence.services.collection.ring_after_commit", lambda *_: None)
    monkeypatch.setattr("tasks.webhook.ring", lambda *_, **__: None)
