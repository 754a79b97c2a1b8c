"""A tenant's own JSON Schema, which is as hostile as a document.

It can't fetch references, its patterns run in linear time (RE2), and it may take only so many steps an item. Imported
where a mapping has a schema alone: jsonschema takes seconds to import where its optional formats are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable

from evidence.formats.kit.errors import BadDocument, printable, quoted
from evidence.formats.kit.values import Node, pointer_part

MAX_STEPS = 20_000
"""Keywords that one item's validation may come to."""
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REFUSED = (
    "$dynamicRef",
    "$recursiveRef",
    "patternProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "uniqueItems",
)
Validate = Callable[[Node], None]


def make_validator(schema: Mapping[str, Any]) -> Validate:
    """A function that refuses an item by the schema. Raises BadDocument where the schema itself is bad."""
    _refuse_keywords(schema, "mapping/schema")
    if schema.get("$schema", _DRAFT).rstrip("#") != _DRAFT:
        raise BadDocument("JSON Schema 2020-12 is read", place="mapping/schema/$schema")
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        raise BadDocument("no valid JSON Schema", place="mapping/schema") from error
    left = [0]
    validator = _limited(left)(schema, registry=_registry())

    def validate(item: Node) -> None:
        left[0] = MAX_STEPS
        try:
            error = next(validator.iter_errors(item.value), None)
        except (RecursionError, Unresolvable) as problem:
            raise BadDocument(
                "the schema refers to itself or to what it doesn't hold", place="mapping/schema"
            ) from problem
        if error is not None:
            raise _refusal(item, error)

    return validate


def _refuse_keywords(schema: Any, place: str) -> None:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key in _REFUSED:
                raise BadDocument(f"the keyword {key} is not read", place=place)
            if key == "pattern" and isinstance(value, str):
                _compile(value, f"{place}/pattern")
            _refuse_keywords(value, f"{place}/{pointer_part(key)}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            _refuse_keywords(value, f"{place}/{index}")


def _compile(pattern: str, place: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1024 * 1024
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadDocument(f"the pattern {quoted(pattern)} can't be read by RE2", place=place) from error


def _registry() -> Any:
    # Registry is an attrs class whose aliases mypy doesn't see.
    make: Any = Registry
    return make(retrieve=_fetch_nothing)


def _fetch_nothing(uri: str) -> Any:
    raise NoSuchResource(uri)


def _limited(left: list[int]) -> Any:
    """The validator with every keyword counted and patterns of RE2."""
    keywords = dict(Draft202012Validator.VALIDATORS) | {"pattern": _match}
    return extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {name: _counted(call, left) for name, call in keywords.items()}
    )


def _counted(call: Any, left: list[int]) -> Any:
    def keyword(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        left[0] -= 1
        if left[0] < 0:
            raise BadDocument(
                f"one item takes more than {MAX_STEPS} steps to validate", place="mapping/schema"
            )
        yield from call(validator, value, instance, schema) or ()

    return keyword


def _match(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compile(pattern, "mapping/schema").search(instance):
        yield ValidationError("does not match the schema's pattern")


def _refusal(item: Node, error: ValidationError) -> BadDocument:
    """Says which keyword refuses, not the value: a document may hold what messages must not."""
    inner = "".join(f"/{pointer_part(str(part))}" for part in error.absolute_path)
    keyword = error.validator or "the schema"
    said = f"the schema's {keyword} refuses it"
    if (
        keyword == "required"
        and isinstance(error.instance, Mapping)
        and isinstance(error.validator_value, list)
    ):
        missing = [name for name in error.validator_value if name not in error.instance]
        said = f"{quoted(missing[0]) if missing else 'a field'} is missing"
    return BadDocument(printable(said), place=f"{item.place}{inner}")
