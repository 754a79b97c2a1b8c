"""Versions of an agreement as a compliance officer meets them: documents, amendments, history that stays."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

from accounts.audit.models import AuditEntry
from accounts.errors import Conflict
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements import waiting
from assessments.agreements.documents import DOCX, Document, sniff
from assessments.agreements.models import VersionKind
from assessments.agreements.services import NewVersion, add_version, terms_of
from assessments.agreements.terms import LAW_HOURS, Terms
from assessments.agreements.waiting import waiting_versions
from assessments.models import Agreement, AgreementVersion, Timer
from tasks.timers import HANDLERS
from tests.accounts.factories import make_ready_person, sign_in
from tests.agreements.factories import PDF, in_days, make_agreement, make_docx, terms
from tests.factories import make_person
from tests.partnerships.factories import make_associate

pytestmark = pytest.mark.django_db(transaction=True)
HERS = {"kind": "signed", "signed_on": "2026-01-05", "effective_from": "2026-01-05", "breach_hours": "3 days"}


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _posted(client, path: str, document: bytes | None = None, name: str = "baa.pdf", **fields: str):
    given = {**fields, **({"document": SimpleUploadedFile(name, document)} if document is not None else {})}
    return client.post(path, given, follow=True)


def _only(tenant) -> Agreement:
    with open_tenant(tenant.pk):
        return Agreement.objects.with_state().get()


def _amend(agreement, kind=VersionKind.AMENDMENT, **fields) -> AgreementVersion:
    given = {"signed_on": in_days(0), "effective_from": in_days(0), **fields}
    with open_tenant(agreement.tenant_id):
        return add_version(agreement_id=agreement.pk, new=NewVersion(kind, terms(**given)), by=make_person())


def test_an_agreement_is_recorded_with_its_document_and_only_given_out_as_a_file(
    official, tenant, vault_directory
):
    associate = make_associate(tenant)
    answer = _posted(official, f"/agreements/new/{associate.pk}/", PDF, "..\\x\u202efdp.pdf", **HERS)
    assert b"Version 1: signed agreement" in answer.content
    agreement = _only(tenant)
    assert agreement.breach_hours == 72
    with open_tenant(tenant.pk):
        version = AgreementVersion.objects.select_related("blob").get()
    assert version.file_name == "xfdp.pdf"
    assert version.blob.digest.encode() in answer.content
    stored = b"".join(each.read_bytes() for each in vault_directory.rglob("*") if each.is_file())
    assert stored and b"an agreement" not in stored
    got = official.get(f"/agreements/{agreement.pk}/versions/{version.pk}/document/")
    assert (got.content, got["Content-Type"]) == (PDF, "application/pdf")
    assert got["Content-Disposition"] == 'attachment; filename="agreement-version-1.pdf"'
    with open_tenant(tenant.pk):
        acts = set(AuditEntry.objects.filter(object_id=str(agreement.pk)).values_list("act", flat=True))
    assert {"agreement.create", "agreement.read", "agreement.download"} <= acts


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", b"The file is empty"), (b"<html>", b"neither a PDF nor a DOCX"), (b"PK\x03\x04 nothing", b"can&#x27;t be read"),
        (b"%PDF-" + b"x" * (10 << 20), b"larger than 10 MB"), (make_docx("word/vbaProject.bin"), b"macros"),
    ],
    ids=["empty", "markup", "torn", "large", "macros"],
)  # fmt: skip
def test_what_is_no_agreement_is_refused_at_its_field_and_nothing_is_kept(official, tenant, document, said):
    answer = _posted(official, f"/agreements/new/{make_associate(tenant).pk}/", document, **HERS)
    assert answer.status_code == 422
    assert said in answer.content
    with open_tenant(tenant.pk):
        assert not Agreement.objects.exists()


def test_a_docx_is_known_by_what_is_in_it():
    assert sniff(make_docx()) == DOCX


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signed_on": ""}, b"Say when it was signed"), ({"ends_on": "2026-01-01"}, b"last day comes before"),
        ({"renews": "on"}, b"Say when its term ends"), ({"breach_hours": "soon"}, b"as hours or days"),
        ({"signed_on": "2150-01-01"}, b"still to come"), ({"ends_on": "0001-01-01"}, b"greater than or equal"),
        ({"kind": "draft"}, b"A draft isn&#x27;t signed"), ({"kind": "amendment"}, b"Select a valid choice"),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_said_at_their_field(official, tenant, wrong, said):
    answer = _posted(official, f"/agreements/new/{make_associate(tenant).pk}/", **{**HERS, **wrong})
    assert answer.status_code == 422
    assert said in answer.content


def test_all_that_is_wrong_with_a_version_is_said_at_once(official, tenant):
    wrong = {"breach_hours": "soon", "signed_on": "", "effective_from": "2026-05-01", "ends_on": "2026-01-01"}
    answer = _posted(official, f"/agreements/new/{make_associate(tenant).pk}/", b"words", **{**HERS, **wrong})
    for said in (
        b"72 hours, 3 days.",
        b"neither a PDF nor a DOCX",
        b"when it was signed",
        b"before the first",
    ):
        assert said in answer.content


def test_numbers_longer_than_law_are_warned_about_and_bind_nobody(official, tenant):
    associate = make_associate(tenant)
    answer = _posted(
        official, f"/agreements/new/{associate.pk}/", **{**HERS, "breach_hours": "90 days", "incident_hours": "100"}
    )  # fmt: skip
    assert b"60 days at most" in answer.content
    assert b"more than 72 hours is long" in answer.content
    with open_tenant(tenant.pk):
        bind = terms_of(associate.pk)
    assert (bind.breach_hours, bind.incident_hours, bind.agreed) == (
        LAW_HOURS,
        100,
        frozenset({"incident_hours"}),
    )
    assert "164.410(b)" in bind.why("breach_hours")


def test_without_a_signed_agreement_the_laws_own_numbers_bind(tenant):
    draft = make_agreement(tenant, kind=VersionKind.DRAFT, breach_hours=5)
    with open_tenant(tenant.pk):
        assert terms_of(make_associate(tenant).pk) == Terms()
        assert terms_of(draft.associate_id).breach_hours == LAW_HOURS


def test_a_draft_goes_through_negotiation_to_its_signature_and_each_version_stays(official, tenant):
    agreement = make_agreement(tenant, kind=VersionKind.DRAFT, incident_hours=72)
    page = f"/agreements/{agreement.pk}/"
    assert b"In negotiation" in official.post(f"{page}stage/", {"stage": "negotiation"}, follow=True).content
    _posted(official, f"{page}versions/new/", kind="draft", summary="Their redline", incident_hours="48")
    answer = _posted(official, f"{page}versions/new/", make_docx(), "s.docx", **{**HERS, "kind": "signed"})
    assert b"Their redline" in answer.content
    assert official.post(f"{page}stage/", {"stage": "draft"}).status_code == 409
    with open_tenant(tenant.pk):
        versions = AgreementVersion.objects.filter(agreement=agreement).order_by("number")
        assert [(each.number, each.kind, each.incident_hours) for each in versions] == [
            (1, "draft", 72), (2, "draft", 48), (3, "signed", None),
        ]  # fmt: skip


def test_a_version_is_never_changed_not_even_past_the_application(tenant):
    agreement = make_agreement(tenant)
    with open_tenant(tenant.pk):
        version = AgreementVersion.objects.get(agreement=agreement)
        with pytest.raises(TypeError):
            version.save()
        for statement in ("update {} set breach_hours = 1 where id = %s", "delete from {} where id = %s"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement.format("assessments_agreementversion"), [version.pk])


def test_an_amendment_changes_the_terms_and_keeps_the_beginning(tenant):
    agreement = make_agreement(tenant, breach_hours=120, ends_on=in_days(100))
    _amend(agreement, breach_hours=48, ends_on=in_days(800))
    now = _only(tenant)
    assert (now.breach_hours, now.last_on, now.effective_from) == (48, in_days(800), in_days(-365))
    assert (now.version, now.terms_version) == (2, 2)


def test_an_amendment_of_a_later_day_binds_from_that_day_but_renews_at_once(tenant, time_machine):
    agreement = make_agreement(tenant, breach_hours=120, ends_on=in_days(20))
    _amend(agreement, VersionKind.RENEWAL, breach_hours=48, ends_on=in_days(400), effective_from=in_days(21))
    now = _only(tenant)
    assert (now.breach_hours, now.last_on) == (120, in_days(400))
    day = in_days(21)
    with open_tenant(tenant.pk):
        assert [each.number for each in waiting_versions(now)] == [2]
        timer = Timer.objects.get(kind=waiting.TIMER, row_id=agreement.pk)
    assert timer.due_at == datetime.combine(day, time(), UTC)
    time_machine.move_to(timer.due_at + timedelta(seconds=1), tick=False)
    with open_tenant(tenant.pk):
        assert HANDLERS[waiting.TIMER](agreement.pk) is None
        assert terms_of(agreement.associate_id).breach_hours == 48


def test_a_terminated_agreement_takes_no_version_and_gives_place_to_the_next(official, tenant):
    agreement = make_agreement(tenant)
    page = f"/agreements/{agreement.pk}/"
    before = {"terminated_on": str(in_days(-500)), "reason": "Moved"}
    assert b"before it took effect" in official.post(f"{page}terminate/", before).content
    answer = official.post(
        f"{page}terminate/", {"terminated_on": str(in_days(0)), "reason": "Moved"}, follow=True
    )
    assert b"Terminated: Moved" in answer.content
    assert official.get(f"{page}versions/new/").status_code == 409
    make_agreement(tenant, associate=agreement.associate)
    with open_tenant(tenant.pk):
        current = list(Agreement.objects.values_list("is_current", flat=True).order_by("created_at"))
    assert current == [False, True]


def test_a_business_associate_has_one_agreement_at_a_time(tenant):
    agreement = make_agreement(tenant)
    with pytest.raises(Conflict, match="has an agreement already"):
        make_agreement(tenant, associate=agreement.associate)


def test_equal_documents_are_kept_once(tenant):
    agreement = make_agreement(tenant, document=Document("a.pdf", PDF))
    other = make_agreement(tenant, document=Document("b.pdf", PDF))
    with open_tenant(tenant.pk):
        blobs = {AgreementVersion.objects.get(agreement=each).blob_id for each in (agreement, other)}
    assert len(blobs) == 1


def test_a_viewer_reads_and_changes_nothing(tenant):
    agreement, viewer = make_agreement(tenant), sign_in(make_ready_person(Role.VIEWER, tenant))
    page = f"/agreements/{agreement.pk}/"
    assert viewer.get(page).status_code == 200
    assert b"Terminate" not in viewer.get(page).content
    assert viewer.get(f"{page}versions/new/").status_code == 403
    assert viewer.post(f"{page}clauses/", {"clause": "report", "answer": "present"}).status_code == 403


def test_the_list_puts_what_ends_first_before_what_has_no_end(official, tenant):
    for name, days in (("Evergreen", None), ("Later", 300), ("Soon", 10)):
        make_agreement(
            tenant, associate=make_associate(tenant, name=name), ends_on=in_days(days) if days else None
        )
    rows = official.get("/agreements/").context["rows"]
    assert [row.associate.name for row in rows] == ["Soon", "Later", "Evergreen"]
    assert [row.associate.name for row in official.get("/agreements/?state=expiring").context["rows"]] == [
        "Soon"
    ]
    assert official.get("/agreements/?page=x").status_code == 400
