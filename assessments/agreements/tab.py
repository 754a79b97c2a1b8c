"""What the pages of a business associate, and of a covered entity, show of the agreement."""

from __future__ import annotations

from typing import Any

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from assessments.agreements.models import Agreement, AgreementTerms
from assessments.agreements.needs import needs_of
from assessments.agreements.reading import facts_of
from assessments.agreements.states import State
from assessments.agreements.terms import warnings_of
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """For `agreements/_tab.html`: the covered entity's own side."""
    rows = Agreement.objects.with_state().filter(associate=associate)
    agreement = rows.filter(is_current=True).first()
    return {
        "agreement": agreement,
        "facts": facts_of(agreement) if agreement else [],
        "warnings": warnings_of(agreement) if agreement else [],
        "needs": [need for need in needs_of(associate) if agreement or need.agreement_id],
        "is_over": agreement is not None and agreement.state == State.TERMINATED,
        "former": rows.filter(is_current=False).order_by("-terminated_on"),
    }


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """For `agreements/_mirror.html`: what the covered entity shows the open tenant. Its log says that it was read."""
    terms = AgreementTerms.received.with_state().filter(partnership_id=partnership.pk).first()
    if terms is None or partnership.tenant_id is None:
        return {"terms": None}
    tell_sharer(
        partnership.tenant_id, Act.AGREEMENT_TERMS_READ, reader=partnership.downstream_name,
        object_type="agreement", object_id=terms.agreement_id,
    )  # fmt: skip
    return {"terms": terms, "facts": facts_of(terms)}
