"""Answering: drafts, evidence named beside answers, handing in. Works in the tenant of whoever answers.

A business associate with a tenant answers in its own; for others the upstream keeps what came by workbook or link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from assessments.models import Partnership
from assessments.questionnaires.content import Content, Question
from assessments.questionnaires.entries import Entry, Evidence, find_fault, give_answer, parse_entries
from assessments.questionnaires.models import Answers, AnswersDraft, Questionnaire
from assessments.questionnaires.prefill import proposals
from assessments.questionnaires.states import OPEN, State, received_with_state, sent_with_state
from evidence.models import Snapshot

MOST_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class Given:
    """What a person answers to one question."""

    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A questionnaire as whoever answers it sees it: the draft over the proposals."""

    questionnaire: Questionnaire
    state: State
    content: Content
    entries: Mapping[str, Entry]
    answers: Answers | None
    """What was handed in, or is begun, in the present round."""

    @property
    def open(self) -> bool:
        """Whether answers can be given now."""
        return self.state in OPEN

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return sum(entry.answered for entry in self.entries.values())

    @property
    def proposed(self) -> int:
        """How many proposals wait for a person."""
        return sum(entry.proposed for entry in self.entries.values())

    @property
    def total(self) -> int:
        """How many questions there are."""
        return len(self.content.questions)

    def review_of(self, key: str) -> Mapping[str, str] | None:
        """What the last ended round of review said of an answer."""
        reviews = self.questionnaire.reviews
        found: Mapping[str, str] | None = reviews[-1]["items"].get(key) if reviews else None
        return found


def find_received(*, questionnaire_id: UUID) -> Questionnaire:
    """What another tenant asks of the open one, while their partnership stands; with `state`. Raises NotFound."""
    found = received_with_state(timezone.now().date()).filter(pk=questionnaire_id).first()
    if found is None or not stands(found):
        raise NotFound("There is no such questionnaire.")
    return found


def stands(questionnaire: Questionnaire) -> bool:
    """Whether the partnership that a received questionnaire hangs on is still there."""
    if questionnaire.partnership_id is None:
        return False
    mine = Partnership.received.filter(pk=questionnaire.partnership_id)
    return mine.filter(tenant_id=questionnaire.asking_id).exists()


def find_kept(*, questionnaire_id: UUID) -> Questionnaire:
    """What the open tenant has sent, and keeps the answers of, since who answers has no tenant. Raises NotFound."""
    found = sent_with_state(timezone.now().date()).filter(pk=questionnaire_id, partnership_id=None).first()
    if found is None:
        raise NotFound("There is no such questionnaire that is answered by workbook or link.")
    return found


def read_work(questionnaire: Questionnaire) -> Work:
    """The questionnaire with the draft, or what was handed in, over the proposals of evidence and last year."""
    state, content = State(questionnaire.state), questionnaire.questions  # type: ignore[attr-defined] # annotated
    answers = _answers(questionnaire)
    if answers and answers.submitted_at:
        return Work(questionnaire, state, content, parse_entries(answers.entries), answers)
    draft = AnswersDraft.objects.filter(questionnaire_id=questionnaire.pk).first()
    kept = parse_entries(draft.entries) if draft else {}
    fresh = proposals(content, last_answers(questionnaire), live=not questionnaire.by_guests)
    return Work(questionnaire, state, content, {**fresh, **kept}, answers)


def save_answers(questionnaire: Questionnaire, given: Mapping[str, Given]) -> None:
    """Writes answers into the draft; "" makes one not answered. Raises Conflict when it isn't open, InvalidInput."""
    work = read_work(questionnaire)
    _require_open(work)
    entries = _kept(questionnaire)
    for key, said in given.items():
        question = _question(work, key)
        fault = find_fault(question, said.value, said.reason)
        if fault:
            raise InvalidInput(fault, field=f"{key}-value")
        entry = work.entries.get(key, Entry())
        entries[key] = give_answer(entry, question, value=said.value, reason=said.reason)
    _keep(questionnaire, entries)
    record(
        Act.QUESTIONNAIRE_ANSWER,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        questions=sorted(given),
    )


def attach_evidence(
    questionnaire: Questionnaire,
    *,
    key: str,
    snapshot_id: UUID | None = None,
    name: str = "",
    content: bytes = b"",
) -> Evidence:
    """Names evidence beside an answer: a sealed snapshot, or a document of which only the SHA-256 is kept.

    Raises NotFound for a snapshot or question that isn't there, Conflict where it isn't open or names too much.
    """
    work = read_work(questionnaire)
    _require_open(work)
    _question(work, key)
    evidence = _of_snapshot(snapshot_id) if snapshot_id else _of_document(name, content)
    entry = work.entries.get(key, Entry())
    if len(entry.evidence) >= MOST_EVIDENCE:
        raise Conflict(f"An answer names {MOST_EVIDENCE} pieces of evidence at most.")
    named = (*(each for each in entry.evidence if each.sha256 != evidence.sha256), evidence)
    _keep_one(questionnaire, key, replace(entry, evidence=named))
    _record_evidence(questionnaire, key, evidence.sha256)
    return evidence


