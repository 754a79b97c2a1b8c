"""Every page on a telephone and on a desk, light and dark: nothing overflows, bars anybody, or breaks the policy."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate
from assessments.partners.services import preview_import
from evidence.models import ConnectionState, Submission
from tests.collected import VERSIONING
from tests.e2e.conftest import judged, meets, open_visit
from tests.exits.everything import exit_rows, received_exit
from tests.factories import make_connection
from tests.notices.factories import make_occurrences
from tests.partnerships.factories import make_partnership
from tests.webhooks.kit import add_endpoint, deliveries, finish_run

STEP = {
    "name": "trust",
    "label": "The role can be assumed",
    "outcome": "failed",
    "ok": False,
    "happened": "AccessDenied: no",
    "advice": "Paste this.",
    "paste": '{"Version": "2012-10-17"}',
}
SHEET = b"reference,name,contact_email\nV-1,Cedar Billing Services,x@example.org\nV-2,Hosting,no address\nV-3,Shredding,\n"


@pytest.fixture
def addresses(tenant, collected, owner) -> list[str]:
    broken = make_connection(tenant, name="Laboratory", state=ConnectionState.BROKEN, probe=[STEP])
    with open_tenant(tenant.pk):
        associate = BusinessAssociate.objects.create(
            reference="V-1", name="Cedar Billing", services="Claims and statements"
        )
        sheet = preview_import(content=SHEET, by=owner)
    works, upstream = make_partnership(tenant), make_partnership(downstream=tenant)
    sent, own = make_occurrences(tenant, owner)
    asked = received_exit(tenant, "Northside")
    with open_tenant(tenant.pk):
        asks = exit_rows(owner, collected.connection, asked, "Cedar")["exit"]
        held = Submission.objects.create(
            sequence=1, sender="Scanner", receipt="e30." * 90, received_at=timezone.now(), digest="0" * 64, size=3,
            media_type="text/plain", address="-", wrapped_key=b"0", key_id="1", ciphertext_digest="", stored_size=0,
            state="quarantined", found=[{"kind": "ssn", "place": "/0/message", "form": "000-00-0000", "weight": "block"}],
        )  # fmt: skip
    partners, exits = "/business-associates/", f"/exits/received/{asked.pk}/"
    webhook = f"/webhooks/{add_endpoint(tenant, 'https://127.0.0.1:1999/').endpoint.pk}/"
    finish_run(tenant)
    connection = f"/connections/{collected.connection.pk}/"
    return [
        "/", "/safeguards/", "/safeguards/?section=164.312", "/safeguards/164.312(c)(1)/", "/findings/", f"/findings/checks/{VERSIONING}/",
        f"/findings/{collected.finding('scans').pk}/", "/evidence/", f"/evidence/{collected.snapshot.pk}/", "/connections/", "/connections/new/",
        partners, f"{partners}charts/", f"{partners}new/", f"{partners}import/", f"{partners}{associate.pk}/", f"{partners}{associate.pk}/history/", f"{partners}import/{sheet.pk}/",
        f"{partners}{associate.pk}/partnership/", f"{partners}{associate.pk}/invite/", f"{partners}{works.associate_id}/partnership/",
        f"{partners}{works.associate_id}/partnership/end/", "/covered-entities/", f"/covered-entities/{upstream.pk}/", f"/covered-entities/{upstream.pk}/leave/",
        "/notices/", "/notices/new/contingency/", "/notices/recipients/", f"/notices/{sent.pk}/", f"/notices/{own.pk}/", f"/notices/{own.pk}/assess/",
        f"{partners}{works.associate_id}/notices/", f"/covered-entities/{upstream.pk}/?tab=notices",
        connection, *(f"{connection}?tab={tab}" for tab in ("coverage", "runs", "permissions")), f"/connections/{broken.pk}/",
        *(f"{connection}grant/?way={way}" for way in ("cloudformation", "terraform", "manual")), f"{connection}remove/", "/members/", "/audit/", "/audit/export/", "/audit/streams/", "/profile/", "/profile/passkeys/new/",
        *(f"/questionnaires/{page}" for page in ("", "send/", "received/", "templates/", "templates/shipped/hipaa-security/")),
        f"/exits/{asks.pk}/", "/exits/", exits, f"{exits}resources/?connection={collected.connection.pk}&kind=bucket", f"{partners}{asks.associate_id}/exit/",
        f"/exits/{asks.pk}/close/", f"{exits}items/media/",
        "/submissions/", "/submissions/send/", f"/submissions/{held.pk}/", f"/submissions/{held.pk}/release/", "/submissions/mappings/new/",
        "/webhooks/", "/webhooks/new/", webhook, f"{webhook}edit/", f"/webhooks/deliveries/{deliveries(tenant)[0].pk}/",
        "/calendar/", "/calendar/links/", "/profile/second-factor/", "/profile/password/", "/settings/sign-in/",
        "/api-clients/", "/api-clients/new/",
    ]  # fmt: skip


# Each width and each theme; a theme changes colours alone, and a width lays out alike in both.
@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1440, "dark")])
def test_every_page_fits_bars_nobody_and_keeps_the_policy(
    browser, live_server, owner, addresses, width, theme
):
    for visit in open_visit(browser, live_server.url, width, theme):
        visit.sign_in(owner)
        for number, address in enumerate(addresses):
            if not meets(number, width):
                continue
            visit.go(address)
            assert visit.page.locator("html").get_attribute("data-bs-theme") == theme
            assert visit.page.locator("h1").count() == 1, address
            assert re.fullmatch(r".+ · Hospital \w+ · Surety", visit.page.title()), address
            assert visit.overflow() <= 0, f"{address} is {visit.overflow()} pixels too wide"
            assert not judged(number, width) or visit.violations() == [], address


def test_signing_in_bars_nobody(browser, live_server):
    for visit in open_visit(browser, live_server.url, 360):
        visit.go("/sign-in/")
        assert visit.overflow() <= 0
        assert visit.violations() == []
