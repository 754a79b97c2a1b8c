"""What is said of the items: by the downstream party, or written down by the upstream one that was told otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import current_tenant_id
from assessments.agreements.states import today
from assessments.exits.items import Item, item_of
from assessments.exits.mail import tell_other
from assessments.exits.models import REASONED, Exit, ExitEvidence, ExitProof, Said
from assessments.exits.reading import Standing, find_exit, find_received, picture_of
from assessments.exits.services.evidence import facts_about


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of an item. `on`: the day on which it was done."""

    said: Said
    on: date | None = None
    how: str = ""
    reason: str = ""
    protections: str = ""


def find_item(exit_: Exit, key: str) -> Item:
    """An item of the exit's checklist. Raises NotFound."""
    found = next((each for each in map(item_of, exit_.items) if each.key == key), None)
    if found is None:
        raise NotFound("The checklist has no such item.")
    return found


def answer_item(*, exit_id: UUID, key: str, answer: Answer, person: Person) -> ExitProof:
    """The downstream party's answer, shown to the upstream one; what was said before stays.

    Raises NotFound, Conflict once the exit is closed, InvalidInput.
    """
    exit_ = find_received(exit_id=exit_id)
    proof = _say(exit_, key, answer, person, viewer_id=exit_.upstream_id)
    tell_sharer(
        exit_.upstream_id, Act.EXIT_ANSWER, reader=exit_.downstream_name, object_type="exit", object_id=exit_.pk,
        item=key, said=str(answer.said),
    )  # fmt: skip
    # One message when all is answered, not one an item.
    if all(line.standing in {Standing.REVIEW, Standing.ACCEPTED} for line in picture_of(exit_).lines):
        tell_other(
            exit_, subject="Every item of an exit is answered",
            text="A business associate has answered every item of its exit. Accept each, or ask for more.",
        )  # fmt: skip
    return proof


def record_item(*, exit_id: UUID, key: str, answer: Answer, person: Person) -> ExitProof:
    """What the upstream party was told otherwise of an item. Raises NotFound, Conflict, InvalidInput."""
    exit_ = find_exit(exit_id=exit_id)
    return _say(exit_, key, answer, person, viewer_id=exit_.downstream_id)


def _say(exit_: Exit, key: str, answer: Answer, person: Person, *, viewer_id: UUID) -> ExitProof:
    item = find_item(exit_, key)
    if exit_.closed_at:
        raise Conflict("This exit is closed. What was said stays as it is.")
    _check(item, answer)
    proof: ExitProof = ExitProof.objects.create(
        **asdict(answer), viewer_id=viewer_id, exit_id=exit_.pk, item=key, by_name=person.name,
        by_hand=current_tenant_id() == exit_.upstream_id, evidence=_evidence(exit_, key),
    )  # fmt: skip
    record(
        Act.EXIT_ANSWER, object_type="exit", object_id=exit_.pk, item=key, said=str(answer.said),
        proof=str(proof.pk), by_hand=proof.by_hand,
    )  # fmt: skip
    return proof


def _check(item: Item, answer: Answer) -> None:
    if answer.said not in item.answers:
        raise InvalidInput("This can't be said of this item.", field="said")
    if answer.said in REASONED and not answer.reason.strip():
        raise InvalidInput("Say why.", field="reason")
    if answer.said == Said.NOT_FEASIBLE and item.phi and not answer.protections.strip():
        raise InvalidInput(
            "Say how it stays protected, and what it is still used for: 164.504(e)(2)(ii)(J).", field="protections"
        )  # fmt: skip
    if answer.on and answer.on > today():
        raise InvalidInput("That day is still to come.", field="on")
    if answer.said not in REASONED and answer.on is None:
        raise InvalidInput("Say on which day.", field="on")


def _evidence(exit_: Exit, key: str) -> dict[str, Any]:
    """What is shown of AWS now, as far as its disclosure goes; {} where nothing is."""
    shown = ExitEvidence.objects.filter(exit_id=exit_.pk).first()
    if shown is None:
        return {}
    return facts_about(shown, key)
