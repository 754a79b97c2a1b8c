"""Questionnaires between two tenants: sent, answered, reviewed in rounds, and asked again next year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import (
    Answers,
    AnswersDraft,
    BusinessAssociate,
    Partnership,
    Questionnaire,
    TemplateVersion,
    Timer,
)
from assessments.questionnaires.content import shipped
from assessments.questionnaires.duties import duties
from assessments.questionnaires.entries import Entry
from assessments.questionnaires.reminders import NOTICE, REMINDER, next_reminder
from assessments.questionnaires.scoring import score_answers
from assessments.questionnaires.states import State, received_with_state, sent_with_state
from assessments.questionnaires.tab import mirror_context, tab_context
from assessments.rule.model import SECURITY_RULE
from assessments.timers.services import run_timer
from tasks.timers import HANDLERS
from tests.accounts.factories import make_ready_person, sign_in
from tests.questionnaires.kit import (
    Parties,
    give_evidence,
    in_days,
    make_outsider,
    make_parties,
    newest,
    post_send,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("assessments.timers.services.ring_after_commit", lambda *_: None)


@pytest.fixture
def parties() -> Parties:
    return make_parties()


def _states(parties: Parties) -> tuple[str, str]:
    """How the newest one stands for who asks, and for who answers."""
    on = timezone.now().date()
    with open_tenant(parties.upstream.pk):
        theirs = sent_with_state(on).order_by("-sent_at")[0].state
    with open_tenant(parties.downstream.pk):
        found = received_with_state(on).order_by("-sent_at").first()
    return theirs, found.state if found else "not shown"


def _ring(tenant, kind: str) -> datetime | None:
    """Lets the tenant's timer of a kind act now; when it wants to be called again."""
    with open_tenant(tenant.pk):
        timer = Timer.objects.filter(kind=kind, ring_at__isnull=False)[0]
        Timer.objects.filter(pk=timer.pk).update(ring_at=timezone.now())
    run_timer(tenant_id=tenant.pk, timer_id=timer.pk, handlers=HANDLERS)
    with open_tenant(tenant.pk):
        return Timer.objects.get(pk=timer.pk).ring_at


def test_the_shipped_template_asks_about_every_section_of_the_rule_in_about_forty_questions():
    content = shipped()["hipaa-security"].content
    assert 40 <= len(content.questions) <= 50
    assert {"164.308", "164.310", "164.312", "164.314", "164.316"} == {
        question.citation.partition("(")[0] for question in content.questions
    }
    assert all(question.citation in SECURITY_RULE and question.evidence for question in content.questions)
    assert "compliant" not in str(content.as_json()).lower()


def test_a_questionnaire_goes_its_way_from_sent_to_accepted(parties):
    sent = parties.send()
    assert _states(parties) == ("sent", "sent")
    assert parties.save(sent, "164-314", agreement_value="yes").status_code == 302
    assert _states(parties) == ("in_work", "in_work")
    assert parties.hand_in(sent).status_code == 302
    assert _states(parties) == ("submitted", "submitted")
    assert (
        parties.review(sent, "164-314", agreement_verdict="more", agreement_comment="Which one?").status_code
        == 302
    )
    assert _states(parties) == ("in_review", "in_review")
    assert (
        b"Which one?"
        not in parties.answers.get(f"/questionnaires/received/{sent.pk}/sections/164-314/").content
    )
    assert parties.asks.post(f"/questionnaires/{sent.pk}/accept/").status_code == 409
    assert (
        parties.asks.post(f"/questionnaires/{sent.pk}/send-back/", {"due_on": in_days(9)}).status_code == 302
    )
    assert _states(parties) == ("more_needed", "more_needed")
    page = parties.answers.get(f"/questionnaires/received/{sent.pk}/sections/164-314/")
    assert b"More is needed: Which one?" in page.content
    parties.save(
        sent, "164-314", agreement_value="partly", agreement_reason="The one of 2024; it is being renewed."
    )
    parties.hand_in(sent)
    page = parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/")
    assert b"it is being renewed" in page.content
    assert parties.asks.post(f"/questionnaires/{sent.pk}/accept/").status_code == 302
    assert _states(parties) == ("accepted", "accepted")
    assert parties.save(sent, "164-314", agreement_value="yes").status_code == 409


