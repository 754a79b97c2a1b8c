"""The register of business associates, and what the tenant itself shows to others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from assessments.models import BusinessAssociate, SharingGrant
from assessments.partners.forms import BusinessAssociateForm
from assessments.partners.services import (
    end_business_associate,
    find_business_associate,
    keep_business_associate,
    values_of,
)
from assessments.partners.tiers import Reach as Reached
from assessments.partners.tiers import Volume
from assessments.sharing.services import find_grant, revoke_grant
from portal.api.endpoints import Acting, Doing, Listing, Reading
from portal.api.errors import FieldsUnfit
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text


def _words(most: int) -> serializers.CharField:
    return serializers.CharField(max_length=most, required=False, allow_blank=True)


class PartnerShape(serializers.Serializer[Any]):
    """A business associate in the register (45 CFR 160.103). `tier` 1 is the most exposed."""

    id = serializers.UUIDField(read_only=True)
    reference = text()
    name = text()
    services = text()
    phi_roles = serializers.ListField(child=serializers.CharField(), read_only=True)
    tier = serializers.IntegerField(read_only=True)
    systems = text()
    volume = serializers.ChoiceField(choices=[str(each) for each in Volume], read_only=True)
    reach = serializers.ChoiceField(choices=[str(each) for each in Reached], read_only=True)
    minimum_necessary = text(allow_blank=True)
    contact_name = text(allow_blank=True)
    contact_email = text(allow_blank=True)
    official_name = text(allow_blank=True)
    official_email = text(allow_blank=True)
    created_at = Moment()
    changed_at = Moment()
    ended_at = Moment(allow_null=True)


class PartnerChanges(serializers.Serializer[Any]):
    """What is to be otherwise in an entry; what isn't given stays. Never write PHI."""

    reference = serializers.CharField(max_length=64, required=False)
    name = serializers.CharField(max_length=200, required=False)
    services = _words(2000)
    creates = serializers.BooleanField(required=False)
    receives = serializers.BooleanField(required=False)
    maintains = serializers.BooleanField(required=False)
    transmits = serializers.BooleanField(required=False)
    volume = choice(*Volume)
    reach = choice(*Reached)
    systems = _words(2000)
    minimum_necessary = _words(2000)
    contact_name = _words(200)
    contact_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    official_name = _words(200)
    official_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)


class PartnerTakes(PartnerChanges):
    """A new entry. `reference` is your own key for it. Never write PHI."""

    reference = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)


class PartnerFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    reference = serializers.CharField(max_length=64, required=False)
    tier = serializers.IntegerField(min_value=1, max_value=3, required=False)
    ended = serializers.BooleanField(
        required=False, help_text="true: those that are ended; false: the others."
    )


class GrantShape(serializers.Serializer[Any]):
    """A consent of the tenant's own to show safeguards to one covered entity. `revoked_at` ends it at once."""

    id = serializers.UUIDField(read_only=True)
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    to = text("upstream_name")
    level = serializers.IntegerField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    citations = serializers.ListField(child=serializers.CharField(), read_only=True)
    granted_at = Moment()
    shown_from = Moment()
    shown_until = Moment(allow_null=True)
    revoked_at = Moment(source="withdrawn_at", allow_null=True)


class GrantFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    partnership = serializers.UUIDField(source="partnership_id", required=False)


PARTNER: dict[str, Any] = {
    "id": "019a7c20-0100-7d3e-9b2a-1c4d5e6f7a05", "reference": "BA-0042", "name": "Northfield Billing",
    "services": "Claims", "phi_roles": ["receives", "maintains"], "tier": 1, "systems": "Clearing house",
    "volume": "under_100000", "reach": "regular", "minimum_necessary": "", "contact_name": "", "contact_email": "",
    "official_name": "", "official_email": "",
    "created_at": "2026-01-12T09:30:00Z", "changed_at": "2026-02-01T10:00:00Z", "ended_at": None,
}  # fmt: skip
GRANT: dict[str, Any] = {
    "id": "019a7c21-0100-7d3e-9b2a-1c4d5e6f7a06", "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07",
    "to": "General Hospital", "level": 2, "version": 1, "citations": ["164.312(b)"],
    "granted_at": "2026-02-01T10:00:00Z", "shown_from": "2026-02-01T10:00:00Z", "shown_until": None, "revoked_at": None,
}  # fmt: skip


