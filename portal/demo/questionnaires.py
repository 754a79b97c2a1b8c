"""Questionnaires of the demonstration's hospital: in review, overdue, accepted, begun, and one by link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from accounts.models import Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Questionnaire
from assessments.questionnaires.answering import (
    Given,
    Work,
    attach_evidence,
    find_kept,
    find_received,
    hand_in,
    read_work,
    save_answers,
)
from assessments.questionnaires.authoring import copy_template, keep_question
from assessments.questionnaires.content import AnswerKind, Question
from assessments.questionnaires.guests import send_link
from assessments.questionnaires.reviewing import Found, Verdict, accept, save_reviews
from assessments.questionnaires.sending import Sending, send_questionnaires
from portal.demo.clock import ago
from portal.demo.partners import Parties
from portal.demo.people import person_of

SHIPPED = "hipaa-security"
_WORDS = {
    "security-official": "{official}, security official, security@{domain}",
    "subcontractors-list": "A hosting company for racks and power, and one that keeps copies. Both are in our register.",
}
_NUMBERS = {"termination-hours": "4", "incident-notice": "24"}
_LACKS = {
    "facility-visitors": (
        "partly",
        "Visitors are accompanied; the book of visits is kept at one of two sites.",
    ),
    "recovery": (
        "partly",
        "The archive is tested twice a year, the reporting service not yet. Planned for spring.",
    ),
    "emergency-access": ("no", "Written and not tried yet. The exercise is planned for next month."),
}
"""What is answered where neither evidence nor the kind of question says another thing."""
_FOUND = {
    "recovery": Found(Verdict.MORE, "By when will the reporting service be tested, and who sees to it?"),
    "emergency-access": Found(Verdict.MORE, "Please name the day of the exercise."),
}
_OWN = "Questions on images and their copies"
_ADDED = (
    Question(
        "images-back", "Within how many hours could our images be read again after a loss?", AnswerKind.NUMBER,
        citation="164.308(a)(7)(ii)(B)", weight=8, at_least=0, at_most=72, evidence="The newest restore test",
    ),
    Question(
        "copies-where", "Where are the copies, and how far is that from the first site?", AnswerKind.TEXT,
        citation="164.308(a)(7)(ii)(A)",
    ),
)  # fmt: skip


def seed_questionnaires(parties: Parties) -> None:
    """Sends two questionnaires and answers them as far as told above, once."""
    with open_tenant(parties.hospital):
        if Questionnaire.objects.exists():
            return
    with ago(days=38):
        first = _send(parties, SHIPPED, ("V-1001", "V-1002", "V-1004"), days=28)
    imaging, billing, video = first
    with ago(days=16), open_tenant(parties.imaging):
        _answer_all(
            find_received(questionnaire_id=imaging.pk), official="Tomas Reed", domain="northwind.example"
        )
    with ago(days=15), open_tenant(parties.billing):
        _answer_some(find_received(questionnaire_id=billing.pk), 9)
    with ago(days=20), open_tenant(parties.hospital):
        send_link(
            questionnaire_id=video.pk,
            email="security@birchline.example",
            by=person_of(Role.SECURITY_OFFICIAL),
        )
    with ago(days=14), open_tenant(parties.hospital):
        _answer_all(
            find_kept(questionnaire_id=video.pk),
            official="Maud Birch",
            domain="birchline.example",
            way="link",
        )
    _review(parties, imaging, video)
    _send_own(parties)


def _review(parties: Parties, imaging: Questionnaire, video: Questionnaire) -> None:
    with ago(days=3), open_tenant(parties.hospital):
        official = person_of(Role.SECURITY_OFFICIAL)
        looked_at = islice(imaging.questions.questions, 16)
        found = {**{each.key: Found(Verdict.ACCEPT) for each in looked_at}, **_FOUND}
        save_reviews(questionnaire_id=imaging.pk, found=found, by=official)
        save_reviews(
            questionnaire_id=video.pk, found={"backup": Found(Verdict.ACCEPT, "Well described.")}, by=official
        )
        accept(questionnaire_id=video.pk)


def _send_own(parties: Parties) -> None:
    """A template of the hospital's own, sent to one that has begun and to one that has a link."""
    with open_tenant(parties.hospital):
        official = person_of(Role.SECURITY_OFFICIAL)
        template = copy_template(source=SHIPPED, title=_OWN, by=official)
        for question in _ADDED:
            keep_question(template_id=template.pk, section="Images and their copies", question=question)
    with ago(days=2):
        imaging, transcription = _send(parties, str(template.pk), ("V-1001", "V-1005"), days=23)
    with open_tenant(parties.hospital):
        send_link(questionnaire_id=transcription.pk, email="privacy@quill.example", by=official)
    with open_tenant(parties.imaging):
        _answer_some(find_received(questionnaire_id=imaging.pk), 4)


def _send(parties: Parties, source: str, references: Iterable[str], *, days: int) -> list[Questionnaire]:
    """In the order of the references."""
    with open_tenant(parties.hospital):
        ids = dict(BusinessAssociate.objects.filter(reference__in=references).values_list("reference", "pk"))
        today = timezone.now().date()
        sending = Sending(
            source, today + timedelta(days=days), today.year, person_of(Role.SECURITY_OFFICIAL), Tenant.objects.get()
        )  # fmt: skip
        sent = send_questionnaires(sending=sending, associate_ids=ids.values())
        made = {each.associate_id: each.pk for each in sent.made}
        return [Questionnaire.objects.get(pk=made[ids[reference]]) for reference in references]


def _answer_all(questionnaire: Questionnaire, *, official: str, domain: str, way: str = "portal") -> None:
    work = read_work(questionnaire)
    words = {key: said.format(official=official, domain=domain) for key, said in _WORDS.items()}
    save_answers(questionnaire, {each.key: _given(each, work, words) for each in work.content.questions})
    attach_evidence(
        questionnaire, key="recovery-test", name="Restore test, report.pdf", content=b"demonstration"
    )
    hand_in(questionnaire, by=f"security@{domain}" if way == "link" else official, way=way)


def _answer_some(questionnaire: Questionnaire, many: int) -> None:
    work = read_work(questionnaire)
    save_answers(
        questionnaire, {each.key: _given(each, work, _WORDS) for each in work.content.questions[:many]}
    )


def _given(question: Question, work: Work, words: Mapping[str, str]) -> Given:
    """What the evidence proposes, else what is written here, else what its kind of question can take."""
    proposed = work.entries.get(question.key)
    if proposed and proposed.value:
        return Given(proposed.value, proposed.reason)
    if question.key in _LACKS:
        return Given(*_LACKS[question.key])
    day = timezone.now().date() - timedelta(days=75)
    plain = {
        AnswerKind.YES_NO: "yes", AnswerKind.DATE: day.isoformat(), AnswerKind.TEXT: words.get(question.key, "See our plan."),
        AnswerKind.NUMBER: _NUMBERS.get(question.key, "24"),
        AnswerKind.CHOICE: question.offered[min(1, len(question.offered) - 1)].label if question.offered else "",
    }  # fmt: skip
    return Given(plain[question.kind])
