"""Findings of other tools stand on the pages, and at the interface's addresses, beside our own."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Finding, SafeguardStatus, SubmittedCheck
from tests.accounts.factories import make_ready_person
from tests.submissions.conftest import Pusher, ocsf

BUCKET = "arn:aws:s3:::scans"


@pytest.fixture
def pages(pusher: Pusher, client_for: Any) -> Any:
    return client_for(make_ready_person(Role.OWNER, pusher.machine.tenant))


def _read(answer: Any) -> str:
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_finding_of_another_tool_is_shown_on_every_page_of_findings(pusher: Pusher, pages: Any):
    row = pusher.push(
        [
            ocsf("s3_versioning", BUCKET, message="no versions are kept"),
            ocsf("s3_versioning", "arn:aws:s3:::other", "PASS"),
            ocsf("quiet", "", "PASS", severity=2) | {"resources": []},
        ],
        name="nightly.json",
    )
    with open_tenant(pusher.tenant_id):
        finding = Finding.objects.get(resource_arn=BUCKET)
        nameless = Finding.objects.get(resource_arn="")
        check = SubmittedCheck.objects.get(check_id="prowler:s3_versioning")
    listed = _read(pages.get("/findings/"))
    assert "About s3_versioning" in listed
    assert f"/findings/submitted/{check.pk}/" in listed
    for narrowed, shown in (
        ("source=prowler", True), ("source=surety", False), ("text=About+s3", True), ("citation=164.312(b)", True),
        ("citation=164.312(d)", False), ("service=s3", False), ("outcome=FAIL&severity=high", True),
    ):  # fmt: skip
        assert (f"/findings/submitted/{check.pk}/" in _read(pages.get(f"/findings/?{narrowed}"))) == shown
    whole = _read(pages.get(f"/findings/submitted/{check.pk}/"))
    assert "No versions are kept" in whole
    assert "S3_versioning on arn:aws:s3:::other" in _read(
        pages.get(f"/findings/submitted/{check.pk}/?outcome=PASS")
    )
    detail = _read(pages.get(f"/findings/{finding.pk}/"))
    for said in (
        "Prowler 5.46.0",
        "nightly.json",
        "s3_versioning",
        "Seen by the tool",
        f"number {row.sequence}",
    ):
        assert said in detail
    assert "The document names none" in _read(pages.get(f"/findings/{nameless.pk}/"))
    assert f"/findings/submitted/{check.pk}/" in _read(pages.get("/safeguards/164.312(b)/"))
    assert f"/findings/submitted/{check.pk}/" in _read(pages.get("/"))


def test_a_check_with_several_severities_is_one_line(pusher: Pusher, pages: Any):
    pusher.push([ocsf("mixed", "a", severity=2), ocsf("mixed", "b", severity=5)])
    listed = _read(pages.get("/findings/"))
    assert listed.count("About mixed") == 1
    assert "2 of 2 resources" in listed
    assert "1 check" in listed


def test_the_interface_tells_where_a_finding_comes_from(pusher: Pusher):
    row = pusher.push([ocsf("s3_versioning", BUCKET)])
    [said] = pusher.machine.ask("GET", "findings?source=prowler").json()["data"]
    assert (said["source"], said["title"], said["citations"], said["submission"], said["connection"]) == (
        "prowler", "About s3_versioning", ["164.312(b)"], str(row.pk), None,
    )  # fmt: skip
    assert said["seen_at"].startswith("2026-09-21")
    assert pusher.machine.ask("GET", f"findings/{said['id']}").json() == said
    for query, number in (
        ("source=surety", 0), ("citation=164.312(b)", 1), ("citation=164.312(d)", 0),
        ("check=prowler:s3_versioning", 1),
    ):  # fmt: skip
        assert len(pusher.machine.ask("GET", f"findings?{query}").json()["data"]) == number
    checks = pusher.machine.ask("GET", "safeguards/164.312(b)").json()["checks"]
    assert [(each["id"], each["title"], each["severity"]) for each in checks] == [
        ("prowler:s3_versioning", "About s3_versioning", "high")
    ]


def test_a_status_keeps_how_severe_its_checks_were(pusher: Pusher):
    pusher.push([ocsf("s3_versioning", BUCKET, severity=4)])
    with open_tenant(pusher.tenant_id):
        SafeguardStatus.objects.update(valid_from=timezone.now() - timedelta(days=3))
    pusher.push([ocsf("s3_versioning", BUCKET, severity=5, at=1_790_086_400)])
    yesterday = (timezone.now() - timedelta(days=1)).date()
    for query, told in (("", "critical"), (f"?as_of={yesterday}", "high")):
        [check] = pusher.machine.ask("GET", f"safeguards/164.312(b){query}").json()["checks"]
        assert (check["title"], check["severity"]) == ("About s3_versioning", told)


def test_a_status_from_before_severities_were_kept_tells_those_of_today(pusher: Pusher):
    pusher.push([ocsf("s3_versioning", BUCKET)])
    with open_tenant(pusher.tenant_id):
        row = SafeguardStatus.objects.get(citation="164.312(b)", valid_to=None)
        assert row.reasons["checks"][0].pop("severity") == "high"
        row.save()
    [check] = pusher.machine.ask("GET", "safeguards/164.312(b)").json()["checks"]
    assert check["severity"] == "high"


def test_the_status_of_a_safeguard_is_read_from_one_row(pusher: Pusher):
    pusher.push([ocsf(f"check_{number}", BUCKET) for number in range(30)])
    pusher.machine.ask("GET", "safeguards/164.312(b)")
    with CaptureQueriesContext(connection) as statements:
        said = pusher.machine.ask("GET", "safeguards/164.312(b)").json()
    assert len(said["checks"]) == 30
    assert len([each for each in statements if "assessments_" in each["sql"]]) == 1


def test_a_document_stands_on_the_page_of_the_safeguard_that_its_sender_named(pusher: Pusher, pages: Any):
    row = pusher.push(
        b"Backups were restored in a drill on 3 March 2026.\n",
        name="drill.txt",
        citations="164.308(a)(7)(ii)(D)",
    )
    assert row.state == "accepted", (row.problem, row.found)
    page = _read(pages.get("/safeguards/164.308(a)(7)(ii)(D)/"))
    assert f"/submissions/{row.pk}/" in page
    assert "drill.txt" in page
    assert f"/submissions/{row.pk}/" not in _read(pages.get("/safeguards/164.312(b)/"))


def test_the_findings_of_a_document_can_be_narrowed(pusher: Pusher, pages: Any):
    row = pusher.push(
        [
            ocsf("s3_versioning", BUCKET),
            ocsf("s3_versioning", "arn:aws:s3:::other", "PASS"),
            ocsf("quiet", "arn:aws:s3:::third", severity=2),
        ]
    )
    address = f"/submissions/{row.pk}/findings/"
    for narrowed, shown in (
        ("", ["scans", "other", "third"]), ("outcome=PASS", ["other"]), ("severity=low", ["third"]),
        ("text=About+s3", ["scans", "other"]), ("text=:::third", ["third"]), ("outcome=FAIL&severity=high", ["scans"]),
        ("outcome=nonsense", ["scans", "other", "third"]),
    ):  # fmt: skip
        said = _read(pages.get(f"{address}?{narrowed}"))
        names = [name for name in ("scans", "other", "third") if f">arn:aws:s3:::{name}<" in said]
        assert names == shown, narrowed
    assert "No finding fits the filter" in _read(pages.get(f"{address}?text=nowhere"))
    assert "is not one of the available choices" in _read(pages.get(f"{address}?outcome=nonsense"))
