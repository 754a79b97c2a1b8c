"""Values have the JSON types and lengths that the description says.

REST framework alone takes a number for its digits and a text for the number that it spells, and counts a text's length
without the spaces around it: what a client then finds stored is not what it sent.
"""

from __future__ import annotations

import re
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


_WHOLE = re.compile(r"-?[0-9]{1,19}")


def check_kinds(shape: serializers.Serializer[Any], body: Any) -> None:
    """Raises ValidationError with a message for each member of a wrong type."""
    wrong = _wrong_members(shape, body)
    if wrong:
        raise serializers.ValidationError(wrong)


def unfit_texts(shape: serializers.Serializer[Any], query: Mapping[str, str]) -> dict[str, list[str]]:
    """What is wrong with the texts of a query, where they aren't written as their kinds are."""
    found = {name: _unfit(field, query[name]) for name, field in shape.fields.items() if name in query}
    return {name: said for name, said in found.items() if said}


def _unfit(field: Any, text: str) -> list[str] | None:
    if isinstance(field, serializers.IntegerField):
        # To REST framework " 1_0" is ten.
        return None if _WHOLE.fullmatch(text) else ["Give a whole number, in digits."]
    return _too_long(field, text)


def _too_long(field: Any, text: str) -> list[str] | None:
    most = getattr(field, "max_length", None)
    if most is None or len(text) <= most:
        return None
    return [field.error_messages["max_length"].format(max_length=most)]


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
    return _too_long(field, value) if kind is str else None


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
