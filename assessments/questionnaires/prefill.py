"""Proposals: what live evidence says of a question, and what was answered last time.

A person confirms or changes them; until then they are no answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from assessments import posture
from assessments.models import Evaluation
from assessments.questionnaires.content import AnswerKind, Content, Question
from assessments.questionnaires.entries import Carried, Entry, Source
from assessments.questionnaires.models import Answers
from assessments.status import Status


class Evidenced:
    """What the open tenant's evidence says now, read once."""

    def __init__(self) -> None:
        states = posture.read_safeguards()
        self._states = {state.safeguard.citation: state for state in states}
        self._tallies = {entry.tally.check_id: entry for entry in posture.unique_tallies(states)}
        newest = Evaluation.objects.order_by("-at").values_list("at", flat=True).first()
        self._at: datetime | None = newest

    def propose(self, question: Question) -> Source | None:
        """What the evidence answers; None where it can't tell.

        The question's own checks come first, since they are nearer to its words than the safeguard's status. Something
        unseen proposes nothing: silence never counts as a yes.
        """
        if question.kind is not AnswerKind.YES_NO or self._at is None:
            return None
        return self._by_checks(question) or self._by_status(question)

    def _by_checks(self, question: Question) -> Source | None:
        said = [self._tallies[check] for check in question.checks if check in self._tallies]
        seen = [entry for entry in said if entry.tally.passed or entry.tally.failed]
        if not seen or any(entry.tally.unknown for entry in said):
            return None
        passed, failed = sum(e.tally.passed for e in seen), sum(e.tally.failed for e in seen)
        value = "yes" if not failed else "partly" if passed else "no"
        lost = [entry.title for entry in seen if entry.tally.failed]
        reason = f"{failed} of {passed + failed} outcomes fail: {'; '.join(lost)}." if failed else ""
        what = f"{passed} of {passed + failed} outcomes pass in {len(seen)} checks of AWS"
        return self._source(value, reason, what)

    def _by_status(self, question: Question) -> Source | None:
        state = self._states.get(question.citation)
        if state is None or state.status not in {Status.SATISFIED, Status.NOT_SATISFIED}:
            return None
        if state.status is Status.SATISFIED:
            return self._source("yes", "", f"{question.citation} is {state.status.label}: {state.why}")
        value = "partly" if state.passing else "no"
        return self._source(value, state.why, f"{question.citation} has a {state.status.label}: {state.why}")

    def _source(self, value: str, reason: str, what: str) -> Source:
        at = self._at.isoformat() if self._at else ""
        return Source(value=value, reason=reason[:1000], what=what[:1000], at=at)


def proposals(content: Content, last: Answers | None, *, live: bool) -> dict[str, Entry]:
    """An entry for each question that something can be proposed for. `live`: the open tenant's own evidence is asked.

    Where evidence and last year differ, the evidence is proposed and last year's stands beside it.
    """
    evidence = Evidenced() if live else None
    found = {
        question.key: _proposal(
            question, evidence.propose(question) if evidence else None, _carried(question, last)
        )
        for question in content.questions
    }
    return {key: entry for key, entry in found.items() if entry.source or entry.carried}


def _proposal(question: Question, source: Source | None, carried: Carried | None) -> Entry:
    given = source or carried
    value = given.value if given else ""
    # What was chosen once may not be offered any more.
    if question.offered and value not in {each.label for each in question.offered}:
        value = ""
    return Entry(value=value, reason=given.reason if given and value else "", source=source, carried=carried)


def _carried(question: Question, last: Answers | None) -> Carried | None:
    said: Mapping[str, str] | None = last.entries.get(question.key) if last else None
    if last is None or said is None or not said.get("value"):
        return None
    changed = said.get("asked", "") != question.fingerprint
    return Carried(last.year, said["value"], said.get("reason", ""), question_changed=changed)


def changed_questions(content: Content, before: Content) -> tuple[list[str], list[str], list[str]]:
    """Keys of questions that are new, that ask something else, and that are gone."""
    now = {question.key: question.fingerprint for question in content.questions}
    then = {question.key: question.fingerprint for question in before.questions}
    both: Iterable[str] = [key for key in now if key in then]
    return (
        [key for key in now if key not in then],
        [key for key in both if now[key] != then[key]],
        [key for key in then if key not in now],
    )
