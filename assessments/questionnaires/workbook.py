"""Questionnaires as workbooks: a row a question, out to be filled in and in again with a preview.

Nothing in a workbook acts: its cells are text, and what would begin a formula stands behind an apostrophe. What comes
back is text from outside: see assessments.partners.sheets for what is refused before it is read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, NotFound
from accounts.models import Person
from assessments.partners.sheets import Row, read_table, write_workbook
from assessments.questionnaires.answering import Given, Work, read_work, save_answers
from assessments.questionnaires.content import AnswerKind, Question
from assessments.questionnaires.entries import Entry, find_fault, parse_date
from assessments.questionnaires.models import AnswersImport, Questionnaire

COLUMNS = (
    "questionnaire",
    "key",
    "section",
    "citation",
    "question",
    "how to answer",
    "answer",
    "reason",
    "help",
)
_READ = ("questionnaire", "key", "answer", "reason")
_WIDTHS = (12, 16, 24, 20, 60, 28, 28, 48, 60)


class LineKind(StrEnum):
    """What a row of a workbook would do."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """A row beside the draft. `number` is its row in the sheet, the first being 1; `before` what the draft says."""

    number: int
    kind: LineKind
    key: str
    prompt: str = ""
    value: str = ""
    reason: str = ""
    before: str = ""
    error: str = ""


def write_questions(work: Work) -> bytes:
    """The questions with what is answered so far; proposals are left out, since nobody confirmed them."""
    rows = [
        (
            str(work.questionnaire.pk), question.key, section.title, question.citation, question.prompt, _how(question),
            *_said(work.entries.get(question.key, Entry())), question.help,
        )
        for section in work.content.sections
        for question in section.questions
    ]  # fmt: skip
    record(
        Act.QUESTIONNAIRE_EXPORT, object_type="questionnaire", object_id=work.questionnaire.pk, rows=len(rows)
    )
    return write_workbook("Questions", (COLUMNS, *rows), _WIDTHS)


def preview_workbook(questionnaire: Questionnaire, *, content: bytes, by: Person | None) -> AnswersImport:
    """Says what each row would do, without doing it. Raises InvalidInput for what is no such workbook, Conflict."""
    work = read_work(questionnaire)
    if not work.open:
        raise Conflict(f"The questionnaire is {work.state.label}, so its answers stay as they are.")
    lines = _compare(work, read_table(content, needed=("questionnaire", "key", "answer"), known=_READ))
    draft = AnswersImport.objects.create(
        questionnaire_id=questionnaire.pk,
        file_sha256=hashlib.sha256(content).hexdigest(),
        lines=[asdict(line) for line in lines],
        created_by=by,
    )
    counts = Counter(str(line.kind) for line in lines)
    record(
        Act.QUESTIONNAIRE_IMPORT_PREVIEW,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        rows=dict(counts),
    )
    return draft


def find_workbook(*, workbook_id: UUID) -> AnswersImport:
    """A workbook that was read. Raises NotFound."""
    found = AnswersImport.objects.filter(pk=workbook_id).first()
    if found is None:
        raise NotFound("There is no such workbook.")
    return found


def lines_of(draft: AnswersImport) -> list[Line]:
    """The rows of a workbook that was read."""
    return [Line(**{**line, "kind": LineKind(line["kind"])}) for line in draft.lines]


def confirm_workbook(questionnaire: Questionnaire, *, workbook_id: UUID) -> Counter[str]:
    """Writes what the preview said into the draft, all of it or nothing; how many rows did what.

    Raises NotFound, and Conflict where rows have errors, the draft has changed since, or it was confirmed before.
    """
    draft = AnswersImport.objects.select_for_update().filter(pk=workbook_id).first()
    if draft is None or draft.questionnaire_id != questionnaire.pk:
        raise NotFound("There is no such workbook.")
    if draft.confirmed_at:
        raise Conflict("This workbook was taken over already.")
    lines = lines_of(draft)
    if any(line.kind is LineKind.ERROR for line in lines):
        raise Conflict(
            "Rows have errors, so nothing was taken over. Correct the workbook and choose it again."
        )
    work = read_work(questionnaire)
    if any(_before(work, line.key) != line.before for line in lines):
        raise Conflict("Answers have changed since this preview. Choose the workbook again.")
    save_answers(questionnaire, _given(lines))
    draft.confirmed_at = timezone.now()
    draft.save(update_fields=["confirmed_at"])
    counts = Counter(str(line.kind) for line in lines)
    record(
        Act.QUESTIONNAIRE_IMPORT, object_type="questionnaire", object_id=questionnaire.pk, rows=dict(counts)
    )
    return counts


def _given(lines: list[Line]) -> dict[str, Given]:
    written = (line for line in lines if line.kind in {LineKind.NEW, LineKind.CHANGED})
    return {line.key: Given(line.value, line.reason) for line in written}


def _compare(work: Work, rows: list[tuple[int, Row]]) -> list[Line]:
    keys = Counter(row["key"].strip() for _, row in rows)
    return [_line(work, number, row, doubled=keys[row["key"].strip()] > 1) for number, row in rows]


def _line(work: Work, number: int, row: Row, *, doubled: bool) -> Line:
    key, question = row["key"].strip(), work.content.find(row["key"].strip())
    if question is None:
        return Line(
            number, LineKind.ERROR, key[:64], error="The questionnaire has no question with this key."
        )
    said: dict[str, Any] = {"number": number, "key": key, "prompt": question.prompt}
    value, reason = plain_value(question, row["answer"].strip()), row.get("reason", "").strip()
    fault = _row_fault(work, row, doubled=doubled) or find_fault(question, value, reason)
    if fault:
        return Line(**said, kind=LineKind.ERROR, value=value[:200], reason=reason[:200], error=fault)
    before = _before(work, key)
    return Line(**said, kind=_kind(before, value, reason), value=value, reason=reason, before=before)


def _row_fault(work: Work, row: Row, *, doubled: bool) -> str:
    if row["questionnaire"].strip() != str(work.questionnaire.pk):
        return "This row is of another questionnaire. Download this one's workbook."
    return "The sheet has this question more than once." if doubled else ""


def _kind(before: str, value: str, reason: str) -> LineKind:
    if before == _joined(value, reason):
        return LineKind.UNCHANGED if value else LineKind.EMPTY
    # An empty cell leaves what is answered as it is: who fills in part of a sheet takes nothing away.
    if not value:
        return LineKind.EMPTY
    return LineKind.CHANGED if before else LineKind.NEW


def _before(work: Work, key: str) -> str:
    return _joined(*_said(work.entries.get(key, Entry())))


def _joined(value: str, reason: str) -> str:
    return f"{value}: {reason}" if reason else value


def _said(entry: Entry) -> tuple[str, str]:
    return (entry.value, entry.reason) if entry.answered else ("", "")


def _how(question: Question) -> str:
    if question.offered:
        return " / ".join(each.label for each in question.offered)
    return {AnswerKind.DATE: "date: YYYY-MM-DD", AnswerKind.NUMBER: "a whole number"}.get(
        question.kind, "text"
    )


def plain_value(question: Question, value: str) -> str:
    """An answer as spreadsheets write it, in the form that is kept: days without a time, 24.0 as 24, "Yes" as "yes"."""
    if question.kind is AnswerKind.DATE:
        day = parse_date(value)
        return day.isoformat() if day else value
    if question.kind is AnswerKind.NUMBER:
        return value.removesuffix(".0")
    labels: Mapping[str, str] = {each.label.lower(): each.label for each in question.offered}
    return labels.get(value.lower(), value)
