"""The base of every table that holds a tenant's data. A subclass is isolated without another line."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models
from django.db.models.base import ModelBase
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.tenancy.rls import AppendOnly, RowLevelSecurity, SharedRowSecurity, TenantReference
from accounts.tenancy.scope import TenantSwitchError, current_tenant_id


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): ordered by time for the index, not guessable, not sequential."""
    return uuid7()


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A reference to another row of the same tenant, kept so by a composite foreign key in the database."""

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class TenantModelBase(ModelBase):
    """Adds to each concrete subclass of TenantModel its policy, its composite key and its references."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> type:
        meta = attrs.get("Meta") or type("Meta", (), {})
        if not getattr(meta, "abstract", False):
            own = tuple(getattr(meta, "constraints", ()))
            shared = any(getattr(base, "shared", False) for base in bases)
            attrs["Meta"] = type(
                "Meta",
                (meta,),
                {
                    "constraints": [*own, *_tenant_constraints(name, attrs, shared=shared)],
                    **(_viewers_index(name, meta) if shared else {}),
                    "base_manager_name": "objects",
                    "default_manager_name": "objects",
                },
            )
        return super().__new__(cls, name, bases, attrs, **kwargs)


def _tenant_constraints(name: str, attrs: dict[str, Any], *, shared: bool) -> list[models.BaseConstraint]:
    prefix = f"{attrs['__module__'].partition('.')[0]}_{name.lower()}"
    references = [field for field, value in attrs.items() if isinstance(value, TenantForeignKey)]
    return [
        models.UniqueConstraint(fields=["tenant", "id"], name=f"{prefix}_tenant_id"),
        SharedRowSecurity(name=f"{prefix}_rls")
        if shared
        else RowLevelSecurity(name=f"{prefix}_rls", sealer_sees=attrs.get("sealer_sees", False)),
        *(TenantReference(name=f"{prefix}_{field}_fk", field=field) for field in references),
        *([AppendOnly(name=f"{prefix}_append_only")] if attrs.get("append_only") else []),
    ]


def _viewers_index(name: str, meta: type) -> dict[str, Any]:
    own = tuple(getattr(meta, "indexes", ()))
    return {"indexes": [*own, models.Index(fields=["viewer", "id"], name=f"{name.lower()[:22]}_viewer")]}


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class TenantManager(models.Manager[Row_co]):
    """Finds rows of the open tenant. Raises NoTenantError where none is open.

    The WHERE stands beside the policy on purpose: it gives the planner the tenant's index for operators that
    PostgreSQL won't run before a policy (those that are not leakproof).
    """

    def get_queryset(self) -> models.QuerySet[Row_co]:
        return super().get_queryset().filter(tenant_id=current_tenant_id())


class TenantModel(models.Model, metaclass=TenantModelBase):
    """A tenant's row. `append_only = True` in a subclass makes its rows unchangeable.

    `sealer_sees = True` shows them to the audit log's sealer whatever tenant is open, for tables of accounts.audit.
    """

    append_only: ClassVar[bool] = False
    sealer_sees: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        editable=False,
        db_index=False,
        related_name="+",
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row. Raises TenantSwitchError for a row of a tenant that is not open."""
        if self.tenant_id != current_tenant_id():
            raise TenantSwitchError("the row belongs to another tenant than the open one")
        if self.append_only and not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Deletes the row. Raises TypeError for append-only rows."""
        if self.append_only:
            raise TypeError(f"{type(self).__name__} rows are never deleted")
        return super().delete(*args, **kwargs)


class ReceivedManager(models.Manager[Row_co]):
    """Finds rows that other tenants show to the open one. Raises NoTenantError where none is open.

    What is withdrawn, over or not yet shown isn't there: the policy in the database leaves it out.
    """

    def get_queryset(self) -> models.QuerySet[Row_co]:
        return super().get_queryset().filter(viewer_id=current_tenant_id())


class SharedModel(TenantModel):
    """A row that its tenant shows to one other, the viewer, who can read it and nothing else.

    `objects` are the open tenant's own rows, `received` those that others show to it. Each party writes its own rows
    only: an answer to a row is a row of the other table, shown back. A viewer sees a row from `shown_from` until
    `shown_until` or until it is withdrawn, from the next transaction on. References that a viewer must follow are
    plain ids, looked up among what it receives; a TenantForeignKey leads to rows of the owner's, mostly not shown.
    """

    shared: ClassVar[bool] = True

    viewer = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, editable=False, db_index=False, related_name="+"
    )
    shown_from = models.DateTimeField(default=timezone.now)
    shown_until = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    received: ClassVar[ReceivedManager[Self]] = ReceivedManager()

    class Meta:
        abstract = True