def test_a_reviewer_sees_what_is_open_and_accepts_the_rest_of_it_at_once(parties):
    sent = parties.send()
    section = f"/questionnaires/{sent.pk}/sections/164-314/"
    parties.save(sent, "164-314", agreement_value="yes")
    parties.hand_in(sent)
    parties.review(sent, "164-314", agreement_verdict="more", agreement_comment="Which one?")
    rows = {
        show: parties.asks.get(f"{section}?show={show}").context["rows"] for show in ("", "open", "more", "x")
    }
    keys = {show: [row.question.key for row in shown] for show, shown in rows.items()}
    assert keys["more"] == ["agreement"]
    assert keys[""] == keys["x"] == [*keys["more"], *keys["open"]]
    assert [row.folded for row in rows[""]] == [True, *(False for _ in keys["open"])]
    shown = {f"{key}-verdict": "" for key in keys["open"]}
    parties.review(sent, "164-314", rest="accept", **shown)
    rows = parties.asks.get(section).context["rows"]
    assert [row.found.verdict for row in rows] == ["more", *("accept" for _ in keys["open"])]


def test_drafts_are_the_downstreams_alone(parties):
    sent = parties.send()
    parties.save(sent, "164-314", agreement_value="no", agreement_reason="secret until handed in")
    for path in ("", "sections/164-314/"):
        assert b"secret until" not in parties.asks.get(f"/questionnaires/{sent.pk}/{path}").content
    with open_tenant(parties.upstream.pk), connection.cursor() as cursor:
        assert Answers.received.get().entries == {}
        cursor.execute("select count(*) from assessments_answersdraft")
        assert cursor.fetchone()[0] == 0
    parties.hand_in(sent)
    assert b"secret until" in parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/").content
    # The next round's changes are a draft again, beside what was handed in.
    parties.review(sent, "164-314", agreement_verdict="more", agreement_comment="Why?")
    parties.asks.post(f"/questionnaires/{sent.pk}/send-back/", {"due_on": in_days(9)})
    parties.save(sent, "164-314", agreement_value="no", agreement_reason="only a second thought")
    page = parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/").content
    assert b"secret until" in page
    assert b"second thought" not in page


def test_who_is_not_asked_sees_neither_questions_nor_answers(parties):
    sent = parties.send()
    stranger = make_parties()
    for client in (stranger.asks, stranger.answers, parties.answers):
        assert client.get(f"/questionnaires/{sent.pk}/").status_code == 404
    for client in (stranger.asks, stranger.answers, parties.asks):
        assert client.get(f"/questionnaires/received/{sent.pk}/").status_code == 404


def test_answers_that_another_tenant_shows_for_the_questionnaire_count_for_nothing(parties):
    sent, stranger = parties.send(), make_parties()
    with open_tenant(stranger.downstream.pk):
        Answers.objects.create(
            questionnaire_id=sent.pk, viewer=parties.upstream, title="x", upstream_name="x", year=2026, round=1,
            entries={"agreement": {"value": "yes", "confirmed": True}}, submitted_at=timezone.now(),
        )  # fmt: skip
    assert _states(parties)[0] == "sent"
    assert b"Nothing is handed in yet" in parties.asks.get(f"/questionnaires/{sent.pk}/").content


