"""What can be done with the register of business associates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import savepoint
from assessments.partners.forms import FIELDS, BusinessAssociateForm
from assessments.partners.models import BusinessAssociate, BusinessAssociateImport
from assessments.partners.sheets import form_data, odd_flags, read_sheet


class LineKind(StrEnum):
    """What a row of a sheet would do."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a sheet beside the register. `changes`: field to [before, after]; `errors`: field to sentences."""

    number: int
    kind: LineKind
    reference: str
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


def find_business_associate(*, associate_id: UUID) -> BusinessAssociate:
    """One of the register. Raises NotFound."""
    found = BusinessAssociate.objects.filter(pk=associate_id).first()
    if found is None:
        raise NotFound("There is no such business associate.")
    return found


def keep_business_associate(*, associate: BusinessAssociate) -> BusinessAssociate:
    """Writes a new or changed one. Raises InvalidInput where its reference is another's."""
    fresh = associate._state.adding
    try:
        with savepoint():
            associate.save()
    except IntegrityError as error:
        raise InvalidInput("Another business associate has this reference.", field="reference") from error
    act = Act.BUSINESS_ASSOCIATE_CREATE if fresh else Act.BUSINESS_ASSOCIATE_CHANGE
    record(act, object_type="business_associate", object_id=associate.pk, tier=associate.tier)
    return associate


def end_business_associate(*, associate_id: UUID) -> BusinessAssociate:
    """Marks that it does nothing for the tenant any more; what is known of it stays, invitations lapse.

    Raises Conflict when it is so, and while its partnership stands, whose end is an act of its own: with a reason,
    told to the other side, and for good.
    """
    associate = find_business_associate(associate_id=associate_id)
    if associate.ended_at:
        raise Conflict(f"{associate.name} is ended already.")
    now = timezone.now()
    # First, so that an acceptance that is under way is waited for, and its partnership seen.
    associate.invitations.filter(accepted_at=None, revoked_at=None).update(revoked_at=now)
    if associate.partnerships.filter(withdrawn_at=None).exists():
        raise Conflict(
            f"{associate.name} works with you here as a tenant of its own. End the partnership first, in its tab"
            " Partnership; then the entry can be ended."
        )
    associate.ended_at = now
    associate.save()
    record(Act.BUSINESS_ASSOCIATE_END, object_type="business_associate", object_id=associate.pk)
    return associate


def preview_import(*, content: bytes, by: Person) -> BusinessAssociateImport:
    """Reads a sheet and says what each row would do, without doing it. Raises InvalidInput for what is no sheet."""
    lines = _compare(read_sheet(content))
    draft = BusinessAssociateImport.objects.create(
        file_sha256=hashlib.sha256(content).hexdigest(), lines=[asdict(line) for line in lines], created_by=by
    )
    counts = Counter(str(line.kind) for line in lines)
    record(Act.BUSINESS_ASSOCIATE_IMPORT_PREVIEW, object_type="import", object_id=draft.pk, rows=dict(counts))
    return draft


def find_import(*, import_id: UUID) -> BusinessAssociateImport:
    """A draft. Raises NotFound."""
    found = BusinessAssociateImport.objects.filter(pk=import_id).first()
    if found is None:
        raise NotFound("There is no such import.")
    return found


def confirm_import(*, import_id: UUID) -> Counter[str]:
    """Does what the preview said, all of it or nothing; returns how many rows did what.

    Raises Conflict where the register has changed since in what the sheet is about, where rows have errors, and for an
    import that was confirmed before.
    """
    draft = BusinessAssociateImport.objects.select_for_update().filter(pk=import_id).first()
    if draft is None:
        raise NotFound("There is no such import.")
    if draft.confirmed_at:
        raise Conflict("This import was confirmed already.")
    lines = lines_of(draft)
    if any(line.kind is LineKind.ERROR for line in lines):
        raise Conflict("Rows have errors, so nothing was imported. Correct the sheet and choose it again.")
    if _compare([(line.number, line.values) for line in lines]) != lines:
        raise Conflict(
            "The register has changed since this preview. Choose the sheet again to see what it does now."
        )
    _apply(lines)
    draft.confirmed_at = timezone.now()
    draft.save(update_fields=["confirmed_at"])
    counts = Counter(str(line.kind) for line in lines)
    record(Act.BUSINESS_ASSOCIATE_IMPORT, object_type="import", object_id=draft.pk, rows=dict(counts))
    return counts


def lines_of(draft: BusinessAssociateImport) -> list[Line]:
    """The rows of a draft."""
    return [Line(**{**line, "kind": LineKind(line["kind"])}) for line in draft.lines]


def values_of(associate: BusinessAssociate) -> dict[str, Any]:
    """What the register keeps of one, by field."""
    return {name: getattr(associate, name) for name in FIELDS}


def _compare(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Line]:
    references = Counter(_reference(row) for _, row in rows)
    known = {
        each.reference: each for each in BusinessAssociate.objects.filter(reference__in=list(references))
    }
    return [
        _line(number, row, known.get(_reference(row)), doubled=references[_reference(row)] > 1)
        for number, row in rows
    ]


def _reference(row: Mapping[str, Any]) -> str:
    return str(row.get("reference", "")).strip()


def _line(number: int, row: Mapping[str, Any], known: BusinessAssociate | None, *, doubled: bool) -> Line:
    before = values_of(known or BusinessAssociate())
    text_row = {name: value for name, value in row.items() if isinstance(value, str)}
    form = BusinessAssociateForm({**before, **row, **form_data(text_row)}, instance=BusinessAssociate())
    errors = {name: [str(each) for each in said] for name, said in form.errors.items()} | odd_flags(text_row)
    if doubled:
        errors["reference"] = ["The sheet has this reference more than once."]
    reference, name = _reference(row), str(row.get("name", ""))
    if errors:
        return Line(number, LineKind.ERROR, reference, name, values=dict(row), errors=errors)
    values = {field_name: form.cleaned_data[field_name] for field_name in FIELDS}
    if known is None:
        return Line(number, LineKind.NEW, reference, name, values)
    changes = {each: [before[each], values[each]] for each in FIELDS if before[each] != values[each]}
    return Line(number, LineKind.CHANGED if changes else LineKind.UNCHANGED, reference, name, values, changes)


def _apply(lines: list[Line]) -> None:
    known = {
        each.reference: each
        for each in BusinessAssociate.objects.select_for_update().filter(
            reference__in=[line.reference for line in lines]
        )
    }
    fresh = [BusinessAssociate(**line.values) for line in lines if line.kind is LineKind.NEW]
    changed = [_with(known[line.reference], line.values) for line in lines if line.kind is LineKind.CHANGED]
    for associate in (*fresh, *changed):
        associate.tier, associate.changed_at = associate.explained_tier.number, timezone.now()
    BusinessAssociate.objects.bulk_create(fresh, batch_size=1000)
    BusinessAssociate.objects.bulk_update(changed, [*FIELDS, "tier", "changed_at"], batch_size=500)


def _with(associate: BusinessAssociate, values: dict[str, Any]) -> BusinessAssociate:
    for name, value in values.items():
        setattr(associate, name, value)
    return associate