def _kept(associate: BusinessAssociate, given: dict[str, Any]) -> BusinessAssociate:
    """By the form that people use. Raises InvalidInput."""
    form = BusinessAssociateForm({**values_of(associate), **given}, instance=associate)
    if not form.is_valid():
        raise FieldsUnfit([
            {"pointer": f"#/{name}", "detail": str(said)} for name, each in form.errors.items() for said in each
        ])  # fmt: skip
    return keep_business_associate(associate=form.save(commit=False))


class _Writing(Doing):
    """An act upon an entry of the register."""

    scope, tag, shape, example, status = Scope.PARTNERS_WRITE, "Partners", PartnerShape, PARTNER, 200

    def look(self, request: ApiRequest, **ids: UUID) -> None:  # noqa: ARG002 (a narrowed client has no such scope)
        if ids:
            find_business_associate(associate_id=ids["associate_id"])


class PartnerCreate(_Writing):
    """Add a business associate to the register.

    Its tier follows from what it does with PHI.
    """

    operation, act, takes, status = "create_partner", Act.BUSINESS_ASSOCIATE_CREATE, PartnerTakes, 201

    def do(self, request: ApiRequest, given: dict[str, Any], **_ids: Any) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        made = _kept(BusinessAssociate(), given)
        return made, reverse("api-partner", args=[made.pk])


class PartnerChange(_Writing):
    """Change an entry of the register."""

    operation, act, takes = "change_partner", Act.BUSINESS_ASSOCIATE_CHANGE, PartnerChanges

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        return _kept(find_business_associate(associate_id=ids["associate_id"]), given), ""


class PartnerEnd(_Writing):
    """End an entry of the register.

    What is known of it stays. 409 while a partnership with it stands: people end that first, with a reason.
    """

    operation, act = "end_partner", Act.BUSINESS_ASSOCIATE_END
    example = {**PARTNER, "ended_at": "2026-03-01T06:00:00Z"}

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        return end_business_associate(associate_id=ids["associate_id"]), ""


class PartnerList(Acting, Listing):
    """List business associates, newest first."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "list_partners", "Partners", Act.BUSINESS_ASSOCIATE_LIST
    shape, filters, example, doing = PartnerShape, PartnerFilters, PARTNER, PartnerCreate

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        given = dict(asked.values)
        rows: QuerySet[BusinessAssociate] = BusinessAssociate.objects.all()
        if "ended" in given:
            rows = rows.filter(ended_at__isnull=not given.pop("ended"))
        return page_of(rows.filter(**given), asked)


class PartnerDetail(Acting, Reading):
    """Read one business associate."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "read_partner", "Partners", Act.BUSINESS_ASSOCIATE_READ
    shape, example, doing = PartnerShape, PARTNER, PartnerChange

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> BusinessAssociate:  # noqa: ARG002 (as above)
        return find_business_associate(associate_id=ids["associate_id"])


class GrantList(Listing):
    """List what the tenant shows to covered entities, newest first."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "list_grants", "Partners", Act.SHARING_READ
    shape, filters, example = GrantShape, GrantFilters, GRANT

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        return page_of(SharingGrant.objects.filter(**asked.values), asked)


class GrantDetail(Reading):
    """Read one grant of the tenant's own."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "read_grant", "Partners", Act.SHARING_READ
    shape, example = GrantShape, GRANT

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> SharingGrant:  # noqa: ARG002 (as above)
        return find_grant(ids["own_grant_id"])


class GrantRevoke(Doing):
    """Revoke a grant.

    The covered entity sees nothing of it from its next request on. A member proves both factors again first.
    """

    scope, operation, tag, act, step_up = (
        Scope.GRANTS_REVOKE,
        "revoke_grant",
        "Partners",
        Act.SHARING_REVOKE,
        True,
    )
    shape, example, status = GrantShape, {**GRANT, "revoked_at": "2026-03-01T06:00:00Z"}, 200

    def look(self, request: ApiRequest, **ids: UUID) -> None:  # noqa: ARG002 (as above)
        find_grant(ids["own_grant_id"])

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        return revoke_grant(grant_id=ids["own_grant_id"]), ""
