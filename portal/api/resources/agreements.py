"""Agreements with business associates, and what covered entities show of theirs with the tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from assessments.agreements.checklist import checklist_of
from assessments.agreements.models import Agreement, AgreementTerms, ClauseAnswer, Disposal, VersionKind
from assessments.agreements.reading import versions_of
from assessments.agreements.services import find_agreement
from assessments.agreements.states import Stage, State
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text
from portal.api.resources.sides import tell_owners

TAG = "Agreements"


def _number() -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True, read_only=True)


class TermsShape(serializers.Serializer[Any]):
    """What an agreement says. Null: it doesn't say, or nobody has looked yet. Hours run from discovery or the event."""

    own_party = text(allow_blank=True)
    other_party = text(allow_blank=True)
    signed_on = serializers.DateField(allow_null=True, read_only=True)
    effective_from = serializers.DateField(allow_null=True, read_only=True)
    ends_on = serializers.DateField(allow_null=True, read_only=True)
    renews = serializers.BooleanField(read_only=True)
    renewal_months = _number()
    notice_days = _number()
    incident_hours = _number()
    breach_hours = _number()
    contingency_hours = _number()
    workforce_hours = _number()
    return_days = _number()
    disposal = serializers.ChoiceField(choices=["", *Disposal.values], read_only=True)
    audit_right = serializers.BooleanField(allow_null=True, read_only=True)
    binds_subcontractors = serializers.BooleanField(allow_null=True, read_only=True)


class AgreementShape(TermsShape):
    """A business associate agreement as it stands. `state` follows from its dates on this day (UTC)."""

    id = serializers.UUIDField(read_only=True)
    partner = serializers.UUIDField(source="associate_id", read_only=True)
    current = serializers.BooleanField(source="is_current", read_only=True)
    version = serializers.IntegerField(read_only=True)
    stage = serializers.ChoiceField(choices=Stage.choices, read_only=True)
    state = serializers.ChoiceField(choices=State.choices, read_only=True)
    terminated_on = serializers.DateField(allow_null=True, read_only=True)
    last_on = serializers.DateField(allow_null=True, read_only=True)
    clauses_missing = serializers.IntegerField(read_only=True)
    clauses_open = serializers.IntegerField(read_only=True)
    created_at = Moment()
    changed_at = Moment()


class VersionShape(TermsShape):
    """What it said from a version on. `sha256` is of its document, where there is one."""

    id = serializers.UUIDField(read_only=True)
    number = serializers.IntegerField(read_only=True)
    kind = serializers.ChoiceField(choices=VersionKind.choices, read_only=True)
    summary = text(allow_blank=True)
    sha256 = serializers.SerializerMethodField()
    recorded_at = Moment()

    def get_sha256(self, row: Any) -> str:
        """Empty without a document."""
        return row.blob.digest if row.blob else ""


class ClauseShape(serializers.Serializer[Any]):
    """A clause that the Rules ask for or permit, and what was found of it. `answer` is `open` where nobody looked."""

    id = text("clause.id")
    citation = text("clause.citation")
    title = text("clause.title")
    weight = text("clause.weight")
    answer = serializers.ChoiceField(choices=[*ClauseAnswer.values, "open"], read_only=True)
    gap = serializers.BooleanField(source="is_gap", read_only=True)


class AgreementDetailShape(AgreementShape):
    """An agreement with its versions, the newest first, and its clauses in the order of the regulations."""

    versions = serializers.SerializerMethodField()
    clauses = serializers.SerializerMethodField()

    def get_versions(self, row: Agreement) -> VersionShape(many=True):  # type: ignore[valid-type] # as drf-spectacular reads it
        """All of them."""
        return VersionShape(versions_of(row), many=True).data

    def get_clauses(self, row: Agreement) -> ClauseShape(many=True):  # type: ignore[valid-type] # as above
        """Of the newest version."""
        return ClauseShape(checklist_of(row), many=True).data


class AgreementFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    partner = serializers.UUIDField(source="associate_id", required=False)
    state = choice(*State.values)
    current = serializers.BooleanField(source="is_current", required=False)


