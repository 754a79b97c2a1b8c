"""Which connection a model's rows are read and written on: a tenant's rows on the one where the tenant is open.

People, sessions and their ways in stay on the default connection: an auditor's role has no rights there.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from accounts.tenancy.models import TenantModel
from accounts.tenancy.scope import DEFAULT, current_database


class TenantRouter:
    """For DATABASE_ROUTERS. All aliases are roles in one database, so that rows of any two may refer to each other."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        return current_database() if _of_tenant(model) else DEFAULT

    db_for_write = db_for_read

    def allow_relation(self, _one: Model, _other: Model, **_hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, _app_label: str, **_hints: Any) -> bool:
        return db == DEFAULT


def _of_tenant(model: type[Model]) -> bool:
    return issubclass(model, TenantModel) or model._meta.label == "accounts.Tenant"
