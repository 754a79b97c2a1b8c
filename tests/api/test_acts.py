"""Acts by machines: the register, connections, packages, grants, acknowledgements; each with a scope of its own."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.audit.events import Act
from accounts.clients.scopes import Scope
from accounts.models import AuditEntry
from accounts.tenancy.scope import open_tenant
from assessments.models import Acknowledgement, Package
from assessments.packages import services as packages
from tests.api.kit import make_machine
from tests.factories import make_tenant
from tests.notices.factories import make_parties, send
from tests.partnerships.factories import make_partnership

pytestmark = pytest.mark.django_db(transaction=True)


def do(machine, path: str, **body):
    return machine.ask("POST", path, json.dumps(body), Idempotency_Key=str(uuid4()))


def problem_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:surety:problem:")


def test_the_register_is_kept_by_a_machine(transactional_db):
    machine = make_machine(Scope.PARTNERS_READ, Scope.PARTNERS_WRITE)
    made = do(machine, "partners", reference="V-7", name="Northfield", maintains=True, reach="holds")
    assert made.status_code == 201, made.content
    assert made.json()["tier"] == 1
    where = made["Location"].removeprefix("/api/v1/")
    changed = do(machine, where, name="Northfield Billing")
    assert changed.json()["name"] == "Northfield Billing"
    assert machine.ask("GET", where).json() == {**changed.json(), "changed_at": changed.json()["changed_at"]}
    again = do(machine, "partners", reference="V-7", name="Another")
    assert problem_of(again) == (400, "invalid-input")
    assert again.json()["errors"][0]["pointer"] == "#/reference"
    assert do(machine, f"{where}/end").json()["ended_at"]
    assert problem_of(do(machine, f"{where}/end")) == (409, "conflict")
    assert [act for act, outcome in machine.entries() if outcome == "done"][1:3] == [
        Act.BUSINESS_ASSOCIATE_CREATE, Act.BUSINESS_ASSOCIATE_CHANGE,
    ]  # fmt: skip


def test_an_account_is_connected_with_an_external_id_of_the_portals_own(transactional_db):
    machine = make_machine(Scope.CONNECTIONS_READ, Scope.CONNECTIONS_WRITE)
    wanted = {"name": "Clinic", "aws_account_id": "111122223333", "regions": ["us-east-1"]}
    made = do(machine, "connections", **wanted)
    assert made.status_code == 201, made.content
    said = made.json()
    condition = said["trust_policy"]["Statement"][0]["Condition"]
    assert said["external_id"] in json.dumps(condition)
    assert said["external_id"] in said["cloudformation"]
    where = made["Location"].removeprefix("/api/v1/")
    assert "external_id" not in machine.ask("GET", where).json()
    assert do(machine, f"{where}/verify").json()["verifying"] is True
    assert problem_of(do(machine, "connections", **wanted)) == (400, "invalid-input")
    assert problem_of(do(machine, "connections", **{**wanted, "regions": ["moon-1"]})) == (
        400,
        "invalid-input",
    )
    assert do(machine, f"{where}/remove").json()["state"] == "removed"
    assert machine.ask("GET", where).status_code == 404


def test_a_package_is_asked_for_and_given_to_who_asked(transactional_db, monkeypatch):
    machine = make_machine(Scope.PACKAGES_CREATE, Scope.PACKAGES_READ, Scope.PACKAGES_EXPORT)
    made = do(machine, "packages", period_from="2026-01-01", period_to="2026-03-31", citations=["164.312(b)"])
    assert made.status_code == 201, made.content
    where = made["Location"].removeprefix("/api/v1/")
    assert machine.ask("GET", where).json()["state"] == "waiting"
    assert problem_of(machine.ask("GET", f"{where}/content")) == (409, "conflict")
    content = b"PK" + bytes(2000)
    later = timezone.now() + timedelta(days=1)
    with open_tenant(machine.tenant.pk):
        Package.objects.update(
            state="ready", keep_until=later, size=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
    monkeypatch.setattr(packages.vault, "open_stream", lambda *_a, **_k: iter([content[:9], content[9:]]))
    got = machine.ask("GET", f"{where}/content")
    assert (got.status_code, got["Content-Type"]) == (200, "application/zip")
    assert got.getvalue() == content
    other = make_machine(Scope.PACKAGES_EXPORT, tenant=machine.tenant)
    assert problem_of(other.ask("GET", f"{where}/content")) == (404, "not-found")
    assert machine.entries()[-1] == (Act.PACKAGE_DOWNLOAD, "done")
    backwards = do(machine, "packages", period_from="2026-02-01", period_to="2026-01-01")
    assert backwards.json()["errors"][0]["pointer"] == "#/period_to"


def test_a_notice_is_acknowledged_and_its_sender_knows_who_read_it(transactional_db):
    parties = make_parties()
    upstream, downstream = parties.hospitals[0], parties.associate
    send(parties)
    machine = make_machine(Scope.NOTICES_READ, Scope.NOTICES_ACKNOWLEDGE, tenant=upstream)
    sender = make_machine(Scope.NOTICES_READ, tenant=downstream)
    found = machine.ask("GET", "notices?closed=false").json()["data"]
    assert [row["side"] for row in found] == ["upstream"]
    assert found[0]["acknowledged_at"] is None
    assert machine.ask("GET", "notices?side=downstream").json()["data"] == []
    where = f"notices/{found[0]['id']}"
    assert problem_of(do(sender, f"{where}/acknowledge"))[0] == 403
    at = do(machine, f"{where}/acknowledge", note="Seen by the desk").json()["acknowledged_at"]
    assert at
    assert problem_of(do(machine, f"{where}/acknowledge")) == (409, "conflict")
    assert sender.ask("GET", where).json()["acknowledged_at"] == at
    with open_tenant(downstream.pk):
        told = AuditEntry.objects.filter(actor_kind="partner", actor_id=str(upstream.pk))
        assert {Act.NOTICE_LIST, Act.NOTICE_ACKNOWLEDGE} <= {entry.act for entry in told}
        assert Acknowledgement.received.get().note == "Seen by the desk"


HOSTILE = (
    '"\\ud800"', '"a\\u0000b"', '{"deep": 1}', "[1]", "null", "true", "1e400", "-1", '"' + "x" * 5000 + '"', '"\\u202e"',
)  # fmt: skip
"""JSON values that fit no field of a person's form, and some that do."""


