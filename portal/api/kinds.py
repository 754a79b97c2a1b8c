"""A body's values have the JSON types that the description says.

REST framework alone takes a number for its digits and a text for the number that it spells: what a client then finds
stored is not what it sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_WORDS: Mapping[type, str] = {
    bool: "Give true or false.",
    int: "Give a whole number, without quotes.",
    list: "Give a list.",
    dict: "Give an object.",
    str: "Give a text, in quotes.",
}


def check_kinds(shape: serializers.Serializer[Any], body: Any) -> None:
    """Raises ValidationError with a message for each member of a wrong type."""
    wrong = _wrong_members(shape, body)
    if wrong:
        raise serializers.ValidationError(wrong)


def _wrong_members(shape: serializers.Serializer[Any], body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        return {}
    found = {
        name: _wrong(field, body[name])
        for name, field in shape.fields.items()
        if name in body and not field.read_only
    }
    return {name: said for name, said in found.items() if said}


def _wrong(field: Any, value: Any) -> Any:
    """What is wrong with a value; nothing where it fits, or null, or any value does."""
    if value is None or isinstance(field, serializers.JSONField):
        return None
    kind = _kind(field)
    if not _is(kind, value):
        return [_WORDS[kind]]
    if isinstance(field, serializers.Serializer):
        return _wrong_members(field, value)
    if kind is list:
        return next((said for each in value if (said := _wrong(field.child, each))), None)
    return None


def _kind(field: Any) -> type:
    if isinstance(field, serializers.BooleanField):
        return bool
    if isinstance(field, serializers.IntegerField):
        return int
    if isinstance(field, (serializers.ListField, serializers.ListSerializer)):
        return list
    return dict if isinstance(field, (serializers.DictField, serializers.Serializer)) else str


def _is(kind: type, value: Any) -> bool:
    if kind is int:
        # To JSON 5.0 is a whole number.
        return not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
    return isinstance(value, kind)
