"""From the end of an agreement to the proof: clock, answers, reviews, the certificate, and what outlasts the relation."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.db import DatabaseError
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.audit.package import VERIFIER
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.webhooks.events import EventType
from assessments.agreements.states import today
from assessments.exits.clocks import REMIND, next_reminder
from assessments.exits.duties import duties
from assessments.models import Exit, ExitCertificate, ExitProof
from assessments.partnerships.services import end_partnership, leave_partnership
from tests.accounts.factories import make_ready_person
from tests.agreements.factories import PDF, in_days, make_agreement
from tests.exits.factories import (
    ENDED,
    accept_all,
    answer_all,
    begin,
    run_due,
    sign,
)
from tests.factories import make_tenant
from tests.partnerships.factories import make_associate
from tests.webhooks.kit import add_endpoint, told

pytestmark = pytest.mark.django_db(transaction=True)
CERTIFY = {"title": "CIO", "authority": "Board, 3 March 2026", "confirmed": "on"}


def _certified(exit_: Exit, tenant) -> ExitCertificate:
    with open_tenant(tenant.pk):
        return ExitCertificate.objects.filter(exit_id=exit_.pk).latest("certified_at")


def _page(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def _acts(tenant) -> list[str]:
    with open_tenant(tenant.pk):
        return list(AuditEntry.objects.filter(act__startswith="exit.").values_list("act", flat=True))


def _verify(folder: Path, package: bytes) -> tuple[int, str]:
    folder.mkdir()
    (folder / "verify.py").write_bytes(VERIFIER.read_bytes())
    (folder / "package.zip").write_bytes(package)
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "package.zip"], cwd=folder, capture_output=True, text=True, env={},
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_agreements_days_give_the_day_and_without_a_number_the_page_says_so(parties, hospital):
    associate = parties.partnership.associate_id
    path = f"/business-associates/{associate}/exit/"
    assert "60 days: no number agreed: 60 days are assumed" in _page(hospital, path)
    with open_tenant(parties.upstream.pk):
        entry = parties.partnership.associate
    make_agreement(parties.upstream, associate=entry, return_days=30, ends_on=in_days(-3))
    assert "30 days: the agreement" in _page(hospital, path)
    page = _page(hospital, f"/exits/new/{associate}/")
    assert f'value="{in_days(-2).isoformat()}"' in page
    exit_ = begin(parties, hospital, runs_from=in_days(-2).isoformat())
    assert exit_.due_at == datetime.combine(today() + timedelta(days=28), time(23, 59, 59), UTC)
    assert hospital.post(f"/exits/new/{associate}/", ENDED).status_code == 409


def test_each_system_that_is_named_becomes_an_item(parties, hospital, vendor):
    exit_ = begin(parties, hospital, systems="Claims store\n\nNight  archive")
    page = _page(vendor, f"/exits/received/{exit_.pk}/")
    assert "PHI in Claims store" in page
    assert "PHI in Night archive" in page
    assert "PHI in its systems" not in page


def test_the_business_associate_is_told_and_both_sides_are_reminded_until_it_is_closed(parties, hospital):
    mail.outbox.clear()
    exit_ = begin(parties, hospital)
    assert [message.to for message in mail.outbox] == [[parties.officer.email]]
    assert f"/exits/received/{exit_.pk}/" in mail.outbox[0].body
    assert "Mercy Lakes" not in mail.outbox[0].body
    due = exit_.due_at
    moments = [timedelta(days=-40), timedelta(days=-7), timedelta(days=-1), timedelta(0), timedelta(days=9)]
    told = [next_reminder(due, due + each) - due for each in moments]
    assert told == [timedelta(days=each) for each in (-7, -1, 0, 7, 14)]
    mail.outbox.clear()
    for tenant in (parties.upstream, parties.downstream):
        assert run_due(tenant, REMIND, exit_.pk)
    assert mail.outbox == []  # 60 days ahead there is nothing to say
    begun = [str(each.title) for each in _duties(parties.upstream, due)]
    assert begun == ["Proof that Cloud Billing returned or destroyed PHI"]
    assert [each.title for each in _duties(parties.downstream, due)] == [
        "Return or destroy the PHI of Mercy Lakes"
    ]


def _duties(tenant, due):
    with open_tenant(tenant.pk):
        return list(duties(due - timedelta(hours=1), due + timedelta(hours=1)))


def test_a_passed_day_is_overdue_on_both_sides_and_mailed_to_both(parties, hospital, vendor):
    exit_ = begin(parties, hospital, runs_from=in_days(-61).isoformat())
    for client, path in ((hospital, f"/exits/{exit_.pk}/"), (vendor, f"/exits/received/{exit_.pk}/")):
        assert "overdue" in _page(client, path)
    mail.outbox.clear()
    for tenant, person in ((parties.upstream, parties.asker), (parties.downstream, parties.officer)):
        assert run_due(tenant, REMIND, exit_.pk)
        assert mail.outbox[-1].to == [person.email]
        assert "overdue" in mail.outbox[-1].subject


@pytest.mark.parametrize("page", ["received", "by hand"])
def test_an_answer_says_what_the_rule_asks_for(world, page):
    exit_, hospital, vendor = world
    cases = [
        ("backups", {"said": "not_feasible", "reason": "Tapes are mixed."}, 422),
        (
            "backups",
            {"said": "not_feasible", "reason": "Tapes are mixed.", "protections": "Locked away."},
            302,
        ),
        ("media", {"said": "not_applicable"}, 422),
        ("media", {"said": "not_applicable", "reason": "There were none."}, 302),
        ("media", {"said": "destroyed"}, 422),
        ("media", {"said": "destroyed", "on": "2099-01-01"}, 422),
        ("media", {"said": "done", "on": "2026-01-01"}, 422),
        ("nothing", {"said": "done", "on": "2026-01-01"}, 404),
    ]
    for key, said, status in cases:
        if page == "received":
            answer = vendor.post(f"/exits/received/{exit_.pk}/items/{key}/", said)
        else:
            answer = hospital.post(f"/exits/{exit_.pk}/items/{key}/record/", said)
        assert answer.status_code == status, (key, said)


@pytest.fixture
def world(parties, hospital, vendor):
    return begin(parties, hospital), hospital, vendor


def test_more_is_asked_for_and_given_and_what_was_said_before_stays(parties, world):
    exit_, hospital, vendor = world
    path = f"/exits/received/{exit_.pk}/items/media/"
    assert (
        vendor.post(path, {"said": "destroyed", "on": ENDED["runs_from"], "how": "Shredded"}).status_code
        == 302
    )
    assert "Shredded" in _page(hospital, f"/exits/{exit_.pk}/")
    review = f"/exits/{exit_.pk}/items/media/review/"
    assert hospital.post(review, {"verdict": "more"}).status_code == 422
    mail.outbox.clear()
    assert hospital.post(review, {"verdict": "more", "words": "By whom?"}).status_code == 302
    assert mail.outbox[0].to == [parties.officer.email]
    assert "By whom?" in _page(vendor, f"/exits/received/{exit_.pk}/")
    vendor.post(path, {"said": "destroyed", "on": ENDED["runs_from"], "how": "Shredded by Iron Works"})
    assert "to be reviewed" in _page(hospital, f"/exits/{exit_.pk}/")
    assert hospital.post(review, {"verdict": "accepted"}).status_code == 302
    with open_tenant(parties.upstream.pk):
        assert ExitProof.received.filter(exit_id=exit_.pk).count() == 2
    for tenant in (parties.upstream, parties.downstream):
        assert {"exit.begin", "exit.answer", "exit.review", "exit.read"} <= set(_acts(tenant))


def test_the_certificate_verifies_offline_and_outlasts_the_partnership(parties, world, tmp_path):
    exit_, hospital, vendor = world
    for tenant in (parties.upstream, parties.downstream):
        add_endpoint(tenant, "https://127.0.0.1:1999/", EventType.EXIT_CERTIFIED, EventType.EXIT_CLOSED)
    certify = f"/exits/received/{exit_.pk}/certify/"
    assert vendor.post(certify, CERTIFY).status_code == 409  # nothing is answered
    answer_all(exit_, vendor)
    assert vendor.post(certify, CERTIFY).status_code == 302
    row = _certified(exit_, parties.downstream)
    assert row.complete
    assert row.kept_until.year == timezone.now().year + 6
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 409  # nothing is accepted
    accept_all(exit_, hospital)
    with open_tenant(parties.upstream.pk):
        end_partnership(associate_id=parties.partnership.associate_id, reason="It is over.")
    sign(parties.downstream, row.pk)
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 302
    package = hospital.get(f"/exits/certificates/{row.pk}/package.zip").content
    code, said = _verify(tmp_path / "right", package)
    assert code == 0, said
    for tenant, side in ((parties.upstream, "upstream"), (parties.downstream, "downstream")):
        heard = [(event, data["side"]) for event, data in told(tenant)]
        assert sorted(heard) == [("exit.certified", side), ("exit.closed", side)]
    assert f"certificate.pdf and certificate.json are what {parties.officer.email} certified at" in said
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        pdf = archive.read("certificate.pdf")
    for client, path in ((hospital, f"/exits/{exit_.pk}/"), (vendor, f"/exits/received/{exit_.pk}/")):
        assert row.pdf_sha256 in _page(client, path)
        assert client.get(f"/exits/certificates/{row.pk}/document.pdf").content == pdf
        assert "closed" in _page(client, "/exits/")
    code, said = _verify(tmp_path / "wrong", _changed(package))
    assert code == 1
    assert said.splitlines()[-1].startswith("REFUSED: certificate.pdf was changed")
    assert vendor.post(f"/exits/received/{exit_.pk}/items/media/", {"said": "returned"}).status_code == 409


def _changed(package: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, data[:-1] + bytes([data[-1] ^ 1]) if entry == "certificate.pdf" else data)
    return out.getvalue()


def test_an_exit_begins_and_goes_on_when_the_partnership_has_ended_already(parties, hospital, vendor):
    with open_tenant(parties.upstream.pk):
        end_partnership(associate_id=parties.partnership.associate_id, reason="It is over.")
    exit_ = begin(parties, hospital)
    assert "Mercy Lakes" in _page(vendor, "/exits/")
    said = {"said": "done", "on": ENDED["runs_from"], "how": "Closed on the last day"}
    assert vendor.post(f"/exits/received/{exit_.pk}/items/access/", said).status_code == 302
    assert "Closed on the last day" in _page(hospital, f"/exits/{exit_.pk}/")


def test_what_was_certified_cannot_be_changed_taken_back_or_hidden(parties, world):
    exit_, hospital, vendor = world
    answer_all(
        exit_, vendor, keys={"said": "not_feasible", "reason": "Shared key.", "protections": "Locked."}
    )
    assert vendor.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY).status_code == 302
    row = _certified(exit_, parties.downstream)
    assert not row.complete
    for change in ({"withdrawn_at": timezone.now()}, {"content": "{}"}, {"shown_until": timezone.now()}):
        with pytest.raises(DatabaseError), open_tenant(parties.downstream.pk):
            ExitCertificate.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError), open_tenant(parties.upstream.pk):
        Exit.objects.filter(pk=exit_.pk).update(withdrawn_at=timezone.now())
    with open_tenant(parties.downstream.pk):
        leave_partnership(partnership_id=parties.partnership.pk, reason="We stop.")
    assert "incomplete" in _page(hospital, f"/exits/{exit_.pk}/")
    accept_all(exit_, hospital)
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 422
    # An answer after the certificate: what was certified is no longer what is said.
    vendor.post(f"/exits/received/{exit_.pk}/items/keys/", {"said": "destroyed", "on": ENDED["runs_from"]})
    hospital.post(f"/exits/{exit_.pk}/items/keys/review/", {"verdict": "accepted"})
    answer = hospital.post(f"/exits/{exit_.pk}/close/", {"note": "As agreed."})
    assert answer.status_code == 409
    assert "certified anew" in answer.content.decode()
    assert vendor.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY).status_code == 302
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 302


def test_nobody_else_reads_an_exit_or_its_certificate(parties, world, client_for):
    exit_, _hospital, vendor = world
    answer_all(exit_, vendor)
    vendor.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY)
    row = _certified(exit_, parties.downstream)
    stranger = client_for(make_ready_person(tenant=make_tenant()))
    for path in (
        f"/exits/{exit_.pk}/", f"/exits/received/{exit_.pk}/", f"/exits/certificates/{row.pk}/document.pdf",
    ):  # fmt: skip
        assert stranger.get(path).status_code == 404
    assert vendor.get(f"/exits/{exit_.pk}/").status_code == 404
    official = client_for(make_ready_person(Role.SECURITY_OFFICIAL, parties.downstream))
    assert official.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY).status_code == 403


def test_a_business_associate_without_a_tenant_is_written_down_by_hand(parties, hospital):
    associate = make_associate(parties.upstream, name="Shred Works")
    mail.outbox.clear()
    assert hospital.post(f"/exits/new/{associate.pk}/", ENDED).status_code == 302
    assert mail.outbox == []
    with open_tenant(parties.upstream.pk):
        exit_ = Exit.objects.get()
    assert "isn't a tenant here" in _page(hospital, f"/exits/{exit_.pk}/")
    for item in exit_.items:
        said = {"said": item["answers"][0], "on": ENDED["runs_from"]}
        assert hospital.post(f"/exits/{exit_.pk}/items/{item['key']}/record/", said).status_code == 302
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 409  # no certificate yet
    paper = {
        "certified_by": "Edda Stone", "certified_on": ENDED["runs_from"], "reference": "SW-17",
        "document": io.BytesIO(PDF),
    }  # fmt: skip
    assert hospital.post(f"/exits/{exit_.pk}/paper/", paper).status_code == 302
    page = _page(hospital, f"/exits/{exit_.pk}/")
    assert "SW-17" in page
    link = next(each for each in page.split('"') if each.endswith("/document/"))
    assert hospital.get(link).content == PDF
    assert hospital.post(f"/exits/{exit_.pk}/close/", {"note": ""}).status_code == 302
    assert "On paper" in _page(hospital, f"/exits/{exit_.pk}/")
    assert link in _page(hospital, f"/business-associates/{associate.pk}/documents/")
