"""From the form to the verifier, in a browser."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import expect

from accounts.tenancy.scope import open_tenant
from assessments.models import Package
from assessments.packages.models import PackageState
from tests.assessments.packages.conftest import (  # noqa: F401 (fixtures)
    Hospital,
    anchor,
    hospital,
    sealer,
    vault_of,
    work_until,
)
from tests.assessments.packages.test_package import verify
from tests.e2e.conftest import Visit

pytestmark = pytest.mark.xdist_group("packages")


def _newest(of: Hospital) -> Package:
    with open_tenant(of.tenant.pk):
        return Package.objects.latest("requested_at")


def test_a_package_goes_from_the_form_to_an_accepting_verifier(
    visit: Visit,
    vault_of: Hospital,  # noqa: F811
    tmp_path: Path,
):
    page = visit.page
    page.set_default_timeout(60_000)
    visit.sign_in(vault_of.owner)
    page.get_by_role("link", name="Packages").click()
    page.get_by_role("link", name="Make a package").click()
    page.get_by_label("Names of buckets").check()
    page.get_by_label("Why they are withheld").fill("Names of buckets are private.")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="How it would be")).to_be_visible()
    expect(page.get_by_role("region", name="The document with fields withheld")).to_contain_text("withheld")
    assert visit.violations() == []
    _picture(visit, "new")
    page.get_by_role("button", name="Make the package").click()
    expect(page.get_by_label("Package in the making")).to_be_visible()
    assert visit.violations() == []
    worker = threading.Thread(target=_work, args=(_newest(vault_of),))
    worker.start()
    expect(page.get_by_role("heading", name="Hand it out")).to_be_visible(timeout=300_000)
    worker.join(30)
    assert visit.violations() == []
    assert visit.overflow() == 0
    _picture(visit, "detail")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download")).click()
    path = tmp_path / "package.zip"
    download.value.save_as(path)
    code, said = verify(tmp_path / "empty", path)
    assert code == 0, said
    page.set_viewport_size({"width": 360, "height": 800})
    for address in ("/packages/", "/packages/new/", page.url.removeprefix(visit.server)):
        visit.go(address)
        assert visit.overflow() == 0, address


def _work(package: Package) -> None:
    try:
        work_until(package, PackageState.READY)
    finally:
        connections.close_all()


def _picture(visit: Visit, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        visit.page.screenshot(path=f"{folder}/{name}.png", full_page=True)
