"""Saved mappings: what a tenant's CSV and plain JSON documents mean, tried out before they are used."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import savepoint
from evidence.formats.base import BadDocument, Source, read_document
from evidence.formats.kit.mapping import FieldMapping, mapping_from
from evidence.formats.kit.outcomes import Outcome
from evidence.models import SubmissionMapping

MOST_BYTES = 64 * 1024
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sample gives: its first outcomes, how many there are, or what is wrong with it."""

    outcomes: tuple[Outcome, ...] = ()
    total: int = 0
    problem: str = ""


def live_mappings() -> QuerySet[SubmissionMapping]:
    """Those that documents can name, by name, the newest version first."""
    rows: QuerySet[SubmissionMapping] = SubmissionMapping.objects.filter(retired_at=None)
    return rows.order_by("name", "-version")


def find_mapping(mapping_id: UUID) -> SubmissionMapping:
    """One mapping, retired ones too. Raises NotFound."""
    found: SubmissionMapping | None = (
        SubmissionMapping.objects.select_related("created_by").filter(pk=mapping_id).first()
    )
    if found is None:
        raise NotFound("There is no such mapping.")
    return found


def content_to_use(mapping_id: UUID | None) -> dict[str, Any] | None:
    """The JSON of the mapping that a document names. Raises InvalidInput where there is none, or it is retired."""
    if mapping_id is None:
        return None
    found = live_mappings().filter(pk=mapping_id).first()
    if found is None:
        raise InvalidInput("There is no such mapping, or it is retired.", field="mapping")
    return dict(found.content)


def check_content(content: Mapping[str, Any]) -> FieldMapping:
    """The mapping that the JSON says. Raises InvalidInput with what is wrong and where."""
    if len(json.dumps(content)) > MOST_BYTES:
        raise InvalidInput("A mapping has at most 64 KiB.", field="content")
    try:
        return mapping_from(content)
    except BadDocument as error:
        raise InvalidInput(str(error), field="content") from error


def save_mapping(
    *, name: str, content: Mapping[str, Any], by: Person, description: str = ""
) -> SubmissionMapping:
    """Saves a mapping, as the next version where the name is there. Raises InvalidInput, Conflict."""
    check_content(content)
    said = name.strip()
    newest = SubmissionMapping.objects.filter(name=said).order_by("-version").first()
    try:
        with savepoint():
            row = SubmissionMapping.objects.create(
                name=said, version=newest.version + 1 if newest else 1, content=dict(content), created_by=by,
                description=description,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("Somebody saved another version just now. Look at it first.") from error
    record(
        Act.MAPPING_CHANGE, object_type="mapping", object_id=row.pk, change="saved", name=row.name,
        version=row.version,
    )  # fmt: skip
    return row


def retire_mapping(*, mapping_id: UUID) -> SubmissionMapping:
    """Lets no further document name it. What was read by it stays. Raises NotFound, Conflict."""
    row = find_mapping(mapping_id)
    if not SubmissionMapping.objects.filter(pk=row.pk, retired_at=None).update(retired_at=timezone.now()):
        raise Conflict("This mapping is retired already.")
    record(
        Act.MAPPING_CHANGE, object_type="mapping", object_id=row.pk, change="retired", name=row.name,
        version=row.version,
    )  # fmt: skip
    return row


def try_mapping(*, content: Mapping[str, Any], sample: bytes, format_name: str) -> Trial:
    """Reads a sample, of which nothing is kept. Raises InvalidInput for a mapping that is none."""
    mapping = check_content(content)
    try:
        reading = read_document(Source(stream=io.BytesIO(sample), mapping=mapping), format_name=format_name)
        first = tuple(islice(reading.outcomes, SHOWN))
        return Trial(first, len(first) + sum(1 for _ in reading.outcomes))
    except BadDocument as error:
        return Trial(problem=str(error))
