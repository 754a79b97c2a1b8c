"""Documents that are held back: two people release one, or one deletes it for good. Each says why.

Whoever decides holds the row's lock meanwhile, so that of two who decide at once the second sees what the first did.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import EVERYTHING, Reach
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import ApiClient, Membership, Person
from accounts.notices import send_after_commit, site_link
from accounts.permissions import ROLE_PERMISSIONS, Permission
from accounts.tenancy.scope import current_tenant_id
from evidence.models import ReleaseDecision, Submission, SubmissionState
from evidence.phi.kinds import Weight
from evidence.phi.text import find_in_text
from evidence.queue import ring_after_commit
from evidence.submissions.endings import NOT_KEPT, remove_after_commit
from evidence.submissions.receipts import receipt_digest
from evidence.submissions.services import PROCESS_SUBMISSION, find_submission

NEEDED = 2
"""How many people release a document."""
MAIL_EVERY = timedelta(hours=1)
SHORTEST_REASON = 10


def decide_release(*, submission_id: UUID, by: Person, reason: str) -> Submission:
    """Records that a person holds the document for free of PHI; the second one's decision lets it be read.

    Raises NotFound, Conflict where it isn't held back or the person has decided, Forbidden for the person who sent
    it, InvalidInput for a reason that says nothing or repeats an identifier.
    """
    row = _held(submission_id)
    if row.person_id == by.pk:
        raise Forbidden(
            "You sent this document: two others decide whether it is released. You can delete it."
        )
    said = _reason(reason)
    if ReleaseDecision.objects.filter(submission=row, person=by).exists():
        raise Conflict("You have decided already. The second decision is another person's.")
    decision = ReleaseDecision.objects.create(
        submission=row, person=by, person_name=(by.name or by.email)[:150], reason=said
    )
    decided = count_decisions(row)
    record(
        Act.SUBMISSION_RELEASE, object_type="submission", object_id=row.pk, sequence=row.sequence,
        decision=str(decision.pk), decisions=decided, needed=NEEDED,
    )  # fmt: skip
    if decided >= NEEDED:
        _release(row)
    return row


def delete_held(*, submission_id: UUID, by: Person, reason: str) -> Submission:
    """Deletes a document that is held back; its row stays, with who did it and why. Raises as `decide_release`."""
    return _delete(_held(submission_id), by, _reason(reason))


def delete_pushed(*, submission_id: UUID, client: ApiClient, reach: Reach = EVERYTHING) -> Submission:
    """The same for the client that pushed the document; who made the client stands for it. Once more changes nothing.

    Raises NotFound for what the client may not see, Forbidden for what another sent, Conflict where it isn't held back.
    """
    row = find_submission(submission_id, reach, client_id=client.pk)
    if row.client_id != client.pk:
        raise Forbidden("This client didn't send the document: people decide about it, on its page.")
    row = Submission.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if row.state == SubmissionState.DELETED:
        record(Act.SUBMISSION_READ, object_type="submission", object_id=row.pk, state=row.state)
        return row
    if row.state != SubmissionState.QUARANTINED:
        raise Conflict(f"Only a document that is held back can be deleted. This one is {row.state}.")
    return _delete(row, client.created_by, f"The API client {client.name} took back what it had sent.")


def _delete(row: Submission, by: Person, said: str) -> Submission:
    values = {
        "state": SubmissionState.DELETED, "due_at": None, "name": "", "deleted_by": by, "deletion_reason": said,
        "processed_at": timezone.now(), **NOT_KEPT,
    }  # fmt: skip
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    remove_after_commit(row)
    record(
        Act.SUBMISSION_DELETE,
        object_type="submission",
        object_id=row.pk,
        sequence=row.sequence,
        receipt_sha256=receipt_digest(row.receipt),
    )
    return row


def count_decisions(row: Submission) -> int:
    """How many people stand for a document's release: those who decided, and may still decide today."""
    may = list(_deciders().values_list("person_id", flat=True))
    return ReleaseDecision.objects.filter(submission=row, person__in=may).count()


def count_held() -> int:
    """How many documents wait for a decision."""
    return Submission.objects.filter(state=SubmissionState.QUARANTINED).count()


def tell_held(row: Submission) -> None:
    """Mails those who may decide, at most once an hour: a scanner may send the same thing every minute."""
    lately = Submission.objects.filter(
        state=SubmissionState.QUARANTINED, processed_at__gt=timezone.now() - MAIL_EVERY
    )
    if lately.exclude(pk=row.pk).exists():
        return
    for address in _deciders().values_list("person__email", flat=True):
        send_after_commit(
            to=address, subject="A document is held back: it may hold PHI", template="submissions/held_mail.txt",
            sequence=row.sequence, url=site_link("submission", row.pk),
        )  # fmt: skip


def _deciders() -> QuerySet[Membership]:
    roles = [role for role, may in ROLE_PERMISSIONS.items() if Permission.SUBMISSION_RELEASE in may]
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return Membership.objects.filter(living, role__in=roles, person__is_active=True).order_by("id")


def _held(submission_id: UUID) -> Submission:
    found: Submission | None = (
        Submission.objects.select_for_update(of=("self",)).filter(pk=submission_id).first()
    )
    if found is None:
        raise NotFound("There is no such submission.")
    if found.state != SubmissionState.QUARANTINED:
        raise Conflict("This document isn't held back, or somebody has decided meanwhile.")
    return found


def _reason(given: str) -> str:
    said = given.strip()
    if len(said) < SHORTEST_REASON:
        raise InvalidInput("Say in a sentence why.", field="reason")
    hits = [hit for hit in find_in_text(said, "the reason") if hit.weight is Weight.BLOCK]
    if hits:
        kinds = ", ".join(sorted({hit.kind.replace("_", " ") for hit in hits}))
        raise InvalidInput(
            f"The reason itself seems to hold an identifier ({kinds}). Say it without.", field="reason"
        )
    return said


def _release(row: Submission) -> None:
    """Makes the document wait for a worker again, which no longer asks for PHI."""
    row.state, row.due_at, row.attempt, row.released = SubmissionState.RECEIVED, timezone.now(), 0, True
    row.save(update_fields=["state", "due_at", "attempt", "released"])
    ring_after_commit(PROCESS_SUBMISSION, current_tenant_id(), [row.pk])
