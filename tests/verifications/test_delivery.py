"""A certified packet is signed once, reaches everybody whom it is for, proves itself offline, and is answered."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core import mail
from django.db import DatabaseError
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.audit.package import VERIFIER
from accounts.tenancy.scope import open_tenant
from assessments.models import Partnership, VerificationDelivery, VerificationPacket, VerificationReceipt
from assessments.verifications.services import delivering
from tests.accounts.factories import grow_stale, prove_again
from tests.factories import make_tenant
from tests.verifications.factories import (
    certify,
    deliver,
    deliver_new,
    delivery_to,
    draft,
    fresh,
    make_relation,
    review,
)

pytestmark = pytest.mark.django_db(transaction=True)


def verify(folder: Path, package: bytes, *options: str) -> tuple[int, str]:
    """The verifier in a folder that has nothing else, with nothing of ours to import."""
    folder.mkdir()
    (folder / "verify.py").write_bytes(VERIFIER.read_bytes())
    (folder / "package.zip").write_bytes(package)
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "package.zip", *options], cwd=folder, capture_output=True, text=True,
        env={}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def tampered(package: bytes, name: str, change) -> bytes:
    """The ZIP with one file changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry == name else data)
    return out.getvalue()


@pytest.fixture
def packet(parties, client_for) -> VerificationPacket:
    """Delivered to A and B; C was left out. Its officer was asked for both factors again before certifying."""
    made = draft(parties.associate, parties.officer)
    with open_tenant(parties.associate.pk):
        made.recipients.filter(partnership_id=parties.relations["C"].pk).delete()
    review(made, parties.officer)
    given = {"title": "CIO", "authority": "Board", "confirmed": "on"}
    client, path = grow_stale(client_for(parties.officer)), f"/verifications/{made.pk}/certify/"
    assert client.post(path, given).url.startswith("/step-up/")
    prove_again(client, parties.officer)
    assert client.get(path).status_code == 200
    assert client.post(path, given).url == f"/verifications/{made.pk}/"
    return deliver(made)


@pytest.fixture
def arrived(parties, packet) -> VerificationDelivery:
    return delivery_to(parties.entities["A"], packet.pk)


