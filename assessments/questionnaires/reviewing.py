"""The upstream's review: answer by answer, in rounds, until it is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person
from assessments.questionnaires.content import Content
from assessments.questionnaires.entries import Entry, parse_entries
from assessments.questionnaires.models import AnswerReview, Answers, Questionnaire
from assessments.questionnaires.prefill import changed_questions
from assessments.questionnaires.reminders import NOTICE, REMINDER, next_reminder
from assessments.questionnaires.scoring import Score, score_answers
from assessments.questionnaires.sending import end_clocks_and_links, find_sent, lock_sent
from assessments.questionnaires.states import HANDED_IN, State
from assessments.timers.services import set_timer


class Verdict(StrEnum):
    """What the upstream finds of one answer."""

    ACCEPT = "accept"
    MORE = "more"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return "Accept" if self is Verdict.ACCEPT else "More needed"


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict with what is said to it."""

    verdict: Verdict
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A questionnaire as its upstream sees it: what was handed in last, its score, what is found so far."""

    questionnaire: Questionnaire
    state: State
    content: Content
    answers: Answers | None
    entries: Mapping[str, Entry]
    score: Score | None
    found: Mapping[str, Found]
    new_questions: tuple[str, ...]
    changed_questions: tuple[str, ...]

    @property
    def open(self) -> bool:
        """Whether there is something to review now."""
        return self.state in HANDED_IN

    @property
    def more(self) -> int:
        """To how many answers more is needed."""
        return sum(each.verdict is Verdict.MORE for each in self.found.values())


def read_review(*, questionnaire_id: UUID) -> Review:
    """The newest answers with what is found of them. Raises NotFound."""
    questionnaire = find_sent(questionnaire_id=questionnaire_id)
    content, answers = questionnaire.questions, _newest_answers(questionnaire)
    entries = parse_entries(answers.entries) if answers else {}
    handed_in = answers.submitted_at if answers else None
    new, changed = _question_changes(questionnaire, content)
    return Review(
        questionnaire, State(questionnaire.state), content, answers, entries,  # type: ignore[attr-defined] # annotated
        score=score_answers(content, entries, handed_in.date()) if handed_in else None,
        found=_found(questionnaire, entries), new_questions=tuple(new), changed_questions=tuple(changed),
    )  # fmt: skip


def save_reviews(*, questionnaire_id: UUID, found: Mapping[str, Found], by: Person) -> None:
    """Writes what is found of some answers; nobody else sees it before the round ends.

    Raises NotFound, Conflict where nothing is to be reviewed, InvalidInput for "more needed" without words.
    """
    questionnaire = lock_sent(questionnaire_id=questionnaire_id)
    _require_handed_in(questionnaire)
    content = questionnaire.questions
    for key, said in found.items():
        if content.find(key) is None:
            raise InvalidInput("The questionnaire has no such question.", field=f"{key}-verdict")
        if said.verdict is Verdict.MORE and not said.comment.strip():
            raise InvalidInput("Say what more is needed.", field=f"{key}-comment")
        AnswerReview.objects.update_or_create(
            questionnaire=questionnaire, round=questionnaire.round, question=key,
            defaults={"verdict": said.verdict, "comment": said.comment, "author": by},
        )  # fmt: skip
    if questionnaire.review_began_at is None:
        questionnaire.review_began_at = timezone.now()
        questionnaire.save(update_fields=["review_began_at"])
    record(
        Act.QUESTIONNAIRE_REVIEW,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        questions=sorted(found),
    )


def send_back(*, questionnaire_id: UUID, due_on: date) -> Questionnaire:
    """Ends the round with what more is needed, and begins the next. Raises NotFound, Conflict, InvalidInput."""
    questionnaire = lock_sent(questionnaire_id=questionnaire_id)
    _require_handed_in(questionnaire)
    if due_on < timezone.now().date():
        raise InvalidInput("Choose a day that isn't over.", field="due_on")
    items = _own_findings(questionnaire)
    if not any(each["verdict"] == Verdict.MORE for each in items.values()):
        raise Conflict("Say first to which answers more is needed.")
    _end_round(questionnaire, "more needed", items)
    questionnaire.round += 1
    questionnaire.review_began_at, questionnaire.reminders, questionnaire.due_on = None, 0, due_on
    questionnaire.save()
    now = timezone.now()
    set_timer(NOTICE, questionnaire.pk, now)
    set_timer(REMINDER, questionnaire.pk, next_reminder(due_on, after=now, sent=0) or now)
    record(
        Act.QUESTIONNAIRE_SEND_BACK, object_type="questionnaire", object_id=questionnaire.pk, round=questionnaire.round
    )  # fmt: skip
    return questionnaire


def accept(*, questionnaire_id: UUID) -> Questionnaire:
    """Ends the review: the answers are taken as they are. Raises NotFound, Conflict while more is needed."""
    questionnaire = lock_sent(questionnaire_id=questionnaire_id)
    _require_handed_in(questionnaire)
    items = _own_findings(questionnaire)
    if any(each["verdict"] == Verdict.MORE for each in items.values()):
        raise Conflict("More is needed to some answers: send it back, or accept those answers first.")
    _end_round(questionnaire, "accepted", items)
    questionnaire.accepted_at = timezone.now()
    questionnaire.save()
    end_clocks_and_links(questionnaire)
    record(
        Act.QUESTIONNAIRE_ACCEPT, object_type="questionnaire", object_id=questionnaire.pk, round=questionnaire.round
    )  # fmt: skip
    return questionnaire


def rounds_received(questionnaire: Questionnaire) -> list[Answers]:
    """The rounds that were handed in to the open tenant, newest first. Nobody else's answers count."""
    handed_in = Answers.received.filter(questionnaire_id=questionnaire.pk, submitted_at__isnull=False)
    return list(handed_in.filter(tenant_id=questionnaire.answering_id).order_by("-round"))


