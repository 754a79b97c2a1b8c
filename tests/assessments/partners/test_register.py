"""The register of business associates, as a compliance officer meets it: pages, sheets in, sheets out."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate
from assessments.partners.forms import FIELDS
from assessments.partners.tiers import Exposure, Reach, Volume, tier_of
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
FIT = {
    "reference": "V-1",
    "name": "Cedar Billing",
    "volume": "under_10000",
    "reach": "regular",
    "receives": "on",
}


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _register(tenant) -> dict[str, BusinessAssociate]:
    with open_tenant(tenant.pk):
        return {each.reference: each for each in BusinessAssociate.objects.all()}


def _choose(client, content: bytes, name: str = "sheet.csv"):
    return client.post("/business-associates/import/", {"sheet": SimpleUploadedFile(name, content)})


def _sheet(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_one_is_added_shown_with_its_tier_changed_and_ended(official, tenant):
    answer = official.post("/business-associates/new/", FIT, follow=True)
    assert b"PHI of 500 to 9,999 individuals is in reach; it keeps none." in answer.content
    added = _register(tenant)["V-1"]
    assert added.tier == 2
    answer = official.post(
        f"/business-associates/{added.pk}/change/", {**FIT, "maintains": "on", "volume": "more"}, follow=True
    )
    assert b"Why tier 1" in answer.content
    assert official.post(f"/business-associates/{added.pk}/end/", follow=True).status_code == 200
    assert official.get("/business-associates/").context["rows"] == []
    assert b"Cedar Billing" in official.get("/business-associates/?state=ended").content
    assert official.post(f"/business-associates/{added.pk}/end/").status_code == 409
    with open_tenant(tenant.pk):
        acts = AuditEntry.objects.filter(
            object_type="business_associate", object_id=str(added.pk)
        ).values_list("act", flat=True)
        assert {"business_associate.create", "business_associate.change", "business_associate.end"} <= set(
            acts
        )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"reference": ""}, b"This field is required"), ({"volume": "lots"}, b"Write one of: "),
     ({"contact_email": "nobody"}, b"valid email"), ({"name": "x" * 201}, b"at most 200")],
)  # fmt: skip
def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_kept(official, tenant, wrong, said):
    answer = official.post("/business-associates/new/", {**FIT, **wrong})
    assert answer.status_code == 422
    assert said in answer.content
    assert _register(tenant) == {}


def test_two_do_not_share_a_reference(official, tenant):
    official.post("/business-associates/new/", FIT)
    answer = official.post("/business-associates/new/", {**FIT, "name": "Another"})
    assert answer.status_code == 422
    assert b"Another business associate has this reference" in answer.content
    assert [each.name for each in _register(tenant).values()] == ["Cedar Billing"]


def test_the_tier_or_its_fields_cannot_be_set_past_the_form(official, tenant):
    official.post(
        "/business-associates/new/", {**FIT, "tier": "3", "ended_at": "2020-01-01", "id": "x", "tenant": "x"}
    )
    kept = _register(tenant)["V-1"]
    assert (kept.tier, kept.ended_at) == (2, None)


@pytest.mark.parametrize(
    ("maintains", "volume", "reach", "tier"),
    [(False, Volume.UNDER_500, Reach.INCIDENTAL, 3), (False, Volume.UNDER_500, Reach.OCCASIONAL, 3),
     (False, Volume.UNDER_500, Reach.REGULAR, 2), (True, Volume.UNDER_10_000, Reach.REGULAR, 2),
     (True, Volume.UNDER_100_000, Reach.OCCASIONAL, 1), (False, Volume.MORE, Reach.INCIDENTAL, 1),
     (False, Volume.UNKNOWN, Reach.INCIDENTAL, 1), (False, Volume.UNDER_500, Reach.UNKNOWN, 1),
     (False, Volume.UNDER_100_000, Reach.HOLDS, 1), (False, Volume.UNDER_100_000, Reach.REGULAR, 2)],
)  # fmt: skip
def test_a_tier_follows_from_volume_and_reach_and_says_why(maintains, volume, reach, tier):
    found = tier_of(Exposure(maintains, volume, reach))
    assert found.number == tier
    assert all(reason.endswith(".") for reason in found.reasons)
    assert found.reasons


def test_pages_follow_each_other_and_filters_narrow(official, tenant):
    with open_tenant(tenant.pk):
        for number in range(55):
            BusinessAssociate.objects.create(
                reference=f"R{number:02}", name=f"Vendor {number:02}", receives=number % 2 == 0
            )
    first = official.get("/business-associates/")
    following = first.context["next"]
    second = official.get(f"/business-associates/?after={following}")
    names = [row.name for answer in (first, second) for row in answer.context["rows"]]
    assert names == [f"Vendor {number:02}" for number in range(55)]
    assert official.get("/business-associates/?role=receives").context["count"] == 28
    assert official.get("/business-associates/?text=vendor+07").context["count"] == 1
    assert official.get("/business-associates/?after=nonsense").status_code == 400


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_and_imported_again_changes_nothing(official, tenant, kind):
    hostile = '=HYPERLINK("http://x")'
    official.post(
        "/business-associates/new/", {**FIT, "services": hostile, "systems": '-1+2, "quoted"\nsecond line'}
    )
    answer = official.get(f"/business-associates/export.{kind}")
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"<f>" not in answer.content
    preview = _choose(official, answer.content, f"sheet.{kind}")
    page = official.get(preview.url)
    assert b"The register says all of this already." in page.content
    assert _register(tenant)["V-1"].services == hostile


def test_no_cell_of_an_export_begins_a_formula(official):
    for number, start in enumerate("=+-@"):
        official.post(
            "/business-associates/new/",
            {**FIT, "reference": f"{start}{number}", "name": f"{start}cmd|' /C calc'!A0"},
        )
    rows = csv.reader(
        io.StringIO(official.get("/business-associates/export.csv").content.decode("utf-8-sig"))
    )
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    book = load_workbook(io.BytesIO(official.get("/business-associates/export.xlsx").content))
    assert not [cell for row in book.active.iter_rows() for cell in row if cell.data_type == "f"]


def test_an_import_shows_what_it_does_and_writes_nothing_until_it_is_confirmed(official, tenant):
    official.post("/business-associates/new/", FIT)
    before = _register(tenant)["V-1"].changed_at
    row = {"reference": "V-1", "name": "Cedar Billing", "volume": "100,000 or more", "receives": "yes"}
    preview = _choose(
        official, _sheet(row, {"reference": "V-2", "name": "New Hosting", "volume": "", "receives": "no"})
    )
    page = official.get(preview.url)
    assert "under_10000" in page.content.decode()
    assert [(line.number, str(line.kind)) for line in page.context["lines"]] == [(2, "changed"), (3, "new")]
    assert list(_register(tenant)) == ["V-1"]
    assert _register(tenant)["V-1"].changed_at == before
    assert official.post(f"{preview.url}confirm/").status_code == 302
    after = _register(tenant)
    assert (after["V-1"].volume, after["V-1"].tier, after["V-1"].reach) == ("more", 1, "regular")
    assert (after["V-2"].name, after["V-2"].tier) == ("New Hosting", 1)
    assert official.post(f"{preview.url}confirm/").status_code == 409


def test_rows_with_errors_are_named_one_by_one_and_nothing_is_imported(official, tenant):
    rows = [
        {"reference": "A", "name": "Fine", "receives": "yes", "contact_email": ""},
        {"reference": "B", "name": "", "receives": "yes", "contact_email": ""},
        {"reference": "C", "name": "Third", "receives": "perhaps", "contact_email": "no address"},
        {"reference": "D", "name": "Fourth", "receives": "", "contact_email": ""},
        {"reference": "D", "name": "Fifth", "receives": "", "contact_email": ""},
    ]
    preview = _choose(official, _sheet(*rows))
    lines = {line.number: line for line in official.get(preview.url).context["lines"]}
    assert str(lines[2].kind) == "new"
    assert "name" in lines[3].errors
    assert set(lines[4].errors) == {"receives", "contact_email"}
    assert "more than once" in lines[5].errors["reference"][0]
    assert "more than once" in lines[6].errors["reference"][0]
    assert official.post(f"{preview.url}confirm/").status_code == 409
    assert _register(tenant) == {}


def test_an_import_is_refused_when_the_register_changed_since_its_preview(official, tenant):
    preview = _choose(official, _sheet({"reference": "V-1", "name": "From the sheet"}))
    official.post("/business-associates/new/", FIT)
    answer = official.post(f"{preview.url}confirm/")
    assert answer.status_code == 409
    assert b"has changed since this preview" in answer.content
    assert _register(tenant)["V-1"].name == "Cedar Billing"


def _workbook(rows: int = 1, columns: int = 2) -> bytes:
    book = Workbook()
    book.active.append(["reference", "name", *(f"column {n}" for n in range(columns - 2))])
    for number in range(rows):
        book.active.append([f"R{number}", f"Vendor {number}"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (60 << 20))
    return out.getvalue()


def _with_entities() -> bytes:
    source, out = zipfile.ZipFile(io.BytesIO(_workbook())), io.BytesIO()
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    with source, zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, evil if name == "xl/workbook.xml" else source.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", b"empty"), (b"reference,name\n", b"no row below"), (b"name\nx\n", b"reference"),
     (b"reference,name,name\n1,a,b\n", b"twice"), (b"\xff\xfe\x00r", b"neither XLSX nor CSV"), (b"%PDF-1.7 reference", b"neither XLSX nor CSV"), (b"a\x00b", b"no text"),
     (b'reference,name\n1,"unclosed', b"malformed"), (b"PK\x03\x04 not a zip", b"be read"),
     (b"reference,name\n" + b"1,a\n" * 10_001, b"more than 10,000"), (b"reference,name\n" + b"x" * (2 << 20), b"larger than 2 MB"),
     (_bomb(), b"unpacks"), (_with_entities(), b"be read")],
    ids=["empty", "no rows", "no reference", "a column twice", "utf-16", "pdf", "nul", "unclosed quote", "no zip", "too many rows",
         "too large", "bomb", "entities"],
)  # fmt: skip
def test_a_sheet_that_is_none_is_refused_with_a_sentence(official, tenant, content, said):
    answer = _choose(official, content)
    assert answer.status_code == 422
    assert said in answer.content
    assert _register(tenant) == {}


def test_a_workbook_of_very_many_columns_is_read_up_to_its_hundredth(official):
    assert _choose(official, _workbook(columns=2000), "wide.xlsx").status_code == 302


def test_a_csv_of_semicolons_is_read_too(official):
    preview = _choose(official, "\ufeffReference;Name\n7;Übersee Hosting\n".encode())
    assert official.get(preview.url).context["lines"][0].name == "Übersee Hosting"


def test_a_viewer_reads_and_changes_nothing(tenant):
    viewer = sign_in(make_ready_person(Role.VIEWER, tenant))
    assert viewer.get("/business-associates/").status_code == 200
    assert viewer.post("/business-associates/new/", FIT).status_code == 403
    assert _register(tenant) == {}


def test_registers_of_two_tenants_share_references_and_nothing_else(official, tenant):
    other = make_tenant()
    with open_tenant(other.pk):
        BusinessAssociate.objects.create(reference="V-1", name="Theirs")
    official.post("/business-associates/new/", FIT)
    assert _register(tenant)["V-1"].name == "Cedar Billing"
    assert b"Theirs" not in official.get("/business-associates/").content
    assert len(FIELDS) == 15