def test_what_does_not_fit_a_question_is_said_at_it_and_nothing_is_kept(parties):
    sent = parties.send()
    for values, said in (
        ({"agreement_value": "partly"}, b"needs a reason"),
        ({"agreement_value": "perhaps"}, b"Select a valid choice"),
        ({"agreement_reason": "x" * 4001, "agreement_value": "yes"}, b"at most 4000"),
    ):
        answer = parties.save(sent, "164-314", **values)
        assert answer.status_code == 422
        assert said in answer.content
    assert parties.save(sent, "164-308", risk_analysis_date_value="soon").status_code == 422
    with open_tenant(parties.downstream.pk):
        assert not AnswersDraft.objects.exists()
    assert parties.hand_in(sent).status_code == 409


def test_evidence_proposes_answers_that_a_person_confirms_or_changes(parties):
    check = {"check_id": "iam_root_mfa", "passed": 1, "failed": 1}
    give_evidence(
        parties.downstream, "164.312(d)", "not_satisfied", check, why="1 check failed on 1 resource."
    )
    give_evidence(parties.downstream, "164.312(b)", "satisfied", why="All of it is recorded.")
    sent = parties.send()
    path = f"/questionnaires/received/{sent.pk}/sections/164-312/"
    page = parties.answers.get(path)
    rows = {row.question.key: row.entry for row in page.context["rows"]}
    assert (rows["mfa"].value, rows["mfa"].proposed) == ("partly", True)
    assert "1 of 2 outcomes" in rows["mfa"].source.what
    assert rows["audit-controls"].value == "yes"
    assert "164.312(b) is evidenced: All of it is recorded." in page.content.decode()
    assert rows["logoff"].source is None
    parties.save(sent, "164-312", mfa_value="partly", mfa_reason=rows["mfa"].reason)
    again = {row.question.key: row.entry for row in parties.answers.get(path).context["rows"]}
    assert (again["mfa"].proposed, again["mfa"].answered) == (True, False)
    saved = parties.save(
        sent, "164-312", mfa_value="no", mfa_reason="The exception grew.", audit_controls_value="yes", audit_controls_confirm="on"
    )  # fmt: skip
    assert saved.status_code == 302
    parties.hand_in(sent)
    seen = parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-312/").content.decode()
    assert "The answer is changed from it." in seen
    assert "The answer confirms it." in seen


def test_a_proposal_that_nobody_confirmed_is_no_answer(parties):
    give_evidence(parties.downstream, "164.312(b)", "satisfied")
    sent = parties.send()
    assert parties.hand_in(sent).status_code == 409
    parties.save(sent, "164-314", agreement_value="yes")
    parties.hand_in(sent)
    with open_tenant(parties.upstream.pk):
        assert set(Answers.received.get().entries) == {"agreement", "agreement-flow-down"}


def test_evidence_that_was_not_seen_in_full_proposes_nothing(parties):
    check = {"check_id": "iam_root_mfa", "passed": 3, "unknown": 1}
    give_evidence(parties.downstream, "164.312(d)", "undetermined", check)
    sent = parties.send()
    page = parties.answers.get(f"/questionnaires/received/{sent.pk}/sections/164-312/")
    assert not any(row.entry.proposed for row in page.context["rows"])


def test_a_document_is_named_by_its_digest_and_not_kept(parties):
    sent = parties.send()
    parties.save(sent, "164-314", agreement_value="yes")
    path = f"/questionnaires/received/{sent.pk}/evidence/"
    document = SimpleUploadedFile("agreement.pdf", b"the signed agreement")
    assert parties.answers.post(path, {"question": "agreement", "document": document}).status_code == 302
    assert parties.answers.post(path, {"question": "agreement"}).status_code == 400
    parties.hand_in(sent)
    page = parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/").content.decode()
    assert "agreement.pdf" in page
    assert "a5e5f2ff" not in page  # nothing but what was hashed
    import hashlib

    assert hashlib.sha256(b"the signed agreement").hexdigest() in page
    assert "the signed agreement" not in page


