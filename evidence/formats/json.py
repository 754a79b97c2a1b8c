"""Plain JSON by a saved mapping, and a tenant's own JSON Schema (2020-12) of one item.

`items` finds the list, the mapping's pointers find fields in an item; evidence/formats/kit/schema.py limits the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, Path, values_at
from evidence.formats.kit.mapping import FIELDS, FieldMapping, map_outcome
from evidence.formats.kit.outcomes import Header, Outcome
from evidence.formats.kit.values import Node

Validate = Callable[[Node], None]


def read(source: Source) -> Reading:
    """The header names what the mapping says of the producer."""
    mapping = source.mapping
    if mapping is None:
        raise BadDocument("JSON is read by a saved mapping; name one.")
    return Reading(Header(producer=mapping.producer), _outcomes(source, mapping, _validator(mapping)))


def _validator(mapping: FieldMapping) -> Validate:
    if mapping.schema is None:
        return _accept
    from evidence.formats.kit.schema import make_validator

    return make_validator(mapping.schema)


def _accept(_item: Node) -> None:
    """A mapping without a schema."""


def _outcomes(source: Source, mapping: FieldMapping, validate: Validate) -> Iterator[Outcome]:
    for _path, item in values_at(source.stream, _items_path(mapping)):
        validate(item)
        values = {name: _value(item, mapping.field_of(name)) for name in FIELDS if mapping.field_of(name)}
        yield map_outcome(mapping, values, item.place or "/")


def _items_path(mapping: FieldMapping) -> Path:
    """The path of every item; without `items`, the top list's."""
    return (*_parts(mapping.items), ANY)


def _parts(pointer: str) -> Path:
    if pointer and not pointer.startswith("/"):
        raise BadDocument(f"{quoted(pointer)} is no JSON pointer; it begins with /", place="mapping")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _value(item: Node, pointer: str) -> str:
    node = item
    for part in _parts(pointer):
        node = _step(node, part)
    return ", ".join(each.text() for each in node.each()) if isinstance(node.value, list) else node.text()


def _step(node: Node, part: str) -> Node:
    if isinstance(node.value, list):
        index = int(part) if part.isdecimal() and len(part) < 7 else -1  # noqa: PLR2004  more than a list can hold
        found = node.value[index] if 0 <= index < len(node.value) else None
        return Node(found, f"{node.place}/{part}")
    return node.get(part)


FORMAT = Format(
    title="JSON by a saved schema and mapping",
    media_types=("application/json",),
    recognises=lambda _start: False,
    read=read,
    needs_mapping=True,
)
