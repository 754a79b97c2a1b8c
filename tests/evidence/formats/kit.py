"""Shorthands: a document in, its outcomes or its refusal out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from evidence.formats.base import BadDocument, Source, read_document
from evidence.formats.kit.mapping import FieldMapping
from evidence.formats.kit.outcomes import Header, Outcome

SAMPLES = Path(__file__).parent / "samples"


def read(
    document: Any, format_name: str = "", mapping: FieldMapping | None = None, name: str = ""
) -> tuple[Header, list[Outcome]]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    reading = read_document(
        Source(stream=io.BytesIO(data), mapping=mapping, name=name), format_name=format_name
    )
    return reading.header, list(reading.outcomes)


def read_sample(name: str) -> tuple[Header, list[Outcome]]:
    return read((SAMPLES / name).read_bytes(), name=name)


def refusal(document: Any, format_name: str = "", mapping: FieldMapping | None = None) -> str:
    with pytest.raises(BadDocument) as caught:
        read(document, format_name, mapping)
    return str(caught.value)


def table(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    """Result, check and resource: what a reader looks at first."""
    return [(o.result.value, o.check.id, o.resource.id if o.resource else "") for o in outcomes]