def drop_evidence(questionnaire: Questionnaire, *, key: str, sha256: str) -> None:
    """Names a piece of evidence no longer. Raises as attach_evidence."""
    work = read_work(questionnaire)
    _require_open(work)
    entry = work.entries.get(key, Entry())
    left = tuple(each for each in entry.evidence if each.sha256 != sha256)
    if left == entry.evidence:
        raise NotFound("The answer names no such evidence.")
    _keep_one(questionnaire, key, replace(entry, evidence=left))
    _record_evidence(questionnaire, key, sha256)


def hand_in(questionnaire: Questionnaire, *, by: str, way: str = "portal") -> Answers:
    """Shows the round's answers to who asked. Proposals that nobody confirmed are no answers, and stay behind.

    Raises Conflict where it isn't open, or where nothing is answered.
    """
    work = read_work(questionnaire)
    _require_open(work)
    if not work.answered:
        raise Conflict("Nothing is answered yet.")
    entries = {key: entry.as_json() for key, entry in work.entries.items() if not entry.proposed}
    answers = _begin(questionnaire)
    answers.entries, answers.way, answers.submitted_by = entries, way, by[:254]
    answers.submitted_at = timezone.now()
    answers.save()
    record(
        Act.QUESTIONNAIRE_HAND_IN, object_type="questionnaire", object_id=questionnaire.pk, round=questionnaire.round,
        answered=work.answered, questions=work.total, way=way,
    )  # fmt: skip
    return answers


def last_answers(questionnaire: Questionnaire) -> Answers | None:
    """What was handed in last for the questionnaire before this one, by the same who answer."""
    if questionnaire.previous_id is None:
        return None
    mine = Answers.objects.filter(questionnaire_id=questionnaire.previous_id, submitted_at__isnull=False)
    return mine.filter(viewer_id=questionnaire.asking_id).order_by("-round").first()


def rounds_of(questionnaire: Questionnaire) -> Iterable[Answers]:
    """The rounds handed in, newest first."""
    mine = Answers.objects.filter(questionnaire_id=questionnaire.pk, submitted_at__isnull=False)
    return mine.order_by("-round")


def _answers(questionnaire: Questionnaire) -> Answers | None:
    mine = Answers.objects.filter(questionnaire_id=questionnaire.pk, round=questionnaire.round)
    return mine.filter(viewer_id=questionnaire.asking_id).first()


def _begin(questionnaire: Questionnaire) -> Answers:
    answers, _made = Answers.objects.get_or_create(
        questionnaire_id=questionnaire.pk, round=questionnaire.round,
        defaults={"viewer_id": questionnaire.asking_id, "title": questionnaire.title, "year": questionnaire.year,
                  "upstream_name": questionnaire.upstream_name},
    )  # fmt: skip
    return answers


def _keep(questionnaire: Questionnaire, entries: Mapping[str, Entry]) -> None:
    _begin(questionnaire)
    AnswersDraft.objects.update_or_create(
        questionnaire_id=questionnaire.pk,
        defaults={"entries": {key: entry.as_json() for key, entry in entries.items()}},
    )


def _keep_one(questionnaire: Questionnaire, key: str, entry: Entry) -> None:
    _keep(questionnaire, {**_kept(questionnaire), key: entry})


def _kept(questionnaire: Questionnaire) -> dict[str, Entry]:
    draft = AnswersDraft.objects.select_for_update().filter(questionnaire_id=questionnaire.pk).first()
    return parse_entries(draft.entries) if draft else {}


def _question(work: Work, key: str) -> Question:
    question = work.content.find(key)
    if question is None:
        raise NotFound("The questionnaire has no such question.")
    return question


def _require_open(work: Work) -> None:
    if not work.open:
        raise Conflict(f"The questionnaire is {work.state.label}, so its answers stay as they are.")


def _of_snapshot(snapshot_id: UUID) -> Evidence:
    snapshot = Snapshot.objects.select_related("blob").filter(pk=snapshot_id).first()
    if snapshot is None:
        raise NotFound("There is no such evidence.")
    at = f"{snapshot.collected_at:%Y-%m-%d %H:%M} UTC"
    name = f"{snapshot.collector} in {snapshot.region} of account {snapshot.aws_account_id}, collected {at}"
    return Evidence(name=name, sha256=snapshot.blob.digest)


def _of_document(name: str, content: bytes) -> Evidence:
    plain = "".join(letter for letter in name if letter.isprintable()).strip()[:200]
    if not plain or not content:
        raise InvalidInput("Choose a snapshot, or a document that isn't empty.", field="document")
    return Evidence(name=plain, sha256=hashlib.sha256(content).hexdigest())


def _record_evidence(questionnaire: Questionnaire, key: str, sha256: str) -> None:
    record(
        Act.QUESTIONNAIRE_ANSWER,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        questions=[key],
        evidence=sha256,
    )
