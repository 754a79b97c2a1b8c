"""Other tools' documents in a package, with receipts that its own verifier checks; what was held back stays out."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.packages.models import PackageState
from assessments.packages.services import Wanted, request_package
from evidence.submissions.quarantine import delete_held
from tests.accounts.factories import make_ready_person
from tests.assessments.packages.conftest import bytes_of, work_until
from tests.assessments.packages.test_package import verify
from tests.submissions.conftest import Pusher, ocsf, pusher

__all__ = ["pusher"]
pytestmark = pytest.mark.django_db(transaction=True)
Files = dict[str, bytes]


@pytest.fixture
def owner(pusher: Pusher, monkeypatch):
    monkeypatch.setattr("assessments.packages.services.ring_after_commit", lambda *_: None)
    return make_ready_person(Role.OWNER, pusher.machine.tenant)


def _package(pusher: Pusher, owner, **wanted) -> Files:
    today = timezone.now().date()
    terms = {"period_from": today - timedelta(days=7), "period_to": today, **wanted}
    with open_tenant(pusher.tenant_id):
        asked = request_package(wanted=Wanted(**terms), person=owner)
    made = work_until(asked, PackageState.READY, PackageState.FAILED)
    assert made.state == PackageState.READY, made.note
    with zipfile.ZipFile(io.BytesIO(bytes_of(made))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _refused(files: Files, tmp_path, *, start: str = "submissions/") -> str:
    """What the verifier says of the receipts once the manifest fits again: its own files are taken at their word."""
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return verify(tmp_path / "empty", path)[1]


def _push(pusher: Pusher):
    at = int((timezone.now() - timedelta(hours=2)).timestamp())
    document = [ocsf("a", "arn:one", at=at), ocsf("a", "=HYPERLINK(1)", "PASS", at=at)]
    good = pusher.push(document, name="../../nightly scan.JSON", citations="164.312(b)")
    held = pusher.push(
        b"patient,SSN 536-22-8726\n", format="document", name="note.txt", citations="164.312(b)"
    )
    refused = pusher.push(b"{", format="ocsf", citations="164.312(b)")
    gone = pusher.push(b"patient,SSN 536-22-8727\n", format="document", citations="164.312(b)")
    assert [each.state for each in (good, held, refused, gone)] == [
        "accepted", "quarantined", "refused", "quarantined",
    ]  # fmt: skip
    return good, held, refused, gone


def test_a_package_has_documents_with_receipts_and_of_deleted_ones_their_trace(pusher, owner, tmp_path):
    good, held, refused, gone = _push(pusher)
    with open_tenant(pusher.tenant_id):
        delete_held(submission_id=gone.pk, by=owner, reason="It holds what it should not.")
    files = _package(pusher, owner, citations=("164.312(b)",))
    said = _refused(files, tmp_path)
    assert "ACCEPTED" in said, said
    assert "1 documents of other tools are what their receipts say" in said
    assert "1 documents were received and deleted" in said
    document = files[f"submissions/{good.pk}/document.json"]
    assert hashlib.sha256(document).hexdigest() == good.digest
    about = json.loads(files[f"submissions/{good.pk}/receipt.json"])
    assert about["receipt"] == good.receipt
    listed = json.loads(files["submissions/deleted.json"])["deleted"]
    assert [(each["id"], each["sequence"]) for each in listed] == [(str(gone.pk), 4)]
    everything = b"\n".join(files.values()).decode(errors="replace")
    assert not any(
        each in everything for each in (str(held.pk), str(refused.pk), held.digest, refused.digest)
    )
    assert not any(each in everything for each in (gone.digest, gone.receipt, "536-22", "what it should not"))
    safeguard = json.loads(files["safeguards/164.312(b)/index.json"])
    assert (safeguard["status"], safeguard["documents"]) == ("not_satisfied", [about["document"]])
    assert ("prowler:a", "prowler") in {(each["id"], each["source"]) for each in safeguard["checks"]}
    rows = list(csv.DictReader(io.StringIO(files["safeguards/164.312(b)/findings.csv"].decode())))
    assert {row["arn"]: (row["outcome"], row["source"], row["document"]) for row in rows} == {
        "arn:one": ("FAIL", "prowler", about["document"]),
        "'=HYPERLINK(1)": ("PASS", "prowler", about["document"]),
    }
    assert "nightly scan" in files["index.html"].decode()
    elsewhere = _package(pusher, owner, citations=("164.312(d)",))
    withheld = _package(pusher, owner, withheld=("UserName",), withheld_reason="Names.")
    assert not any(name.startswith("submissions/") for name in elsewhere)
    assert "submissions/keys.json" not in withheld
    assert good.digest not in b"\n".join(withheld.values()).decode(errors="replace")
    assert "left out: fields are withheld" in withheld["index.html"].decode()


def _other_document(files: Files, folder: str) -> None:
    files[f"{folder}/document.json"] = files[f"{folder}/document.json"] + b" "


def _other_receipt(files: Files, folder: str) -> None:
    about = json.loads(files[f"{folder}/receipt.json"])
    header, payload, signature = about["receipt"].split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**said, "sequence": 9}).encode()).decode().rstrip("=")
    files[f"{folder}/receipt.json"] = json.dumps(
        {**about, "receipt": f"{header}.{forged}.{signature}"}
    ).encode()


def _no_receipt(files: Files, folder: str) -> None:
    del files[f"{folder}/receipt.json"]


def _other_key(files: Files, folder: str) -> None:
    keys = json.loads(files["submissions/keys.json"])
    keys["keys"][0]["x"] = base64.urlsafe_b64encode(b"\x01" * 32).decode().rstrip("=")
    files["submissions/keys.json"] = json.dumps(keys).encode()


def _invented_deletion(files: Files, folder: str) -> None:
    invented = {"deleted": [{"id": folder.split("/")[1], "sequence": 1}]}
    files["submissions/deleted.json"] = json.dumps(invented).encode()


WRONG = {
    _other_document: "is not the document that its receipt is for",
    _other_receipt: "the signature does not belong to the text",
    _no_receipt: "has no receipt in this package",
    _other_key: "the signature does not belong to the text",
    _invented_deletion: "no entry of the log says that document 1 was received and deleted",
}


def test_the_verifier_refuses_a_document_that_its_receipt_is_not_for(pusher, owner, tmp_path, monkeypatch):
    """Whoever signs the package again, with the log's key, still can't make the receipts fit."""
    good, *_rest = _push(pusher)
    files = _package(pusher, owner)
    program = tmp_path / "trusting.py"
    from accounts.audit.package import VERIFIER

    trusting = VERIFIER.read_text().replace(
        "same = (found.hexdigest(), count) == (digest, length)", "same = True"
    )
    trusting = trusting.replace('raise Refused(f"{name} is missing.")', "listed.pop(name)")
    trusting = trusting.replace('raise Refused(f"{name} was added', "listed[name] = ('', 1 << 40) #", 1)
    trusting = trusting.replace(
        "total += count", "total += count; listed[name] = (found.hexdigest(), count)"
    ).replace("in listed.items():\n        found, count", "in list(listed.items()):\n        found, count")
    program.write_text(trusting)
    monkeypatch.setattr("tests.assessments.packages.test_package.VERIFIER", program)
    for change, words in WRONG.items():
        changed = dict(files)
        change(changed, f"submissions/{good.pk}")
        assert words in _refused(changed, tmp_path), change.__name__
