"""Business associates without a tenant: workbooks out and in, and links by e-mail."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from accounts.tenancy.scope import open_tenant
from accounts.throttle import SignInThrottle
from assessments.models import Answers, AnswersDraft, GuestLink, Questionnaire
from tests.questionnaires.kit import Parties, make_outsider, make_parties, newest, post_send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def asking(django_db_setup, django_db_blocker) -> Parties:
    with django_db_blocker.unblock():
        return make_parties()


@pytest.fixture
def sent(asking) -> Questionnaire:
    """One for a business associate without a tenant."""
    outsider = make_outsider(asking.upstream)
    assert post_send(asking.asks, [outsider.pk]).status_code == 302
    return newest(asking.upstream)


def _download(asking, sent) -> Workbook:
    answer = asking.asks.get(f"/questionnaires/{sent.pk}/workbook.xlsx")
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.content))


def _filled(book: Workbook, **answers: str | tuple[str, str]) -> bytes:
    sheet = book.active
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        given = answers.get(str(sheet.cell(row, columns["key"]).value).replace("-", "_"))
        if given is not None:
            value, reason = given if isinstance(given, tuple) else (given, None)
            sheet.cell(row, columns["answer"]).value = value
            sheet.cell(row, columns["reason"]).value = reason
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _choose(asking, sent, content: bytes):
    return asking.asks.post(
        f"/questionnaires/{sent.pk}/workbook/", {"sheet": SimpleUploadedFile("answers.xlsx", content)}
    )


def _draft(asking, sent) -> dict[str, dict[str, str]]:
    with open_tenant(asking.upstream.pk):
        found = AnswersDraft.objects.filter(questionnaire_id=sent.pk).first()
        return found.entries if found else {}


def test_a_workbook_goes_out_is_filled_in_and_comes_back(asking, sent):
    content = _filled(
        _download(asking, sent), agreement="Yes", mfa=("partly", "Not for two old accounts."), termination_hours=24,
        risk_analysis_date=timezone.now().replace(tzinfo=None), security_official="=cmd|' /C calc'!A0",
    )  # fmt: skip
    preview = _choose(asking, sent, content)
    assert preview.status_code == 302
    page = asking.asks.get(preview.url)
    assert page.context["does_something"] == 4  # a formula has no stored value, so that cell is empty
    assert _draft(asking, sent) == {}
    assert asking.asks.post(f"{preview.url}confirm/").status_code == 302
    kept = _draft(asking, sent)
    assert (kept["agreement"]["value"], kept["mfa"]["reason"]) == ("yes", "Not for two old accounts.")
    assert (kept["termination-hours"]["value"], kept["risk-analysis-date"]["value"]) == (
        "24",
        f"{timezone.now():%Y-%m-%d}",
    )
    assert asking.asks.post(f"{preview.url}confirm/").status_code == 409
    again = asking.asks.get(_choose(asking, sent, content).url)
    assert b"The answers say all of this already." in again.content
    assert asking.asks.post(f"/questionnaires/{sent.pk}/hand-in/").status_code == 302
    with open_tenant(asking.upstream.pk):
        assert Answers.objects.get(questionnaire_id=sent.pk).way == "workbook"
    assert (
        b"Not for two old accounts."
        in asking.asks.get(f"/questionnaires/{sent.pk}/sections/164-312/").content
    )


def test_no_cell_of_a_workbook_begins_a_formula(asking, sent):
    hostile = '=HYPERLINK("http://x")'
    book = _download(asking, sent)
    cell = next(row for row in book.active.iter_rows() if row[1].value == "security-official")[6]
    cell.value, cell.data_type = f"'{hostile}", "s"
    preview = _choose(asking, sent, _filled(book))
    asking.asks.post(f"{preview.url}confirm/")
    assert _draft(asking, sent)["security-official"]["value"] == hostile
    out = _download(asking, sent)
    cells = [cell for row in out.active.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert f"'{hostile}" in [cell.value for cell in cells]


def test_rows_with_errors_are_named_one_by_one_and_nothing_is_taken_over(asking, sent):
    other = make_outsider(asking.upstream)
    post_send(asking.asks, [other.pk])
    foreign = _download(asking, newest(asking.upstream))
    book = _download(asking, sent)
    book.active.append([str(sent.pk), "no-such", "", "", "", "", "yes"])
    book.active.append([foreign.active.cell(2, 1).value, "mfa", "", "", "", "", "yes"])
    content = _filled(
        book, agreement="maybe", encryption_rest="no", termination_hours="soon", policies_date="last year"
    )
    preview = _choose(asking, sent, content)
    errors = {line.key: line.error for line in asking.asks.get(preview.url).context["lines"] if line.error}
    assert set(errors) == {
        "agreement",
        "encryption-rest",
        "termination-hours",
        "policies-date",
        "no-such",
        "mfa",
    }
    assert "needs a reason" in errors["encryption-rest"]
    assert asking.asks.post(f"{preview.url}confirm/").status_code == 409
    assert _draft(asking, sent) == {}
    wrong = _choose(asking, sent, _filled(foreign, mfa="yes"))
    first = asking.asks.get(wrong.url).context["lines"][0]
    assert "another questionnaire" in first.error


def test_a_workbook_is_refused_when_answers_changed_since_its_preview(asking, sent):
    first = _choose(asking, sent, _filled(_download(asking, sent), agreement="yes"))
    second = _choose(asking, sent, _filled(_download(asking, sent), agreement=("no", "Lost.")))
    assert asking.asks.post(f"{second.url}confirm/").status_code == 302
    assert asking.asks.post(f"{first.url}confirm/").status_code == 409
    assert _draft(asking, sent)["agreement"]["value"] == "no"


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (60 << 20))
    return out.getvalue()


def _with_entities() -> bytes:
    empty, out = io.BytesIO(), io.BytesIO()
    Workbook().save(empty)
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    with zipfile.ZipFile(empty) as source, zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, evil if name == "xl/workbook.xml" else source.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", b"empty"), (b"questionnaire,key\n1,2\n", b"no column"), (b"PK\x03\x04 not a zip", b"be read"), (_with_entities(), b"be read"),
     (b"questionnaire,key,answer,key\n1,2,3,4\n", b"twice"), (b"x" * ((2 << 20) + 1), b"larger than 2 MB"),
     (b"questionnaire,key,answer\n" + b"1,2,3\n" * 10_001, b"more than 10,000"), (b"\xff\xfe\x00r", b"neither XLSX nor CSV")],
    ids=["empty", "no answers", "no zip", "entities", "a column twice", "too large", "too many rows", "utf-16"],
)  # fmt: skip
def test_a_workbook_that_is_none_is_refused_with_a_sentence(asking, sent, content, said):
    answer = _choose(asking, sent, content)
    assert answer.status_code == 422
    assert said in answer.content


def test_a_workbook_that_unpacks_to_very_much_is_refused(asking, sent):
    assert b"unpacks" in _choose(asking, sent, _bomb()).content


def _link(asking, sent, email: str = "shred@example.org") -> str:
    mail.outbox.clear()
    answer = asking.asks.post(f"/questionnaires/{sent.pk}/link/", {"email": email})
    assert answer.status_code == 302, answer.content
    (message,) = mail.outbox
    assert message.to == [email]
    return re.search(r"(/questionnaires/guest/\S+/)", message.body)[1]


def test_a_link_opens_its_questionnaire_without_an_account_and_nothing_else(asking, sent):
    path, guest = _link(asking, sent), Client()
    assert b"Whoever has it can answer" in guest.get(path).content
    assert guest.get(f"/questionnaires/{sent.pk}/").status_code == 302  # asked to sign in
    section = f"{path}sections/164-314/"
    assert guest.get(section).status_code == 200
    assert b"needs a reason" in guest.post(section, {"agreement-value": "no"}).content
    assert (
        guest.post(section, {"agreement-value": "no", "agreement-reason": "Never got one."}).status_code
        == 302
    )
    assert b"Never got one." not in asking.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/").content
    assert guest.post(f"{path}hand-in/").status_code == 302
    assert b"Never got one." in asking.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/").content
    assert guest.post(section, {"agreement-value": "yes"}).status_code == 409
    with open_tenant(asking.upstream.pk):
        handed_in = Answers.objects.get(questionnaire_id=sent.pk)
        assert (handed_in.way, handed_in.submitted_by) == ("link", "shred@example.org")
        token = path.split("/")[3]
        assert not GuestLink.objects.filter(token_digest=token.encode()).exists()


@pytest.mark.parametrize("how", ["over", "ended", "replaced", "withdrawn", "accepted"])
def test_a_link_ends(asking, sent, how):
    path, guest = _link(asking, sent), Client()
    assert guest.get(path).status_code == 200
    if how == "over":
        with open_tenant(asking.upstream.pk):
            GuestLink.objects.filter(questionnaire=sent).update(
                expires_at=timezone.now() - timedelta(seconds=1)
            )
    elif how == "ended":
        asking.asks.post(f"/questionnaires/{sent.pk}/link/end/")
    elif how == "replaced":
        _link(asking, sent)
    elif how == "withdrawn":
        asking.asks.post(f"/questionnaires/{sent.pk}/withdraw/")
    else:
        guest.post(f"{path}sections/164-314/", {"agreement-value": "yes"})
        guest.post(f"{path}hand-in/")
        asking.asks.post(f"/questionnaires/{sent.pk}/accept/")
    assert guest.get(path).status_code == 404
    assert guest.post(f"{path}sections/164-314/", {"agreement-value": "yes"}).status_code == 404


def test_a_link_is_used_sixty_times_a_minute_at_most_and_wrong_ones_have_to_wait(asking, sent, settings):
    path = _link(asking, sent)
    with open_tenant(asking.upstream.pk):
        GuestLink.objects.filter(questionnaire=sent).update(asked=60, asked_since=timezone.now())
    assert Client().get(path).status_code == 429
    settings.NETWORK_TRIES = 3
    SignInThrottle.objects.all().delete()  # what other tests' strangers tried from the same network
    stranger = Client(REMOTE_ADDR="203.0.113.77")
    answers = [stranger.get(f"/questionnaires/guest/{'x' * 40}{n}/").status_code for n in range(5)]
    assert answers == [404, 404, 404, 429, 429]


def test_a_tenants_questionnaire_takes_no_link(asking):
    sent = newest(asking.upstream) if asking.send() else None
    assert asking.asks.post(f"/questionnaires/{sent.pk}/link/", {"email": "x@example.org"}).status_code == 409
    assert asking.asks.get(f"/questionnaires/{sent.pk}/workbook.xlsx").status_code == 404