def test_whatever_stands_in_a_field_is_kept_as_text_or_refused_at_its_place(transactional_db):
    machine = make_machine(Scope.PARTNERS_READ, Scope.PARTNERS_WRITE)
    fields = ("reference", "name", "services", "maintains", "volume", "contact_email")
    for field, value in itertools.product(fields, HOSTILE):
        said = {"reference": '"V-1"', "name": '"N"', field: value}
        body = "{" + ", ".join(f'"{name}": {each}' for name, each in said.items()) + "}"
        answer = machine.ask("POST", "partners", body, Idempotency_Key=str(uuid4()))
        assert answer.status_code in {201, 400}, (field, value, answer.content)
        if answer.status_code == 400:
            kind = answer.json()["type"].removeprefix("urn:surety:problem:")
            assert kind in {"invalid-input", "body-unreadable"}, (field, value)
    assert do(machine, "partners").json()["errors"] == [
        {"pointer": "#/reference", "detail": "This field is required."},
        {"pointer": "#/name", "detail": "This field is required."},
    ]


def test_a_body_is_taken_as_json_alone_and_never_unpacked(transactional_db):
    machine = make_machine(Scope.PARTNERS_WRITE)
    bomb = gzip.compress(b" " * (64 << 20), 1)
    packed = machine.ask("POST", "partners", bomb, Idempotency_Key="one", Content_Encoding="gzip")
    assert problem_of(packed) == (415, "unsupported-media-type")
    assert packed["Accept-Encoding"] == "identity"


def test_a_list_of_both_sides_is_walked_newest_first_without_doubles(transactional_db):
    middle = make_tenant()
    sides = {}
    for number in range(5):
        made = make_partnership(middle) if number % 2 else make_partnership(downstream=middle)
        sides[str(made.pk)] = "upstream" if number % 2 else "downstream"
    machine = make_machine(Scope.PARTNERS_READ, tenant=middle)
    found: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = machine.ask("GET", f"partnerships?limit=2{cursor and f'&cursor={cursor}'}").json()
        found += [(row["id"], row["side"]) for row in page["data"]]
        cursor = page["next"]
    assert found == sorted(sides.items(), reverse=True)
    only = machine.ask("GET", "partnerships?side=upstream&fields=id").json()["data"]
    assert [row["id"] for row in only] == sorted(
        (key for key in sides if sides[key] == "upstream"), reverse=True
    )
    page = machine.ask("GET", "partnerships?limit=1&side=upstream").json()
    other = machine.ask("GET", f"partnerships?limit=1&side=downstream&cursor={page['next']}")
    assert problem_of(other) == (400, "cursor-unfit")
