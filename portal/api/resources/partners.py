"""The register of business associates, and what the tenant itself shows to others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from assessments.models import BusinessAssociate, SharingGrant
from assessments.partners.services import find_business_associate
from assessments.sharing.services import find_grant, revoke_grant
from portal.api.endpoints import Doing, Listing, Reading
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, text


class PartnerShape(serializers.Serializer[Any]):
    """A business associate in the register (45 CFR 160.103). `tier` 1 is the most exposed."""

    id = serializers.UUIDField(read_only=True)
    reference = text()
    name = text()
    services = text()
    phi_roles = serializers.ListField(child=serializers.CharField(), read_only=True)
    tier = serializers.IntegerField(read_only=True)
    systems = text()
    created_at = Moment()
    changed_at = Moment()
    ended_at = Moment(allow_null=True)


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
    "created_at": "2026-01-12T09:30:00Z", "changed_at": "2026-02-01T10:00:00Z", "ended_at": None,
}  # fmt: skip
GRANT: dict[str, Any] = {
    "id": "019a7c21-0100-7d3e-9b2a-1c4d5e6f7a06", "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07",
    "to": "General Hospital", "level": 2, "version": 1, "citations": ["164.312(b)"],
    "granted_at": "2026-02-01T10:00:00Z", "shown_from": "2026-02-01T10:00:00Z", "shown_until": None, "revoked_at": None,
}  # fmt: skip


class PartnerList(Listing):
    """List business associates, newest first."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "list_partners", "Partners", Act.BUSINESS_ASSOCIATE_LIST
    shape, filters, example = PartnerShape, PartnerFilters, PARTNER

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        given = dict(asked.values)
        rows: QuerySet[BusinessAssociate] = BusinessAssociate.objects.all()
        if "ended" in given:
            rows = rows.filter(ended_at__isnull=not given.pop("ended"))
        return page_of(rows.filter(**given), asked)


class PartnerDetail(Reading):
    """Read one business associate."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "read_partner", "Partners", Act.BUSINESS_ASSOCIATE_READ
    shape, example = PartnerShape, PARTNER

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