class ShownTermsShape(TermsShape):
    """A signed agreement as a covered entity shows it to the tenant, its business associate."""

    id = serializers.UUIDField(read_only=True)
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    upstream = text("upstream_name")
    version = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=State.choices, read_only=True)
    terminated_on = serializers.DateField(allow_null=True, read_only=True)
    last_on = serializers.DateField(allow_null=True, read_only=True)
    changed_at = Moment()


class ShownTermsFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    partnership = serializers.UUIDField(source="partnership_id", required=False)
    state = choice(*State.values)


TERMS: dict[str, Any] = {
    "own_party": "General Hospital", "other_party": "Northfield Billing", "signed_on": "2025-06-01",
    "effective_from": "2025-07-01", "ends_on": "2027-06-30", "renews": False, "renewal_months": None, "notice_days": 90,
    "incident_hours": 24, "breach_hours": 72, "contingency_hours": 24, "workforce_hours": None, "return_days": 30,
    "disposal": "either", "audit_right": True, "binds_subcontractors": True,
}  # fmt: skip
AGREEMENT: dict[str, Any] = {
    "id": "019a7c60-0100-7d3e-9b2a-1c4d5e6f7a16", "partner": "019a7c20-0100-7d3e-9b2a-1c4d5e6f7a05", **TERMS,
    "current": True, "version": 2, "stage": "signed", "state": "in_force", "terminated_on": None,
    "last_on": "2027-06-30", "clauses_missing": 0, "clauses_open": 1, "created_at": "2025-06-01T09:00:00Z",
    "changed_at": "2026-02-01T10:00:00Z",
}  # fmt: skip
VERSION = {
    "id": "019a7c60-0200-7d3e-9b2a-1c4d5e6f7a17", "number": 2, "kind": "amendment", "summary": "72 hours for breaches",
    **TERMS, "sha256": "9f86d081884c7d65" * 4, "recorded_at": "2026-02-01T10:00:00Z",
}  # fmt: skip
CLAUSE = {
    "id": "uses", "citation": "164.504(e)(2)(i)", "title": "Permitted and required uses", "weight": "required",
    "answer": "present", "gap": False,
}  # fmt: skip
SHOWN = {
    "id": "019a7c61-0100-7d3e-9b2a-1c4d5e6f7a18", "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07",
    "upstream": "General Hospital", **TERMS, "version": 2, "state": "in_force", "terminated_on": None,
    "last_on": "2027-06-30", "changed_at": "2026-02-01T10:00:00Z",
}  # fmt: skip


class AgreementList(Listing):
    """List agreements with business associates, newest first."""

    scope, operation, tag, act = Scope.AGREEMENTS_READ, "list_agreements", TAG, Act.AGREEMENT_LIST
    shape, filters, example = AgreementShape, AgreementFilters, AGREEMENT

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        return page_of(Agreement.objects.with_state().filter(**asked.values), asked)


class AgreementDetail(Reading):
    """Read one agreement: its terms, clauses and versions."""

    scope, operation, tag, act = Scope.AGREEMENTS_READ, "read_agreement", TAG, Act.AGREEMENT_READ
    shape, example = AgreementDetailShape, {**AGREEMENT, "versions": [VERSION], "clauses": [CLAUSE]}

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Agreement:  # noqa: ARG002 (as above)
        return find_agreement(agreement_id=ids["agreement_id"])


class ShownTermsList(Listing):
    """List agreements that covered entities show to the tenant, newest first.

    The log of each of them says that it was read.
    """

    scope, operation, tag, act = Scope.AGREEMENTS_READ, "list_agreement_terms", TAG, Act.AGREEMENT_TERMS_READ
    shape, filters, example = ShownTermsShape, ShownTermsFilters, SHOWN

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        page = page_of(AgreementTerms.received.with_state().filter(**asked.values), asked)
        tell_owners(page.rows, Act.AGREEMENT_TERMS_READ, "page", "agreement-terms")
        return page