def _newest_answers(questionnaire: Questionnaire) -> Answers | None:
    return next(iter(rounds_received(questionnaire)), None)


def _question_changes(questionnaire: Questionnaire, content: Content) -> tuple[list[str], list[str]]:
    if questionnaire.previous_id is None:
        return [], []
    before = Questionnaire.objects.get(pk=questionnaire.previous_id)
    new, changed, _gone = changed_questions(content, before.questions)
    return new, changed


def _found(questionnaire: Questionnaire, entries: Mapping[str, Entry]) -> dict[str, Found]:
    """What is found in this round; of an answer that was accepted in the last one and is the same, that."""
    said = {each.question: Found(Verdict(each.verdict), each.comment) for each in _findings(questionnaire)}
    if not questionnaire.reviews:
        return said
    last = questionnaire.reviews[-1]
    before = next((each for each in rounds_received(questionnaire) if each.round == last["round"]), None)
    same = {
        key: Found(Verdict.ACCEPT)
        for key, each in last["items"].items()
        if each["verdict"] == Verdict.ACCEPT and before and _same(before.entries.get(key), entries.get(key))
    }
    return {**same, **said}


def _same(before: Mapping[str, Any] | None, now: Entry | None) -> bool:
    if before is None or now is None:
        return False
    return (before.get("value", ""), before.get("reason", "")) == (now.value, now.reason)


def _findings(questionnaire: Questionnaire) -> list[AnswerReview]:
    return list(AnswerReview.objects.filter(questionnaire=questionnaire, round=questionnaire.round))


def _own_findings(questionnaire: Questionnaire) -> dict[str, dict[str, str]]:
    return {
        each.question: {"verdict": each.verdict, "comment": each.comment} for each in _findings(questionnaire)
    }


def _end_round(questionnaire: Questionnaire, decision: str, items: Mapping[str, Mapping[str, str]]) -> None:
    ended = {
        "round": questionnaire.round,
        "at": timezone.now().isoformat(),
        "decision": decision,
        "items": items,
    }
    questionnaire.reviews = [*questionnaire.reviews, ended]


def _require_handed_in(questionnaire: Questionnaire) -> None:
    state = State(questionnaire.state)  # type: ignore[attr-defined] # annotated
    if state not in HANDED_IN:
        raise Conflict(f"The questionnaire is {state.label}: there is nothing to review now.")