def test_next_years_brings_last_years_answers_with_what_changed(parties):
    own = _own_template(parties)
    first = parties.send(source=own, year=2025)
    parties.save(
        first, "164-314", agreement_value="yes", agreement_reason="As ever.", agreement_flow_down_value="yes"
    )
    parties.hand_in(first)
    parties.asks.post(f"/questionnaires/{first.pk}/accept/")
    _change_question(parties, own, "agreement", "Do you keep the new agreement?")
    second = parties.send(source=own, year=2026)
    assert (second.previous_id, second.version, first.version) == (first.pk, 2, 1)
    page = parties.answers.get(f"/questionnaires/received/{second.pk}/sections/164-314/")
    rows = {row.question.key: row.entry for row in page.context["rows"]}
    assert (rows["agreement"].value, rows["agreement"].carried.year) == ("yes", 2025)
    assert rows["agreement"].carried.question_changed
    assert not rows["agreement-flow-down"].carried.question_changed
    parties.save(
        second, "164-314", agreement_value="no", agreement_reason="Not found.", agreement_flow_down_value="yes",
        agreement_flow_down_confirm="on",
    )  # fmt: skip
    parties.hand_in(second)
    seen = parties.asks.get(f"/questionnaires/{second.pk}/sections/164-314/").content.decode()
    assert seen.count("The answer has changed since.") == 1
    assert seen.count("The question has changed since the last questionnaire.") == 1


def _own_template(parties: Parties) -> str:
    answer = parties.asks.post(
        "/questionnaires/templates/copy/", {"source": "hipaa-security", "title": "Ours"}
    )
    return answer.url.rstrip("/").rsplit("/", 1)[-1]


def _change_question(parties: Parties, template: str, key: str, prompt: str):
    said = {"section": "Contracts (164.314)", "prompt": prompt, "answer": "yes_no", "weight": 3}
    answer = parties.asks.post(f"/questionnaires/templates/{template}/questions/{key}/", said)
    assert answer.status_code == 302, answer.content
    return answer


def _versions(parties: Parties, template: str) -> list[TemplateVersion]:
    with open_tenant(parties.upstream.pk):
        return list(TemplateVersion.objects.filter(template=UUID(template)).order_by("number"))


def test_a_version_is_changed_in_place_until_it_is_sent_and_frozen_from_then_on(parties):
    own = _own_template(parties)
    _change_question(parties, own, "agreement", "First words?")
    assert [(each.number, each.frozen_at) for each in _versions(parties, own)] == [(1, None)]
    sent = parties.send(source=own)
    _change_question(parties, own, "agreement", "Second words?")
    one, two = _versions(parties, own)
    assert (one.frozen_at is not None, two.frozen_at, two.number) == (True, None, 2)
    assert "First words?" in str(one.content)
    assert "Second words?" in str(two.content)
    assert (
        b"First words?"
        in parties.answers.get(f"/questionnaires/received/{sent.pk}/sections/164-314/").content
    )


def test_the_questions_of_what_was_sent_are_kept_by_the_database(parties):
    sent = parties.send()
    with pytest.raises(DatabaseError), open_tenant(parties.upstream.pk):
        Questionnaire.objects.filter(pk=sent.pk).update(content={"sections": []})


def test_a_template_gets_new_questions_and_loses_others_and_says_what_does_not_fit(parties):
    own = _own_template(parties)
    path = f"/questionnaires/templates/{own}/"
    fit = {
        "section": "Ours",
        "prompt": "How often?",
        "answer": "choice",
        "weight": 2,
        "choices": "daily = 100\nnever = 0",
    }
    assert parties.asks.post(f"{path}questions/new/", fit).status_code == 302
    assert b"How often?" in parties.asks.get(path).content
    for wrong, said in (
        ({"choices": "daily"}, b"words = percent"), ({"choices": "only = 100"}, b"2 to 12"), ({"choices": "a = 101\nb = 0"}, b"0 to 100"),
        ({"answer": "text"}, b"isn&#x27;t scored"), ({"weight": 11}, b"less than or equal"), ({"citation": "164.999"}, b"valid choice"),
    ):  # fmt: skip
        answer = parties.asks.post(f"{path}questions/new/", {**fit, **wrong})
        assert answer.status_code == 422, wrong
        assert said in answer.content, answer.content
    assert parties.asks.post(f"{path}questions/how-often/remove/").status_code == 302
    assert b"How often?" not in parties.asks.get(path).content
    assert parties.asks.post(f"{path}questions/how-often/remove/").status_code == 404


