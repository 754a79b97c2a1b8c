"""Members look at documents that were sent, send one themselves, and take it out again."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import Submission
from evidence.submissions.mappings import save_mapping
from tests.accounts.factories import make_ready_person, sign_in
from tests.submissions.conftest import Pusher, ocsf

BUCKET = "arn:aws:s3:::records"


@pytest.fixture
def official(pusher: Pusher):
    return make_ready_person(Role.SECURITY_OFFICIAL, pusher.machine.tenant)


def _text(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_a_document_has_a_page_with_its_receipt_and_what_came_of_it(pusher, official):
    row = pusher.push(
        [ocsf("s3_versioning", BUCKET)], name="nightly.json", effective_to="2026-03-01T06:00:00Z"
    )
    client = sign_in(official)
    listed, page = client.get("/submissions/?format=ocsf"), client.get(f"/submissions/{row.pk}/")
    assert "nightly.json" in _text(listed)
    assert row.receipt in page.content.decode()
    said = _text(page)
    assert "accepted" in said
    assert "open to 2026-03-01 06:00:00 UTC" in said
    assert "1 finding as this document said last" in said
    found = client.get(f"/submissions/{row.pk}/findings/")
    assert "About s3_versioning" in _text(found)
    assert "prowler:s3_versioning" in _text(found)
    link = re.search(r'href="(/findings/[0-9a-f-]+/)"', found.content.decode())
    assert client.get(link[1]).status_code == 200
    assert "No document fits" in _text(client.get("/submissions/?state=refused"))


def test_a_document_that_says_nothing_leads_to_what_to_do_and_one_being_read_asks_again(pusher, official):
    client, read = sign_in(official), pusher.push(b"a,b\n1,2\n", name="report.csv")
    said = _text(client.get(f"/submissions/{read.pk}/"))
    assert "No tool's format was recognised" in said.replace("&#x27;", "'")
    assert "Later documents" not in said
    waiting = pusher.post(b"c,d\n1,2\n").json()["id"]
    assert 'hx-trigger="every 3s"' in client.get(f"/submissions/{waiting}/").content.decode()
    assert "hx-trigger" not in client.get(f"/submissions/{read.pk}/").content.decode().split("<main")[1]


def test_a_refused_document_says_what_is_wrong_and_where(pusher, official):
    row = pusher.push([ocsf("one", BUCKET), {"class_uid": 2003}], format="ocsf")
    said = _text(sign_in(official).get(f"/submissions/{row.pk}/"))
    assert row.problem
    assert " ".join(row.problem.split()) in said.replace("&#x27;", "'").replace("&quot;", '"')


def test_the_document_comes_back_as_a_file_whatever_it_is_called(pusher, official):
    page = b"<script>alert(1)</script>"
    row = pusher.push(page, format="document", name='../"x";.html\r\nX: y')
    answer = sign_in(official).get(f"/submissions/{row.pk}/download/")
    assert b"".join(answer.streaming_content) == page
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r'attachment; filename="[\w .()+-]+"', answer["Content-Disposition"])


def test_a_contributor_sends_a_document_and_a_viewer_does_not(pusher):
    client = sign_in(make_ready_person(Role.CONTRIBUTOR, pusher.machine.tenant))
    document = SimpleUploadedFile("scan.json", json.dumps([ocsf("mfa", BUCKET)]).encode(), "application/json")
    answer = client.post(
        "/submissions/send/",
        {"document": document, "stream": "by hand", "complete": "on", "citations": ["164.312(d)"]},
    )
    assert answer.status_code == 302, _text(answer)
    row = pusher.work(answer.url.strip("/").split("/")[-1])
    said = (row.state, row.name, row.stream_name, row.complete, row.citations, row.client_id)
    assert said == ("accepted", "scan.json", "by hand", True, ["164.312(d)"], None)
    viewer = sign_in(make_ready_person(Role.VIEWER, pusher.machine.tenant))
    assert viewer.get("/submissions/send/").status_code == viewer.get("/submissions/").status_code == 403


def test_a_form_that_does_not_fit_keeps_no_document(pusher, official):
    client, file = sign_in(official), BytesIO(b"[]")
    wrong = {"document": file, "effective_from": "2026-03-02T00:00", "effective_to": "2026-03-01T00:00"}
    late = client.post("/submissions/send/", wrong)
    empty = client.post("/submissions/send/", {"document": SimpleUploadedFile("x.json", b"")})
    assert (late.status_code, empty.status_code) == (400, 400)
    assert "It ends before it begins" in _text(late)
    assert "empty" in _text(empty)
    with open_tenant(pusher.tenant_id):
        assert not Submission.objects.exists()


MAPPING = {"check": "rule", "resource": "host", "result": "state", "results": {"ok": "PASS", "bad": "FAIL"}}
SAMPLE = "rule,host,state\nbackup,db-1,ok\nbackup,db-2,bad\n"


def test_a_mapping_is_tried_out_saved_changed_and_retired(pusher, official):
    client = sign_in(official)
    form = {"name": "backups", "content": json.dumps(MAPPING), "format": "csv", "sample": SAMPLE}
    tried = client.post("/submissions/mappings/new/", {**form, "try": "1"})
    assert "2 outcomes, nothing stored" in _text(tried)
    unfit = client.post("/submissions/mappings/new/", {**form, "content": '{"check": "rule"}', "try": "1"})
    assert (unfit.status_code, "there is no" in _text(unfit) or "results" in _text(unfit)) == (400, True)
    first = client.post("/submissions/mappings/new/", {**form, "save": "1"}).url
    second = client.post("/submissions/mappings/new/", {**form, "save": "1"}).url
    assert ("version 1" in _text(client.get(first)), "version 2" in _text(client.get(second))) == (True, True)
    assert json.dumps(MAPPING, indent=2) in unescape(client.get(first).content.decode())
    assert client.post(f"{first}retire/").status_code == 302
    assert client.post(f"{first}retire/").status_code == 409
    listed = _text(client.get("/submissions/mappings/"))
    assert listed.index("backups, version 2") < listed.index("backups, version 1") < listed.index("retired")
    sent = client.get("/submissions/send/").content.decode()
    assert (first.split("/")[-2] in sent, second.split("/")[-2] in sent) == (False, True)


def test_a_client_names_a_mapping_and_an_unknown_or_retired_one_is_refused(pusher, official):
    with open_tenant(pusher.tenant_id):
        mapping = save_mapping(name="backups", content=MAPPING, by=official)
    row = pusher.push(SAMPLE.encode(), format="csv", mapping=str(mapping.pk))
    assert (row.state, row.counts["passed"], row.counts["failed"]) == ("accepted", 1, 1)
    listed = pusher.machine.ask("GET", "mappings?retired=false").json()["data"]
    assert [(each["id"], each["content"]) for each in listed] == [(str(mapping.pk), MAPPING)]
    sign_in(official).post(f"/submissions/mappings/{mapping.pk}/retire/")
    for unfit in (mapping.pk, pusher.tenant_id):
        answer = pusher.post(SAMPLE.encode(), format="csv", mapping=str(unfit))
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:surety:problem:unfit-parameter")
