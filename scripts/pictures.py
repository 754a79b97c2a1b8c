"""Takes the pictures of docs/pictures: `make demo` in one window, `make pictures` in another.

Each is a page of the demonstration as a person finds it who signs in and follows links, so a link that is gone stops
it. With names it takes those alone: `python scripts/pictures.py portfolio calendar`. Pictures have at most 64 colours,
which is what keeps them small.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / "docs" / "pictures"
STATE = Path(os.environ.get("SURETY_STATE") or CHECKOUT / ".surety")
URL = os.environ.get("DEMO_URL", "http://localhost:8000")
WIDTH, COLOURS, MOST_BYTES = 1280, 64, 120_000
ERROR_PAGE = re.compile(r"\AError \d{3}\Z")

HOSPITAL, VENDOR = "security-official@mercy-lakes.example", "owner@northwind.example"
PARTNER = ("Business associates", "Northwind Imaging")
CUSTOMER = ("Covered entities", "Mercy Lakes Hospital")
GRANT = (*CUSTOMER, "What it sees of our posture", "Change")


@dataclass(frozen=True, slots=True)
class Picture:
    """`way`: links, or "press: " and a button, one after another from the overview; `top`: what is scrolled to."""

    name: str
    who: str
    way: tuple[str, ...]
    height: int
    top: str = ""


PICTURES = (
    Picture("overview", HOSPITAL, (), 900),
    Picture("other-tools", HOSPITAL, ("Safeguards", "Access control"), 900, "#other-tools"),
    Picture("portfolio", HOSPITAL, ("Business associates",), 1160),
    Picture("partner", HOSPITAL, PARTNER, 860),
    Picture("posture-shared", HOSPITAL, (*PARTNER, "Posture"), 980),
    Picture("subcontractors", HOSPITAL, (*PARTNER, "Subcontractors"), 900),
    Picture("agreement-clauses", HOSPITAL, (*PARTNER, "Agreement", "Versions, clauses and documents"), 980),
    Picture("verification-received", HOSPITAL, (*PARTNER, "Verification", "re:^Verification 20"), 860),
    Picture("notice-received", HOSPITAL, (*PARTNER, "Notices", "re:stolen log-in"), 860),
    Picture("questionnaire-review", HOSPITAL, (*PARTNER, "Questionnaires", "re:questionnaire$"), 900),
    Picture("calendar", HOSPITAL, ("Calendar",), 900),
    Picture("exit", HOSPITAL, ("Exits", "re:Cedar Billing"), 900),
    Picture("covered-entity", VENDOR, CUSTOMER, 760),
    Picture("preview", VENDOR, (*GRANT, "press: See it as they would"), 980),
    Picture("verification-packet", VENDOR, ("Verifications", "re:^Verification 20"), 940),
    Picture("notice-clocks", VENDOR, ("Notices", "Sent and own", "re:stolen log-in"), 900),
)  # fmt: skip


def main(names: Sequence[str]) -> None:
    """Takes all pictures, or those with the names. Raises SystemExit for one that is too large."""
    wanted = [each for each in PICTURES if not names or each.name in names]
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        path = subprocess.run(
            [sys.executable, CHECKOUT / "scripts" / "chromium.py"], capture_output=True, text=True, check=True
        )
        browser = playwright.chromium.launch(executable_path=path.stdout.strip(), args=["--no-sandbox"])
        for who, pictures in groupby(wanted, key=lambda each: each.who):
            page = sign_in(browser, who)
            for picture, image in take(page, pictures):
                keep(picture, image)
        browser.close()


def sign_in(browser: Browser, email: str) -> Page:
    """The overview of a demonstration person."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{URL}/sign-in/")
    page.locator("input[type=email]").fill(email)
    page.locator("input[type=password]").fill((STATE / "demo-password").read_text())
    page.keyboard.press("Enter")
    code = subprocess.run(
        [sys.executable, "manage.py", "totp", email], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    page.locator("input[autocomplete=one-time-code]").fill(code.stdout[:6])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible(timeout=120_000)
    return page


def take(page: Page, pictures: Iterator[Picture]) -> Iterator[tuple[Picture, bytes]]:
    """Each picture's PNG, as Chromium makes it. Raises SystemExit where the portal answers an error."""
    for picture in pictures:
        page.set_viewport_size({"width": WIDTH, "height": picture.height})
        page.goto(URL)
        for step in picture.way:
            go(page, step)
        if picture.top:
            page.locator(picture.top).first.evaluate("element => element.scrollIntoView()")
        page.mouse.move(0, 0)
        if page.get_by_text(ERROR_PAGE).count():
            raise SystemExit(
                f"{picture.name}: the portal answered {page.get_by_text(ERROR_PAGE).first.inner_text()}."
            )
        yield picture, page.screenshot()


def go(page: Page, step: str) -> None:
    """Follows a link of the page itself, else of the navigation; or presses a button."""
    kind, _, words = step.rpartition(":")
    if kind == "press":
        page.get_by_role("button", name=words.strip(), exact=True).click()
    else:
        name = re.compile(words) if kind == "re" else step
        inside = page.locator("main").get_by_role("link", name=name, exact=True)
        aside = page.locator("#side").get_by_role("link", name=name, exact=True)
        (inside if inside.count() else aside).first.click()
    page.wait_for_load_state()


def keep(picture: Picture, png: bytes) -> None:
    """Writes it with few colours. Raises SystemExit where it is still too large for a page of documentation."""
    path = FOLDER / f"{picture.name}.png"
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    size = path.stat().st_size
    print(f"{path.relative_to(CHECKOUT)}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}.")


if __name__ == "__main__":
    main(sys.argv[1:])