def test_two_hundred_are_asked_in_one_request_by_hardly_more_statements_than_fifty(parties):
    with open_tenant(parties.upstream.pk):
        made = BusinessAssociate.objects.bulk_create(
            BusinessAssociate(reference=f"B{n}", name=f"Vendor {n:03}", tier=2) for n in range(300)
        )
    few, many = (_statements_to_send(parties, each) for each in (made[:50], made[50:250]))
    with open_tenant(parties.upstream.pk):
        assert Questionnaire.objects.count() == 250
        assert Timer.objects.filter(kind=NOTICE).count() == 250
    assert many < few + 20, (few, many)
    # Sent again, nobody gets a second one.
    again = post_send(parties.asks, [each.pk for each in made[:3]])
    assert again.status_code == 302
    with open_tenant(parties.upstream.pk):
        assert Questionnaire.objects.count() == 250


def _statements_to_send(parties: Parties, to: list[BusinessAssociate]) -> int:
    with CaptureQueriesContext(connection) as said:
        assert post_send(parties.asks, [each.pk for each in to]).status_code == 302
    return len(said)


def test_sending_refuses_a_day_that_is_over_and_nobody(parties):
    for fields in ({"due_on": in_days(-1)}, {"associates": []}, {"source": "nothing"}):
        assert post_send(parties.asks, [parties.associate_id], **fields).status_code == 422
    everyone = post_send(parties.asks, [], everyone="on")
    assert everyone.status_code == 302
    assert newest(parties.upstream).partnership_id == parties.partnership.pk


def test_withdrawn_it_is_gone_for_who_was_asked(parties):
    sent = parties.send()
    parties.save(sent, "164-314", agreement_value="yes")
    parties.asks.post(f"/questionnaires/{sent.pk}/withdraw/")
    assert _states(parties) == ("withdrawn", "not shown")
    assert parties.answers.get(f"/questionnaires/received/{sent.pk}/").status_code == 404
    assert b"never handed in" in parties.answers.get("/questionnaires/received/").content


def test_nothing_is_answered_once_the_partnership_has_ended(parties):
    sent = parties.send()
    with open_tenant(parties.upstream.pk):
        Partnership.objects.update(withdrawn_at=timezone.now())
    assert parties.save(sent, "164-314", agreement_value="yes").status_code == 404
    assert b"Nobody asks anything now" in parties.answers.get("/questionnaires/received/").content


def test_what_one_reads_of_the_other_stands_in_the_others_log(parties):
    sent = parties.send()
    parties.answers.get(f"/questionnaires/received/{sent.pk}/")
    parties.save(sent, "164-314", agreement_value="yes")
    parties.hand_in(sent)
    parties.asks.get(f"/questionnaires/{sent.pk}/sections/164-314/")
    for tenant, reader in ((parties.upstream, parties.downstream), (parties.downstream, parties.upstream)):
        with open_tenant(tenant.pk):
            found = AuditEntry.objects.filter(
                actor_kind="partner", actor_id=str(reader.pk), act="questionnaire.read"
            )
            assert found.exists(), reader


def test_a_viewer_reads_and_answers_nothing(parties):
    sent = parties.send()
    viewer = sign_in(make_ready_person(Role.VIEWER, parties.downstream))
    assert viewer.get(f"/questionnaires/received/{sent.pk}/").status_code == 200
    assert viewer.post(f"/questionnaires/received/{sent.pk}/hand-in/").status_code == 403
    theirs = sign_in(make_ready_person(Role.VIEWER, parties.upstream))
    assert theirs.get(f"/questionnaires/{sent.pk}/").status_code == 200
    assert theirs.post(f"/questionnaires/{sent.pk}/withdraw/").status_code == 403


