"""Withheld fields appear nowhere in a package, and the rest still proves itself."""

from __future__ import annotations

import io
import json
import zipfile
from uuid import UUID

import pytest

from accounts.tenancy.scope import open_tenant
from assessments.packages.contents import harmless
from assessments.packages.withholding import Withholding, values_in
from evidence import vault
from evidence.fields import cut
from evidence.models import Blob, Snapshot
from portal.demo.hospital import MERCY_LAKES_ACCOUNT_ID
from tests.assessments.packages.conftest import bytes_of
from tests.assessments.packages.test_package import verify

BUCKETS = "/calls/ListBuckets/*/response/Buckets/*/Name"


def _answers(hospital, collector: str) -> dict:
    with open_tenant(hospital.tenant.pk):
        snapshot = Snapshot.objects.select_related("blob").filter(collector=collector).latest("collected_at")
        return json.loads(vault.open_blob(snapshot.blob))


def _everything(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def names(vault_of) -> list[str]:
    return [
        bucket["Name"]
        for bucket in _answers(vault_of, "s3")["calls"]["ListBuckets"][""]["response"]["Buckets"]
    ]


def test_what_a_withheld_field_holds_stands_nowhere_and_the_package_still_verifies(make, names, tmp_path):
    package = make(withheld=[BUCKETS, "/account_id", "UserName"])
    files = _everything(bytes_of(package))
    assert names
    for canary in [*names, MERCY_LAKES_ACCOUNT_ID]:
        found = [name for name, content in files.items() if canary.encode() in content or canary in name]
        assert found == [], canary
    path = tmp_path / "package.zip"
    path.write_bytes(bytes_of(package))
    code, said = verify(tmp_path / "empty", path)
    assert code == 0, said
    assert package.contents["documents_with_withheld_fields"] > 0
    assert b"[withheld]" in files["safeguards/164.312(b)/findings.csv"]
    assert b"Names are nobody" in files["index.html"]


def test_the_digest_of_a_document_with_withheld_fields_is_not_told_so_that_guesses_can_not_be_tested(
    make, vault_of
):
    package = make(withheld=[BUCKETS])
    files = _everything(bytes_of(package))
    parted = [name.split("/")[1].split(".")[0] for name in files if name.endswith(".withheld.json")]
    assert parted
    with open_tenant(vault_of.tenant.pk):
        blobs = list(Blob.objects.filter(snapshots__in=[UUID(each) for each in parted]))
    for blob in blobs:
        for secret in (blob.digest, bytes(blob.salt).hex()):
            assert [name for name, content in files.items() if secret.encode() in content] == []


def test_documents_without_a_withheld_field_stay_as_they_are(make):
    package = make(withheld=[BUCKETS])
    names = _everything(bytes_of(package)).keys()
    whole = [name for name in names if name.startswith("evidence/") and not name.endswith(".withheld.json")]
    assert whole


def test_what_was_sealed_without_salted_fields_is_left_out_with_a_note_where_fields_are_withheld(
    make, vault_of, monkeypatch
):
    monkeypatch.setattr(
        "assessments.packages.contents._parts",
        lambda piece: piece.collector != "iam" and bool(piece.blob.salt),
    )
    monkeypatch.setattr(
        "assessments.packages.contents._unpartable",
        lambda piece: "it was sealed without salted fields" if piece.collector == "iam" else "",
    )
    package = make(withheld=[BUCKETS])
    files = _everything(bytes_of(package))
    assert package.contents["left_out"] == 1
    assert b"left out: it was sealed without salted fields" in files["index.html"]


def test_a_value_is_withheld_wherever_it_stands_and_a_short_one_only_where_it_was_chosen():
    documents = [{"Name": "records", "Arn": "arn:aws:s3:::records/x", "On": "yes"}, {"records": {"a": "yes"}}]
    withholding = Withholding(["Name", "On"], values_in(documents, ["Name", "On"]))
    hidden = [
        pointer
        for document in documents
        for pointer, value in cut(document)
        if withholding.hides(pointer, value)
    ]
    assert hidden == ["/Name", "/Arn", "/On", "/records/a"]
    assert withholding.text("bucket records: yes") == "bucket [withheld]: yes"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_csv_is_a_formula(cell):
    assert harmless(cell).startswith("'")
