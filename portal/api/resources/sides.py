"""What two tenants have in common: own rows beside those that others show, and whose log says that they were read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from accounts.models import Tenant
from accounts.tenancy.scope import current_tenant_id
from portal.api.query import Asked, Page, cut
from portal.api.resources.fields import choice

UPSTREAM, DOWNSTREAM = "upstream", "downstream"
SIDES = (UPSTREAM, DOWNSTREAM)


class SideFilter(serializers.Serializer[Any]):
    """Which part the tenant has: upstream is the covered entity's, downstream the business associate's."""

    side = choice(*SIDES)
    partnership = serializers.UUIDField(source="partnership_id", required=False)


def side_field() -> serializers.ChoiceField:
    """The tenant's own side."""
    return serializers.ChoiceField(choices=SIDES, read_only=True)


def page_of_both(asked: Asked, sources: dict[str, QuerySet[Any]]) -> Page:
    """A page out of rows of both sides, newest first; each gets `side`."""
    lookups = {name: value for name, value in asked.values.items() if name != "side"}
    found: list[Any] = []
    for side, rows in sources.items():
        if asked.values.get("side", side) == side:
            wanted = rows.filter(**lookups, **({"pk__lt": asked.last} if asked.last else {}))
            found += [_on(side, row) for row in wanted.order_by("-pk")[: asked.limit + 1]]
    found.sort(key=lambda row: row.pk, reverse=True)
    return cut(found[: asked.limit + 1], asked, lambda row: row.pk)


def find_on_either(thing_id: UUID, sources: dict[str, QuerySet[Any]]) -> Any:
    """The row of that id with its `side`; None where there is none."""
    for side, rows in sources.items():
        found = rows.filter(pk=thing_id).first()
        if found is not None:
            return _on(side, found)
    return None


def tell_owners(rows: Iterable[Any], act: Act, object_type: str, object_id: object = "") -> None:
    """Says in the logs of the others among the rows' tenants that these were read; once in each."""
    owners = {row.tenant_id: row for row in rows if row.tenant_id != current_tenant_id()}
    reader = Tenant.objects.get().name if owners else ""
    for tenant_id, row in owners.items():
        tell_sharer(tenant_id, act, reader=reader, object_type=object_type, object_id=object_id or row.pk)


def _on(side: str, row: Any) -> Any:
    row.side = side
    return row
