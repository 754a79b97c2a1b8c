"""A machine pushes a document: receipt, what became of it, findings and statuses."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from accounts.tenancy.scope import open_tenant
from evidence import vault
from evidence.models import Blob, Submission
from tests.submissions.conftest import Pusher, ocsf


def test_a_pushed_document_is_receipted_read_and_weighs(pusher: Pusher):
    document = [
        ocsf("cloudtrail_off", "arn:aws:cloudtrail:x"),
        ocsf("cloudtrail_off", "arn:aws:cloudtrail:y", "PASS"),
    ]
    row = pusher.push(document, name="prowler.json", stream="nightly")
    assert (row.state, row.problem) == ("accepted", "")
    assert (row.format, row.producer, row.counts["outcomes"], row.counts["opened"]) == (
        "ocsf",
        "Prowler",
        2,
        2,
    )
    found = pusher.findings()
    assert {key[1]: said[0] for key, said in found.items()} == {
        "arn:aws:cloudtrail:x": "FAIL", "arn:aws:cloudtrail:y": "PASS",
    }  # fmt: skip
    assert {key[0] for key in found} == {"prowler:cloudtrail_off"}
    assert pusher.status("164.312(b)") == "not_satisfied"


def test_the_receipt_verifies_with_the_published_keys(pusher: Pusher, client):
    body = json.dumps([ocsf("a", "r")]).encode()
    said = pusher.post(body).json()
    keys = KeySet.import_key_set(client.get("/api/v1/receipt-keys").json())
    token = jws.deserialize_compact(said["receipt"], keys, algorithms=["Ed25519"])
    payload = json.loads(token.payload)
    for name in ("id", "tenant", "sequence", "size", "digest"):
        assert payload[name] == said[name]
    assert payload["digest"] == hashlib.sha256(body).hexdigest()


def test_a_repetition_gets_the_same_receipt_and_keeps_nothing_more(pusher: Pusher):
    body = json.dumps([ocsf("a", "r")]).encode()
    first, second = pusher.post(body, key="k-1"), pusher.post(body, key="k-1")
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    other = pusher.post(json.dumps([ocsf("b", "r")]).encode(), key="k-1")
    assert other.json()["type"] == "urn:surety:problem:idempotency-key-reused"
    with open_tenant(pusher.tenant_id):
        assert Submission.objects.count() == 1


def test_the_document_is_evidence_that_opens_again(pusher: Pusher):
    body = json.dumps([ocsf("a", "r")]).encode()
    row = pusher.push(body)
    again = pusher.push(body)
    with open_tenant(pusher.tenant_id):
        blob = Blob.objects.get(digest=row.digest)
        assert vault.open_blob(blob) == body
        assert b"".join(vault.stream_blob(blob)) == body
        assert Submission.objects.get(pk=again.pk).blob_id == blob.pk
    assert [row.sequence, again.sequence] == [1, 2]


def test_a_document_that_did_not_arrive_as_it_was_sent_is_refused(pusher: Pusher):
    right = base64.b64encode(hashlib.sha256(b"[]").digest()).decode()
    answer = pusher.post(b"[] ", headers={"Content-Digest": f"sha-256=:{right}:"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:surety:problem:digest-mismatch")
    for wrong in ("sha-256=x", "md5=:AAAA:"):
        assert pusher.post(b"[]", headers={"Content-Digest": wrong}).status_code == 400
    assert pusher.post(b"").status_code == 400
    with open_tenant(pusher.tenant_id):
        assert not Submission.objects.exists()


def test_what_is_said_about_a_document_is_checked_before_it_is_read(pusher: Pusher):
    for query in (
        {"citations": "164.999(z)"}, {"format": "nonsense"}, {"complete": "perhaps"}, {"effective_to": "yesterday"},
        {"effective_from": "2026-03-02T00:00:00Z", "effective_to": "2026-03-01T00:00:00Z"}, {"colour": "red"},
    ):  # fmt: skip
        answer = pusher.post(b"[]", **query)
        assert answer.status_code == 400, query
        assert answer["Content-Type"] == "application/problem+json"
    assert pusher.post(b"[]", headers={"Content-Encoding": "gzip"}).status_code == 415


def test_one_bad_statement_refuses_the_whole_with_its_place(pusher: Pusher):
    row = pusher.push([ocsf("a", "r"), {"class_uid": 1}])
    assert row.state == "refused"
    assert "/1/class_uid" in row.problem
    assert not pusher.findings()
    assert bytes(row.wrapped_key) == b""


@pytest.mark.parametrize(
    ("second", "limit"),
    [
        (ocsf("b", "s"), "MOST_NAMED"),
        (ocsf("a", "s", account="444455556666"), "MOST_NAMED"),
        (ocsf("a", "s"), "MOST_OUTCOMES"),
    ],
    ids=["checks", "accounts", "outcomes"],
)
def test_a_document_that_says_too_much_is_refused(
    pusher: Pusher, second: dict[str, Any], limit: str, monkeypatch: pytest.MonkeyPatch
):
    document = [ocsf("a", "r"), second]
    monkeypatch.setattr(f"assessments.submitted.processing.{limit}", 1)
    row = pusher.push(document)
    assert (row.state, "send it in parts" in row.problem) == ("refused", True)
    monkeypatch.setattr(f"assessments.submitted.processing.{limit}", 2)
    assert pusher.push(document).state == "accepted"


def test_a_later_document_changes_what_an_older_one_never_does(pusher: Pusher):
    pusher.push([ocsf("a", "r", "FAIL", at=2_000), ocsf("a", "s", "PASS", at=2_000)])
    late = pusher.push([ocsf("a", "r", "PASS", at=1_000)])
    assert late.counts["changed"] == 0
    assert pusher.findings()["prowler:a", "r"][0] == "FAIL"
    pusher.push([ocsf("a", "r", "PASS", at=3_000)])
    assert pusher.findings()["prowler:a", "r"][0] == "PASS"
    assert pusher.status("164.312(b)") != "not_satisfied"


def test_a_complete_document_ends_what_it_does_not_have(pusher: Pusher):
    pusher.push([ocsf("a", "r"), ocsf("a", "s")], effective_to="2026-03-01T00:00:00Z", complete="true")
    row = pusher.push([ocsf("a", "s")], effective_to="2026-03-02T00:00:00Z", complete="true")
    assert row.counts["gone"] == 1
    assert {key[1]: said[2] for key, said in pusher.findings().items()} == {"r": True, "s": False}
    # What comes late and is older than a complete document stays gone.
    pusher.push([ocsf("a", "t")], effective_to="2026-03-01T12:00:00Z", complete="true")
    assert pusher.findings()["prowler:a", "t"][2]


def test_streams_of_one_tool_do_not_speak_of_each_others_findings(pusher: Pusher):
    pusher.push([ocsf("a", "r")], stream="east")
    pusher.push([ocsf("a", "r", "PASS")], stream="west", complete="true")
    with open_tenant(pusher.tenant_id):
        assert Submission.objects.values("stream").distinct().count() == 2
    assert pusher.status("164.312(b)") == "not_satisfied"


def test_what_cites_nothing_counts_for_what_the_sender_names(pusher: Pusher):
    pusher.push([ocsf("a", "r", citations=())], citations="164.312(c)(1)")
    assert pusher.status("164.312(c)(1)") == "not_satisfied"


def test_a_document_with_identifiers_is_held_back(pusher: Pusher):
    row = pusher.push([ocsf("a", "r", message="Patient: John Smith, SSN 536-90-4399, MRN: 12345678")])
    assert row.state == "quarantined"
    assert row.found
    assert not pusher.findings()
    assert "536-90" not in json.dumps(row.found)
