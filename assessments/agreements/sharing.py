"""What the business associate is shown of a signed agreement: the same dates and numbers that the other side sees."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from assessments.agreements.models import Agreement, AgreementTerms, copy_terms
from assessments.agreements.states import Stage
from assessments.partnerships.models import Partnership


def share_terms(partnership: Partnership) -> None:
    """Shows the current agreement to a business associate whose partnership has begun; nothing where none is signed."""
    agreement = Agreement.objects.filter(associate_id=partnership.associate_id, is_current=True).first()
    if agreement is not None:
        _write(agreement, partnership)


def show_terms(agreement: Agreement) -> None:
    """Shows what an agreement says now, where a partnership stands."""
    standing = Partnership.objects.filter(associate_id=agreement.associate_id, withdrawn_at=None)
    for partnership in standing:
        _write(agreement, partnership)


def withdraw_terms(partnership: Partnership) -> None:
    """Shows the business associate no terms any more."""
    shown = AgreementTerms.objects.filter(partnership_id=partnership.pk, withdrawn_at=None)
    shown.update(withdrawn_at=timezone.now())


def _write(agreement: Agreement, partnership: Partnership) -> None:
    if not _was_signed(agreement):
        return
    row = AgreementTerms.objects.filter(partnership_id=partnership.pk).first() or AgreementTerms(
        partnership_id=partnership.pk, viewer_id=partnership.viewer_id
    )
    copy_terms(agreement, row)
    values: dict[str, Any] = {
        "agreement_id": agreement.pk, "upstream_name": partnership.upstream_name,
        "downstream_name": partnership.downstream_name, "version": agreement.terms_version,
        "stage": agreement.stage, "terminated_on": agreement.terminated_on, "last_on": agreement.last_on,
    }  # fmt: skip
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def _was_signed(agreement: Agreement) -> bool:
    """A draft that was given up was never the other party's."""
    signed = agreement.signed_on is not None and agreement.effective_from is not None
    return signed and agreement.stage in {Stage.SIGNED, Stage.TERMINATED}
