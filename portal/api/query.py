"""Queries of the interface: an allow-list of parameters, pages by signed cursors, and chosen fields.

A cursor is bound to the tenant and to the query that it continues: another tenant's, another list's or a forged one
is refused. Lists are newest first by id (UUIDv7), so that what comes to them meanwhile moves no page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework import serializers

from accounts.errors import InvalidInput
from accounts.tenancy.scope import current_tenant_id
from portal.api.kinds import unfit_texts

DEFAULT_LIMIT, MOST_LIMIT = 50, 200
_signer = signing.Signer(sep=".", salt="api cursor")


class UnknownParameter(InvalidInput):
    """The query has a parameter that the address doesn't know, or one twice, or one with a value that doesn't fit."""

    slug = "unfit-parameter"

    def __init__(self, detail: str, errors: list[dict[str, str]]) -> None:
        super().__init__(detail)
        self.members = {"errors": errors}


class CursorUnfit(InvalidInput):
    """No page of this list gave the cursor."""

    slug = "cursor-unfit"


class NoFilters(serializers.Serializer[Any]):
    """For addresses without filters."""


class Paging(serializers.Serializer[Any]):
    """What every list takes beside its filters."""

    limit = serializers.IntegerField(
        min_value=1,
        max_value=MOST_LIMIT,
        required=False,
        help_text=f"How many at most; {DEFAULT_LIMIT} unless said.",
    )
    cursor = serializers.CharField(
        max_length=1000, required=False, help_text="`next` of the page before, with the same filters."
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was read. `values` are the filters that were given; `fields` is None for all."""

    values: Mapping[str, Any]
    fields: frozenset[str] | None
    limit: int
    last: UUID | None
    digest: str


class Page(NamedTuple):
    """Some rows, and the cursor of the page after them; None on the last."""

    rows: list[Any]
    next: str | None


def read_query(
    request: HttpRequest, filters: type[serializers.Serializer[Any]], shown: Collection[str], *, paged: bool
) -> Asked:
    """The query of an address that takes `filters` and shows the fields `shown`. Raises InvalidInput."""
    kinds: list[type[serializers.Serializer[Any]]] = [filters, Paging] if paged else [filters]
    known = {name for kind in kinds for name in field_names(kind)} | ({"fields"} if shown else set())
    _refuse_unknown(request, known)
    said = {name: value for name in known if (value := request.GET.get(name)) is not None}
    given, *others = (
        _validated(kinds, said) if said else [dict(_when_nothing_is_said(kind)) for kind in kinds]
    )
    paging = others[0] if paged else {}
    digest = _digest(request, given)
    return Asked(
        given, _chosen(said.get("fields"), shown), paging.get("limit", DEFAULT_LIMIT),
        _read_cursor(paging["cursor"], digest) if "cursor" in paging else None, digest,
    )  # fmt: skip


@cache
def field_names(kind: type[serializers.Serializer[Any]]) -> tuple[str, ...]:
    """The fields of a serializer, which is slow to make, as it copies each."""
    return tuple(str(name) for name in kind().fields)


@cache
def _when_nothing_is_said(kind: type[serializers.Serializer[Any]]) -> Mapping[str, Any]:
    return _validated([kind], {})[0]


def _validated(
    kinds: Iterable[type[serializers.Serializer[Any]]], said: Mapping[str, str]
) -> list[dict[str, Any]]:
    checkers = [kind(data=said) for kind in kinds]
    wrong = {
        name: words
        for checker in checkers
        if not checker.is_valid()
        for name, words in checker.errors.items()
    }
    for checker in checkers:
        wrong |= unfit_texts(checker, said)
    if wrong:
        errors = [{"parameter": name, "detail": str(said[0])} for name, said in wrong.items()]
        raise UnknownParameter(
            "Some parameters can't be used: the member errors says which, and why.", errors
        )
    return [dict(checker.validated_data) for checker in checkers]


def page_of(rows: QuerySet[Any], asked: Asked) -> Page:
    """The page of the rows that was asked for, newest first."""
    if asked.last is not None:
        rows = rows.filter(pk__lt=asked.last)
    return cut(list(rows.order_by("-pk")[: asked.limit + 1]), asked, lambda row: row.pk)


def cut(found: list[Any], asked: Asked, key: Any) -> Page:
    """A page out of one row more than was asked for, if there are that many."""
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    return Page(shown, _sign_cursor(key(shown[-1]), asked.digest) if more else None)


def _refuse_unknown(request: HttpRequest, known: set[str]) -> None:
    wrong = [
        {"parameter": name[:100], "detail": "given more than once" if name in known else "not known here"}
        for name, values in request.GET.lists()
        if name not in known or len(values) > 1
    ]
    if wrong:
        raise UnknownParameter(f"This address takes {', '.join(sorted(known))}, each at most once.", wrong)


def _chosen(said: str | None, shown: Collection[str]) -> frozenset[str] | None:
    if said is None:
        return None
    chosen = frozenset(said.split(","))
    if not chosen <= set(shown):
        detail = f"choose among {', '.join(shown)}, with commas between"
        raise UnknownParameter(
            "There are other fields than those.", [{"parameter": "fields", "detail": detail}]
        )
    return chosen


def _digest(request: HttpRequest, given: Mapping[str, Any]) -> str:
    said = json.dumps([request.path_info, sorted((name, str(value)) for name, value in given.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _sign_cursor(last: UUID, digest: str) -> str:
    return _signer.sign_object([current_tenant_id().hex, digest, last.hex])


def _read_cursor(cursor: str, digest: str) -> UUID:
    try:
        tenant, query, last = _signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError) as error:
        raise CursorUnfit("This is no cursor of ours. Begin with the list's first page.") from error
    if tenant != current_tenant_id().hex or query != digest:
        raise CursorUnfit(
            "This cursor belongs to another list or to other filters. Begin with the first page."
        )
    return UUID(last)