def test_the_signed_document_verifies_offline_and_one_changed_byte_is_refused(
    parties, packet, arrived, client_for, tmp_path
):
    client = client_for(parties.owners["A"])
    package = client.get(f"/verifications/received/{arrived.pk}/package.zip").content
    code, said = verify(tmp_path / "empty", package)
    assert code == 0, said
    who = parties.officer.email
    assert f"verification.pdf and verification.json are what {who} certified at" in said
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        pdf = archive.read("verification.pdf")
    assert client.get(f"/verifications/received/{arrived.pk}/document.pdf").content == pdf
    flipped = tampered(package, "verification.pdf", lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    code, said = verify(tmp_path / "changed", flipped)
    assert code == 1
    assert said.splitlines()[-1].startswith("REFUSED: verification.pdf was changed")


def test_a_document_that_is_signed_but_was_not_certified_is_refused(parties, packet, monkeypatch, tmp_path):
    from assessments.verifications import package

    with open_tenant(parties.associate.pk):
        document = packet.documents.get()
    document.pdf = bytes(document.pdf) + b"%"
    monkeypatch.setattr(package.VerificationDocument.objects, "get", lambda **_: document, raising=False)
    segment = delivering._segment(parties.associate.pk, packet)
    forged = package.package_bytes(tenant_id=parties.associate.pk, packet_id=packet.pk, segment=segment)
    code, said = verify(tmp_path / "forged", forged)
    assert code == 1
    assert said.splitlines()[-1] == (
        "REFUSED: verification.pdf is not the document that the log says was certified."
    )


def test_each_covered_entity_gets_the_same_document_with_its_own_scope(parties, client_for):
    made = draft(parties.associate, parties.officer)
    client = client_for(parties.officer)
    for name, scope in (("A", "Claims of A"), ("B", "Archive of B")):
        path = f"/verifications/{made.pk}/for/{parties.relations[name].pk}/"
        assert client.post(path, {"scope": scope, "included": "on"}).status_code == 302
    review(made, parties.officer)
    deliver(certify(made, parties.officer))
    got = {name: delivery_to(parties.entities[name], made.pk) for name in "AB"}
    assert got["A"].sha256 == got["B"].sha256
    assert got["A"].address == got["B"].address
    page = client_for(parties.owners["A"]).get(f"/verifications/received/{got['A'].pk}/").content.decode()
    assert "Claims of A" in page
    assert "Archive of B" not in page
    assert "Hospital B" not in page


def test_nobody_else_reads_a_delivery(parties, arrived, client_for):
    for person in (parties.owners["B"], parties.owners["C"], parties.officer):
        for rest in ("", "package.zip", "document.pdf"):
            assert client_for(person).get(f"/verifications/received/{arrived.pk}/{rest}").status_code == 404


def test_opening_it_is_the_receipt_and_stands_in_both_logs(parties, packet, arrived, client_for):
    client_for(parties.owners["A"]).get(f"/verifications/received/{arrived.pk}/")
    with open_tenant(parties.associate.pk):
        receipt = VerificationReceipt.received.get(delivery_id=arrived.pk)
        told = AuditEntry.objects.get(act="verification.read", object_id=str(arrived.pk))
        assert (receipt.answer, told.actor_kind, told.actor_name) == ("received", "partner", "Hospital A")
    with open_tenant(parties.entities["A"].pk):
        assert AuditEntry.objects.filter(act="verification.read", object_id=str(arrived.pk)).count() == 1


def test_it_is_refused_with_reasons_once_and_the_business_associate_reads_them(
    parties, packet, arrived, client_for
):
    client, path = client_for(parties.owners["A"]), f"/verifications/received/{arrived.pk}/answer/"
    assert client.post(path, {"answer": "refused", "reasons": " "}).status_code == 422
    assert client.post(path, {"answer": "refused", "reasons": "No backups in it."}).status_code == 302
    assert client.post(path, {"answer": "accepted"}).status_code == 409
    page = client_for(parties.officer).get(f"/verifications/{packet.pk}/").content.decode()
    assert "No backups in it." in page
    overview = " ".join(client_for(parties.officer).get("/verifications/").content.decode().split())
    assert "Refused: 1" in overview
    (line,) = client.get("/verifications/").context["their_page"]
    (row,) = client.get("/business-associates/").context["rows"]
    assert (str(line.standing), str(row.verification)) == ("refused", "refused")


def test_the_list_says_who_has_it_and_who_misses_it(parties, packet, client_for):
    page = client_for(parties.officer).get("/verifications/")
    standings = {line.partnership.upstream_name: str(line.standing) for line in page.context["page"]}
    assert standings == {"Hospital A": "received", "Hospital B": "received", "Hospital C": "overdue"}


def test_whom_it_left_out_gets_the_same_one_later(parties, packet, client_for):
    path = f"/verifications/{packet.pk}/deliver/{parties.relations['C'].pk}/"
    assert client_for(parties.officer).post(path, {"scope": "Late"}).status_code == 302
    deliver(packet)
    got = delivery_to(parties.entities["C"], packet.pk)
    assert (got.scope, got.package_sha256) == ("Late", fresh(packet).package_sha256)


def test_a_worker_that_is_rung_twice_signs_and_delivers_once(parties, packet):
    before = fresh(packet)
    deliver(packet)
    assert fresh(packet).package_sha256 == before.package_sha256
    with open_tenant(parties.associate.pk):
        assert VerificationDelivery.objects.filter(packet_id=packet.pk).count() == 2
        assert AuditEntry.objects.filter(act="verification.sign", object_id=str(packet.pk)).count() == 1


def test_the_next_one_takes_its_place_and_the_old_one_stays(parties, packet, arrived):
    newer = deliver_new(parties.associate, parties.officer)
    with open_tenant(parties.entities["A"].pk):
        states = dict(VerificationDelivery.received.values_list("packet_id", "state"))
    assert states == {packet.pk: "superseded", newer.pk: "current"}


def test_what_was_delivered_can_neither_be_changed_nor_taken_back(parties, packet, arrived):
    for change in ({"withdrawn_at": timezone.now()}, {"sha256": "0"}, {"shown_until": timezone.now()}):
        with pytest.raises(DatabaseError), open_tenant(parties.associate.pk):
            VerificationDelivery.objects.filter(pk=arrived.pk).update(**change)


def test_it_stays_with_the_covered_entity_when_the_relation_ends(parties, packet, arrived, client_for):
    with open_tenant(parties.entities["A"].pk):
        Partnership.objects.filter(pk=parties.relations["A"].pk).update(withdrawn_at=timezone.now())
    client = client_for(parties.owners["A"])
    assert client.get(f"/verifications/received/{arrived.pk}/package.zip").status_code == 200


def test_a_relation_that_ended_before_the_signature_gets_nothing(parties):
    made = draft(parties.associate, parties.officer)
    review(made, parties.officer)
    certify(made, parties.officer)
    with open_tenant(parties.entities["B"].pk):
        Partnership.objects.filter(pk=parties.relations["B"].pk).update(withdrawn_at=timezone.now())
    deliver(made)
    with open_tenant(parties.associate.pk):
        names = VerificationDelivery.objects.filter(packet_id=made.pk).values_list(
            "recipient_name", flat=True
        )
        assert set(names) == {"Hospital A", "Hospital C"}


def test_their_people_are_told_that_it_has_come_by_a_message_that_names_nobody(parties, packet):
    told = [each for each in mail.outbox if each.to == [parties.owners["A"].email]]
    assert [each.subject for each in told] == ["A business associate's verification has come"]
    assert "Cloud Billing" not in told[0].body
    assert f"/verifications/received/{delivery_to(parties.entities['A'], packet.pk).pk}/" in told[0].body


def test_a_packet_for_nobody_is_signed_and_waits(parties, client_for):
    alone = make_tenant("Alone", kind="business_associate")
    made = deliver_new(alone, parties.officer)
    assert (made.state, bool(made.signed_at)) == ("certified", True)
    assert make_relation(parties.entities["A"], alone)
