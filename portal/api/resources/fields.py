"""Fields that several resources share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Moment(serializers.DateTimeField):
    """A time in RFC 3339, in UTC."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"read_only": True, **given})


def text(source: str = "", **given: Any) -> serializers.CharField:
    """Words that are read."""
    return serializers.CharField(read_only=True, source=source or None, **given)


def choice(*words: object, **given: Any) -> serializers.ChoiceField:
    """A filter that takes one of some words."""
    return serializers.ChoiceField(choices=[str(word) for word in words], required=False, **given)
