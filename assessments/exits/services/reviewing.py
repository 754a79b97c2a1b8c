"""The upstream party's part: it accepts answers or asks for more, records what came on paper, and closes the exit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.webhooks.events import EventType
from assessments.agreements.documents import Document, clean_name, seal_document
from assessments.agreements.states import today
from assessments.exits.clocks import REMIND
from assessments.exits.mail import tell_other
from assessments.exits.models import Exit, ExitPaper, ExitReview, Verdict
from assessments.exits.reading import find_exit, picture_of
from assessments.exits.webhooks import emit_exit
from assessments.timers.services import clear_timer


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate that came outside of the portal."""

    certified_by: str
    title: str
    certified_on: date
    reference: str
    words: str
    document: Document | None = None


def review_answer(*, exit_id: UUID, key: str, verdict: Verdict, words: str, person: Person) -> ExitReview:
    """Accepts the newest answer to an item, or asks for more.

    Raises NotFound, Conflict where nothing is to be reviewed, InvalidInput where it isn't said what is missing.
    """
    exit_ = find_exit(exit_id=exit_id)
    line = next((each for each in picture_of(exit_).lines if each.item.key == key), None)
    if line is None:
        raise NotFound("The checklist has no such item.")
    if exit_.closed_at or line.proof is None or line.by_upstream:
        raise Conflict("There is nothing to review here.")
    if verdict == Verdict.MORE and not words.strip():
        raise InvalidInput("Say what is missing.", field="words")
    review: ExitReview = ExitReview.objects.create(
        viewer_id=exit_.downstream_id, exit_id=exit_.pk, proof_id=line.proof.pk, item=key, verdict=verdict,
        words=words.strip(), by_name=person.name,
    )  # fmt: skip
    said: dict[str, Any] = {"item": key, "verdict": str(verdict)}
    record(Act.EXIT_REVIEW, object_type="exit", object_id=exit_.pk, proof=str(line.proof.pk), **said)
    _tell_log(exit_, Act.EXIT_REVIEW, **said)
    if verdict == Verdict.MORE:
        tell_other(
            exit_, subject="More is needed for an exit",
            text="A covered entity has read an answer of yours about the end of your work, and asks for more.",
        )  # fmt: skip
    return review


def record_paper(*, exit_id: UUID, paper: Paper, person: Person) -> ExitPaper:
    """Writes down a certificate that came on paper or by mail. Raises NotFound, Conflict, InvalidInput."""
    exit_ = find_exit(exit_id=exit_id)
    if exit_.closed_at:
        raise Conflict("This exit is closed.")
    if paper.certified_on > today():
        raise InvalidInput("That day is still to come.", field="certified_on")
    blob = seal_document(paper.document) if paper.document else None
    row: ExitPaper = ExitPaper.objects.create(
        exit=exit_, certified_by=paper.certified_by, title=paper.title, certified_on=paper.certified_on,
        reference=paper.reference, words=paper.words, blob=blob, recorded_by=person,
        file_name=clean_name(paper.document.name) if paper.document else "",
    )  # fmt: skip
    record(
        Act.EXIT_PAPER,
        object_type="exit",
        object_id=exit_.pk,
        paper=str(row.pk),
        sha256=blob.digest if blob else "",
    )
    return row


def close_exit(*, exit_id: UUID, note: str, person: Person) -> Exit:
    """Ends the exit once all is accepted and certified.

    Raises NotFound, Conflict naming what is missing, InvalidInput where exceptions are closed over without a word.
    """
    exit_ = Exit.objects.select_for_update().filter(pk=exit_id).first()
    if exit_ is None:
        raise NotFound("There is no such exit.")
    if exit_.closed_at:
        raise Conflict("This exit is closed already.")
    picture = picture_of(exit_)
    if picture.blocking:
        raise Conflict(" ".join(picture.blocking))
    if picture.remarks and not note.strip():
        raise InvalidInput("There are exceptions. Say why you close it as it stands.", field="note")
    exit_.closed_at, exit_.closed_by_name, exit_.closed_note = timezone.now(), person.name, note.strip()
    exit_.save(update_fields=["closed_at", "closed_by_name", "closed_note"])
    clear_timer(REMIND, exit_.pk)
    record(Act.EXIT_CLOSE, object_type="exit", object_id=exit_.pk, exceptions=len(picture.remarks))
    _tell_log(exit_, Act.EXIT_CLOSE)
    emit_exit(EventType.EXIT_CLOSED, exit_)
    tell_other(
        exit_, subject="An exit is closed",
        text="A covered entity has accepted the return or destruction of its PHI. The proof stays on its page.",
    )  # fmt: skip
    return exit_


def _tell_log(exit_: Exit, act: Act, **said: str) -> None:
    if not exit_.by_hand:
        tell_sharer(
            exit_.downstream_id,
            act,
            reader=exit_.upstream_name,
            object_type="exit",
            object_id=exit_.pk,
            **said,
        )
