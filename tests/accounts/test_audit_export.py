"""Exports of the log: what fits the filters, in formats that programs read and that spreadsheets don't run."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from accounts.audit import export
from accounts.audit.actors import Actor, acting
from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.export import ExportFormat, stream_entries
from accounts.audit.log import record
from accounts.audit.models import AuditEntry
from accounts.audit.ocsf import to_ocsf
from accounts.audit.search import Wanted
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")', "=cmd|'/c calc'!A0"]


@pytest.fixture
def client(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _record(tenant, *objects: str, outcome=ActOutcome.DONE) -> None:
    with (
        open_tenant(tenant.pk),
        acting(Actor(ActorKind.PERSON, "7", "ada@example.org", "192.0.2.9", "s", "r")),
    ):
        for each in objects:
            record(Act.EVIDENCE_READ, object_type="snapshot", object_id=each, outcome=outcome, note=each)


def _export(client, chosen: str, query: str = "") -> bytes:
    answer = client.post(f"/audit/export/?{query}", {"format": chosen})
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_csv_holds_the_entries_that_fit_and_the_filters_stand_in_the_log(tenant, client):
    _record(tenant, "a", "b", "c")
    _record(tenant, "d", outcome=ActOutcome.REFUSED)
    rows = list(
        csv.DictReader(io.StringIO(_export(client, "csv", "act=evidence.read&outcome=done").decode()))
    )
    assert [row["object"] for row in rows] == ["c", "b", "a"]
    assert {row["actor"] for row in rows} == {"ada@example.org"}
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(act=Act.AUDIT_EXPORT)
    details = json.loads(bytes(entry.body))["details"]
    assert details == {"format": "csv", "filters": {"act": "evidence.read", "outcome": "done"}}


def test_no_cell_is_a_formula(tenant, client):
    _record(tenant, *HOSTILE)
    cells = [
        cell for row in csv.reader(io.StringIO(_export(client, "csv").decode(), newline="")) for cell in row
    ]
    assert len([cell for cell in cells if cell.startswith("'")]) >= len(HOSTILE)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []


def test_json_lines_are_the_entries_byte_for_byte(tenant, client):
    _record(tenant, "a", "b")
    lines = _export(client, "json", "object=a").splitlines()
    with open_tenant(tenant.pk):
        assert lines == [bytes(AuditEntry.objects.get(object_id="a").body)]


SCHEMA = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0")).get_class_schema(
    "api_activity", profiles=[]
)
OCSF = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)


def test_every_act_is_an_api_activity_by_the_public_schema(tenant):
    with open_tenant(tenant.pk):
        for act in Act:
            record(act, object_type="thing", object_id="1", more=[1, {"x": None}])
        for outcome in ActOutcome:
            record(Act.MEMBER_ADD, outcome=outcome)
        with acting(Actor(ActorKind.STRANGER, "", "", "2001:db8::1", "s", "r")):
            record(Act.SIGN_IN)
        bodies = [bytes(entry.body) for entry in AuditEntry.objects.all()]
    for body in bodies:
        event = to_ocsf(body, index=3)
        OCSF.validate(event)
        assert event["type_uid"] == 600300 + event["activity_id"]


def test_the_schema_refuses_what_is_no_api_activity(tenant):
    with open_tenant(tenant.pk):
        event = to_ocsf(bytes(record(Act.SIGN_IN).body))
    for broken in (
        {**event, "activity_id": 77},
        {**event, "invented": 1},
        {k: v for k, v in event.items() if k != "api"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            OCSF.validate(broken)


def test_an_export_of_many_entries_needs_no_more_memory_than_one_of_few(tenant, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 20)
    _record(tenant, *(str(number) for number in range(400)))
    peaks = {}
    for limit in (40, 400):
        tracemalloc.start()
        for number, _piece in enumerate(
            stream_entries(tenant_id=tenant.pk, wanted=Wanted(), format=ExportFormat.OCSF)
        ):
            if number * 20 >= limit:
                break
        peaks[limit] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[400] < peaks[40] * 3  # ten times the entries


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_only_owners_and_security_officials_export(tenant, role):
    assert (
        sign_in(make_ready_person(role, tenant)).post("/audit/export/", {"format": "csv"}).status_code == 403
    )


def test_an_unknown_format_is_refused(client):
    assert client.post("/audit/export/", {"format": "exe"}).status_code == 400


def test_the_page_asks_for_the_format_and_names_the_filters(client):
    answer = client.get("/audit/export/?outcome=refused")
    assert re.search(rb"<dt>outcome</dt><dd>refused</dd>", answer.content)
