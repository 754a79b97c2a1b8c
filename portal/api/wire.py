"""JSON as the interface reads and writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser

from accounts.errors import PortalError

MOST_BYTES = 1 << 20


class BodyTooLarge(PortalError):
    """The body is longer than the address takes."""

    status = 413
    slug = "body-too-large"


class BodyEncoded(PortalError):
    """The body is compressed (RFC 7694): what is small on the way could be large here."""

    status = 415
    slug = "unsupported-media-type"
    headers = {"Accept-Encoding": "identity"}


class JsonAlone(DefaultContentNegotiation):
    """By Accept, never by the address."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        """The renderer of JSON. Raises NotAcceptable."""
        return super().select_renderer(request, renderers, "json")


class StrictJSONParser(JSONParser):
    """JSON of 1 MiB at most, without what parsers disagree about: a name twice, NaN, Infinity, depth without end."""

    def parse(
        self,
        stream: Any,  # noqa: ARG002 (the body is read with its limit)
        media_type: str | None = None,  # noqa: ARG002 (as DRF calls it)
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value. Raises ParseError, BodyTooLarge."""
        request = (parser_context or {})["request"]
        try:
            return json.loads(
                read_body(request), parse_constant=_no_constant, object_pairs_hook=_without_doubles
            )
        except (ValueError, RecursionError) as error:
            raise ParseError from error


def read_body(request: Any) -> bytes:
    """A request's whole body. Raises BodyTooLarge, BodyEncoded."""
    plain = getattr(request, "_request", request)
    if plain.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise BodyEncoded("Send the body as it is, without a Content-Encoding.")
    try:
        if int(plain.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise BodyTooLarge(f"A body here has {MOST_BYTES:,} bytes at most.")
        body: bytes = plain.body
    except (RequestDataTooBig, ValueError) as error:
        raise BodyTooLarge(f"A body here has {MOST_BYTES:,} bytes at most.") from error
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found
