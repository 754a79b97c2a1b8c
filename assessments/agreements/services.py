"""What can be done with agreements: record, amend, sign, terminate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import savepoint
from assessments.agreements.checklist import count_clauses
from assessments.agreements.documents import Document, clean_name, seal_document
from assessments.agreements.models import (
    TERM_FIELDS,
    Agreement,
    AgreementVersion,
    TermColumns,
    VersionKind,
    copy_terms,
)
from assessments.agreements.reminders import plan_reminders
from assessments.agreements.sharing import show_terms
from assessments.agreements.states import Stage, State, today
from assessments.agreements.terms import Terms, received_terms, terms_of
from assessments.agreements.waiting import plan_terms
from assessments.partners.services import find_business_associate

__all__ = [
    "NewVersion", "Terms", "add_version", "find_agreement", "find_version", "flaws_of", "kinds_open_to",
    "received_terms", "record_agreement", "set_stage", "state_of", "terminate_agreement", "terms_of",
]  # fmt: skip

BINDING = frozenset({VersionKind.SIGNED, VersionKind.AMENDMENT, VersionKind.RENEWAL})
"""Kinds of versions that both parties signed."""
AT_ONCE = ("ends_on", "renews", "renewal_months", "notice_days")
"""What a signed change of the term moves from its signature on, whenever the rest of it takes effect."""
ORIGINAL = ("signed_on", "effective_from")
"""What an amendment or a renewal says of itself, and not of the agreement."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be recorded. `terms` is an unsaved version that holds the terms."""

    kind: VersionKind
    terms: AgreementVersion
    summary: str = ""
    document: Document | None = None


def find_agreement(*, agreement_id: UUID) -> Agreement:
    """One with its state. Raises NotFound."""
    rows = Agreement.objects.with_state().select_related("associate")
    found: Agreement | None = rows.filter(pk=agreement_id).first()
    if found is None:
        raise NotFound("There is no such agreement.")
    return found


def find_version(*, agreement_id: UUID, version_id: UUID) -> AgreementVersion:
    """A version of an agreement with its document's blob. Raises NotFound."""
    rows = AgreementVersion.objects.select_related("blob", "agreement__associate")
    found = rows.filter(pk=version_id, agreement_id=agreement_id).first()
    if found is None:
        raise NotFound("There is no such version.")
    return found


def state_of(agreement: Agreement) -> State:
    """The state of an agreement that was found by `find_agreement`."""
    return State(str(agreement.state))


def record_agreement(*, associate_id: UUID, new: NewVersion, by: Person) -> Agreement:
    """Records a draft or a signed agreement as an associate's current one.

    Raises NotFound, InvalidInput, and Conflict where it has one that isn't terminated.
    """
    associate = find_business_associate(associate_id=associate_id)
    if associate.ended_at:
        raise Conflict(f"The relation with {associate.name} is ended.")
    if new.kind not in {VersionKind.DRAFT, VersionKind.SIGNED}:
        raise InvalidInput("Begin with a draft or with the signed agreement.", field="kind")
    _check(new)
    _retire(associate_id)
    agreement = Agreement(associate=associate, version=0, terms_version=0)
    copy_terms(new.terms, agreement)
    try:
        with savepoint():
            agreement.save()
    except IntegrityError as error:
        raise Conflict(f"{associate.name} has an agreement already. Add a version to it.") from error
    _add(agreement, new, by)
    _record(Act.AGREEMENT_CREATE, agreement, kind=new.kind)
    return agreement


def add_version(*, agreement_id: UUID, new: NewVersion, by: Person) -> AgreementVersion:
    """Adds the next version: a draft, the signed agreement, an amendment, a renewal, or a correction.

    Raises NotFound, InvalidInput, and Conflict where the agreement is not at a stage for it.
    """
    agreement = _locked(agreement_id)
    if new.kind not in kinds_open_to(agreement):
        kinds = ", ".join(kind.label.lower() for kind in kinds_open_to(agreement)) or "nothing"
        raise InvalidInput(f"To this agreement can be added: {kinds}.", field="kind")
    _check(new)
    version = _add(agreement, new, by)
    _record(Act.AGREEMENT_VERSION, agreement, kind=new.kind, version=version.number)
    return version


def kinds_open_to(agreement: Agreement) -> Sequence[VersionKind]:
    """Which versions can follow."""
    if agreement.stage in {Stage.DRAFT, Stage.NEGOTIATION}:
        return (VersionKind.DRAFT, VersionKind.SIGNED)
    if agreement.stage == Stage.SIGNED:
        return (VersionKind.AMENDMENT, VersionKind.RENEWAL, VersionKind.CORRECTION)
    return ()


def set_stage(*, agreement_id: UUID, stage: Stage) -> Agreement:
    """Says that a draft is in negotiation, or a draft again. Raises NotFound, Conflict once it is signed."""
    agreement = _locked(agreement_id)
    if {agreement.stage, stage} != {Stage.DRAFT, Stage.NEGOTIATION}:
        raise Conflict("An agreement goes between draft and negotiation as long as it isn't signed.")
    agreement.stage = stage
    agreement.save()
    _record(Act.AGREEMENT_STAGE, agreement, stage=str(stage))
    return agreement


