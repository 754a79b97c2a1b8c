"""A small JSON document, whole: a mapping, an item. With the same refusals as the stream's."""

from __future__ import annotations

from typing import Any, BinaryIO

from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.jsonstream import values_at


def load_small(stream: BinaryIO) -> Any:
    """The one value of a document. Raises BadDocument."""
    values = [found.node.value for found in values_at(stream, ())]
    if len(values) != 1:
        raise BadDocument("one JSON value is expected")
    return values[0]
