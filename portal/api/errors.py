"""Refusals of Django REST framework in the portal's words, for the middleware to make problem details of all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from accounts.errors import InvalidInput, MethodNotAllowed, PortalError, UnsupportedMedia


class BodyUnreadable(PortalError):
    """The body isn't what its Content-Type says."""

    status = 400
    slug = "body-unreadable"


class NotAcceptable(PortalError):
    """The client accepts no form that there is."""

    status = 406
    slug = "not-acceptable"


class FieldsUnfit(InvalidInput):
    """Fields of a body that can't be used, each with its JSON pointer (RFC 6901) in the member `errors`."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("Some fields can't be used: the member errors says which, and why.")
        self.members = {"errors": errors}


def translate(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """For REST_FRAMEWORK["EXCEPTION_HANDLER"]: raises what accounts.middleware answers; None lets the error be."""
    view = context["view"]
    if isinstance(error, exceptions.MethodNotAllowed):
        raise MethodNotAllowed(*view.allowed_methods) from error
    if isinstance(error, exceptions.UnsupportedMediaType):
        raise UnsupportedMedia(*(parser.media_type for parser in view.parser_classes)) from error
    if isinstance(error, exceptions.NotAcceptable):
        raise NotAcceptable("Accept application/json: there is no other form.") from error
    if isinstance(error, exceptions.ParseError):
        raise BodyUnreadable("The body can't be read as the JSON that its Content-Type says.") from error
    if isinstance(error, exceptions.ValidationError):
        raise FieldsUnfit(list(_pointed(error.detail, ""))) from error
    return None


def _pointed(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _pointed(inner, pointer + step)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _pointed(inner, pointer if isinstance(inner, str) else f"{pointer}/{place}")
    else:
        yield {"pointer": f"#{pointer}", "detail": str(detail)}