def terminate_agreement(*, agreement_id: UUID, terminated_on: date, reason: str) -> Agreement:
    """Ends an agreement from a day on, which may lie ahead; a draft is given up with it.

    Raises NotFound, Conflict where it is terminated, InvalidInput for a day before it took effect.
    """
    agreement = _locked(agreement_id)
    if agreement.stage == Stage.TERMINATED:
        raise Conflict("The agreement is terminated already.")
    if agreement.effective_from and terminated_on < agreement.effective_from:
        raise InvalidInput("It ends before it took effect.", field="terminated_on")
    if agreement.stage != Stage.SIGNED and terminated_on > today():
        raise InvalidInput("A draft is given up today or on a day that is over.", field="terminated_on")
    agreement.stage, agreement.terminated_on = Stage.TERMINATED, terminated_on
    agreement.termination_reason = reason
    agreement.save()
    _follow(agreement)
    _record(Act.AGREEMENT_TERMINATE, agreement, on=terminated_on.isoformat())
    return agreement


def apply_due_terms(agreement_id: UUID) -> datetime | None:
    """Lets the terms of amendments whose day has come be the agreement's; returns when the next one's comes."""
    agreement = _locked(agreement_id)
    waiting = AgreementVersion.objects.filter(
        agreement=agreement, number__gt=agreement.terms_version, kind__in=BINDING
    ).order_by("number")
    for version in waiting.filter(effective_from__lte=today()):
        _apply(agreement, version)
    _follow(agreement)
    return plan_terms(agreement)


def _locked(agreement_id: UUID) -> Agreement:
    found: Agreement | None = Agreement.objects.select_for_update().filter(pk=agreement_id).first()
    if found is None:
        raise NotFound("There is no such agreement.")
    return found


def _retire(associate_id: UUID) -> None:
    """Gives the place of a terminated agreement free."""
    over = Agreement.objects.filter(
        associate_id=associate_id, is_current=True, stage=Stage.TERMINATED, terminated_on__lte=today()
    )
    over.update(is_current=False)


def _add(agreement: Agreement, new: NewVersion, by: Person) -> AgreementVersion:
    blob = seal_document(new.document) if new.document else None
    version = AgreementVersion(
        agreement=agreement, number=agreement.version + 1, kind=new.kind, summary=new.summary, blob=blob,
        file_name=clean_name(new.document.name) if new.document else "", recorded_by=by,
    )  # fmt: skip
    copy_terms(new.terms, version)
    version.save()
    agreement.version = version.number
    _take(agreement, version)
    agreement.clauses_missing, agreement.clauses_open = count_clauses(agreement)
    agreement.save()
    _follow(agreement)
    return version


def _take(agreement: Agreement, version: AgreementVersion) -> None:
    """Lets a version say what the agreement says: at once, or but for its term when its day comes."""
    if version.kind == VersionKind.SIGNED:
        agreement.stage = Stage.SIGNED
    changes = version.kind in {VersionKind.AMENDMENT, VersionKind.RENEWAL}
    if changes and version.effective_from and version.effective_from > today():
        for name in AT_ONCE:
            setattr(agreement, name, getattr(version, name))
    else:
        _apply(agreement, version, save=False)


def _apply(agreement: Agreement, version: AgreementVersion, *, save: bool = True) -> None:
    keeps = ORIGINAL if version.kind in {VersionKind.AMENDMENT, VersionKind.RENEWAL} else ()
    for name in TERM_FIELDS:
        if name not in keeps:
            setattr(agreement, name, getattr(version, name))
    agreement.terms_version = version.number
    if save:
        agreement.save()


def _follow(agreement: Agreement) -> None:
    """Moves what depends on an agreement's dates and terms."""
    plan_reminders(agreement)
    plan_terms(agreement)
    show_terms(agreement)


def _check(new: NewVersion) -> None:
    for flaw in flaws_of(new):
        raise flaw


def flaws_of(new: NewVersion) -> Iterator[InvalidInput]:
    """What a version would be refused for, each at its field; the document apart."""
    terms = new.terms
    if terms.effective_from and terms.ends_on and terms.ends_on < terms.effective_from:
        yield InvalidInput("The last day comes before the first.", field="ends_on")
    if terms.renews and not (terms.ends_on and terms.renewal_months):
        yield InvalidInput("Say when its term ends, and for how many months it renews.", field="renews")
    if new.kind != VersionKind.DRAFT:
        yield from _flaws_of_signed(terms)
    elif terms.signed_on:
        yield InvalidInput("A draft isn't signed. Choose “Signed agreement” where it is.", field="signed_on")


def _flaws_of_signed(terms: TermColumns) -> Iterator[InvalidInput]:
    for name, words in (("signed_on", "it was signed"), ("effective_from", "it takes effect")):
        if getattr(terms, name) is None:
            yield InvalidInput(f"Say when {words}.", field=name)
    # A day of grace: where it was signed it may be tomorrow already.
    if terms.signed_on and terms.signed_on > today() + timedelta(days=1):
        yield InvalidInput("It can't have been signed on a day that is still to come.", field="signed_on")


def _record(act: Act, agreement: Agreement, **details: str | int) -> None:
    said = {name: str(value) for name, value in details.items()}
    record(
        act, object_type="agreement", object_id=agreement.pk, associate=str(agreement.associate_id), said=said
    )
