"""Rows of every tenant table, made without a word about any of them: a table written tomorrow takes part as well."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy.models import TenantForeignKey, TenantModel, new_id
from accounts.tenancy.rls import ImmutableColumns
from tests.architecture import everything
from tests.factories import make_onlooker, make_person

WORDLESS = {
    "calendarfeed", "chainstate", "exitresource", "noticetold", "operatorwindow", "sharedposturepoint", "timer", "verificationreminder",
}  # fmt: skip
"""Tables without a column that any word fits and that may change: test_tenancy.py has their fence."""
TENANT_MODELS = [model for model in everything.TENANT_MODELS if model._meta.model_name not in WORDLESS]
TABLES = {model._meta.db_table: model for model in TENANT_MODELS}


def _value_field(model: type[models.Model]) -> models.Field[Any, Any]:
    """A field that may hold any word and takes part in no constraint: what operations read and change."""
    bound = {name for constraint in model._meta.constraints for name in getattr(constraint, "fields", ())}
    bound |= {
        name
        for constraint in model._meta.constraints
        if isinstance(constraint, ImmutableColumns)
        for name in constraint.columns
    }
    words = [
        each
        for each in model._meta.concrete_fields
        if isinstance(each, models.CharField | models.TextField) and each.name not in bound
    ]
    return (
        words[0]
        if words
        else next(each for each in model._meta.concrete_fields if isinstance(each, models.JSONField))
    )


NAMED = {"submissionstream": "name"}
"""Tables whose only word is one of several columns that are unique together: the others differ in each row."""
VALUE = {model: NAMED.get(str(model._meta.model_name)) or _value_field(model).name for model in TENANT_MODELS}
ONE_OF = {"requestevidence": {"snapshot"}}
"""Columns that may be empty, of which a row has to fill one."""
PARENTS = {
    model: [each for each in model._meta.concrete_fields if isinstance(each, TenantForeignKey)]
    for model in TENANT_MODELS
}


def _sample(of: models.Field[Any, Any]) -> Any:
    samples: list[tuple[type, Any]] = [
        (models.GenericIPAddressField, "192.0.2.1"), (models.CharField, secrets.token_hex(16)), (models.TextField, "text"),
        (models.DateTimeField, timezone.now()), (models.DateField, timezone.now().date()), (models.BinaryField, secrets.token_bytes(8)), (models.BooleanField, True),
        (models.PositiveBigIntegerField, secrets.randbelow(2**40)), (models.IntegerField, 1), (models.FloatField, 1.0), (models.JSONField, {}), (ArrayField, []), (models.UUIDField, new_id()),
    ]  # fmt: skip
    value = next(value for kind, value in samples if isinstance(of, kind))
    return value[: of.max_length] if isinstance(value, str) else value


def build(model: Any, value: str, **fixed: Any) -> tuple[TenantModel, list[TenantModel]]:
    """An unsaved row with rows made for all that it refers to."""
    fields, made = dict(fixed), []
    for each in model._meta.concrete_fields:
        if (
            each.primary_key
            or each.name in {"tenant", *fixed}
            or each.has_default()
            or (each.null and each.name not in ONE_OF.get(str(model._meta.model_name), ()))
            or getattr(each, "auto_now_add", False)
            or each.has_db_default()
        ):
            continue
        if isinstance(each, TenantForeignKey):
            parent, older = build(each.related_model, f"p{value}")
            parent.save(force_insert=True)
            made += [*older, parent]
            fields[each.name] = parent
        else:
            fields[each.name] = _referred(each) if isinstance(each, models.ForeignKey) else _sample(each)
    return model(**{**fields, VALUE[model]: value}), made


def _referred(to: models.ForeignKey[Any, Any]) -> Any:
    return make_onlooker() if to.related_model is Tenant else make_person()


def sql(statement: str, **arguments: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


def refused(act: Callable[[], object], what: str) -> None:
    try:
        with transaction.atomic():
            act()
    except DatabaseError:
        return
    raise AssertionError(f"{what} was accepted")


def word(value: Any) -> str:
    return str(value).strip('"')