def test_a_score_says_why_and_names_what_is_not_answered():
    content = shipped()["hipaa-security"].content
    said = {
        "agreement": Entry(value="partly", reason="x", confirmed=True),
        "incident-notice": Entry(value="73", confirmed=True),
        "risk-analysis-date": Entry(value="2026-01-01", confirmed=True),
        "mfa": Entry(value="yes"),
    }
    score = score_answers(content, said, date(2026, 11, 22))
    admin, _physical, technical, contracts, _papers = score.sections
    assert (admin.earned, admin.possible) == (5, 11)
    assert (contracts.earned, contracts.possible, contracts.not_answered) == (2.5, 5, 4)
    assert contracts.sentence.startswith(
        "2.5 of 5 points from 1 question. Most is lost at: Do you know and keep"
    )
    assert contracts.sentence.endswith("1 question worth 4 points is not answered and counted neither way.")
    assert technical.sentence.startswith("No answer yet.")
    assert score_answers(content, said, date(2027, 6, 1)).sections[0].earned == 0
    assert "compliant" not in score.total.sentence


def test_reminders_go_out_a_week_before_on_the_day_and_weekly_four_at_most(parties):
    due = date(2026, 3, 20)
    at, times = datetime(2026, 3, 1, tzinfo=UTC), []
    for sent in range(6):
        following = next_reminder(due, after=at, sent=sent)
        if following:
            times.append(following.date())
            at = following
    assert times == [date(2026, 3, day) for day in (13, 20, 27)] + [date(2026, 4, 3)]
    assert next_reminder(due, after=datetime(2026, 5, 1, tzinfo=UTC), sent=0).date() == date(2026, 5, 1)


def test_messages_go_to_the_registers_address_until_it_is_handed_in(parties):
    with open_tenant(parties.upstream.pk):
        BusinessAssociate.objects.update(official_email="official@example.org")
    sent = parties.send()
    assert mail.outbox == []
    _ring(parties.upstream, NOTICE)
    assert [
        (message.to, f"/questionnaires/received/{sent.pk}/" in message.body) for message in mail.outbox
    ] == [(["official@example.org"], True)]
    assert _ring(parties.upstream, REMINDER) is not None
    assert len(mail.outbox) == 2
    parties.save(sent, "164-314", agreement_value="yes")
    parties.hand_in(sent)
    assert _ring(parties.upstream, REMINDER) is None
    assert len(mail.outbox) == 2


def test_what_is_late_is_overdue_for_both(parties):
    sent = parties.send()
    with open_tenant(parties.upstream.pk):
        Questionnaire.objects.filter(pk=sent.pk).update(due_on=in_days(-1))
    assert _states(parties) == (State.OVERDUE, State.OVERDUE)
    assert parties.asks.get("/questionnaires/?state=overdue").context["rows"]
    assert parties.asks.get("/questionnaires/?state=sent").context["rows"] == []


def test_the_calendar_and_the_partners_pages_show_it(parties):
    sent = parties.send()
    make_outsider(parties.upstream)
    since, until = timezone.now(), timezone.now() + timedelta(days=40)
    with open_tenant(parties.upstream.pk):
        (waiting,) = duties(since, until)
        associate = BusinessAssociate.objects.get(pk=parties.associate_id)
        assert [each.pk for each in tab_context(associate)["questionnaires"]] == [sent.pk]
    with open_tenant(parties.downstream.pk):
        (owed,) = duties(since, until)
        assert owed.url == f"/questionnaires/received/{sent.pk}/"
        partnership = Partnership.received.get()
        assert [each.pk for each in mirror_context(partnership)["questionnaires"]] == [sent.pk]
    assert (waiting.done, owed.done) == (False, False)
    assert waiting.url == f"/questionnaires/{sent.pk}/"
