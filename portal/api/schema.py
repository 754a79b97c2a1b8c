"""The OpenAPI 3.1 description, made by drf-spectacular from what the addresses declare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

PROBLEM_JSON = "application/problem+json"


class FieldErrorShape(serializers.Serializer[Any]):
    """What is wrong at one place of a body or a query."""

    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="JSON pointer (RFC 6901) into the body.")
    parameter = serializers.CharField(required=False, help_text="A parameter of the query.")


class ProblemShape(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="`urn:surety:problem:` and a word that never changes its meaning.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong and what to do.")
    instance = serializers.CharField(help_text="The request's number, as in the audit log.")
    errors = FieldErrorShape(many=True, required=False)  # type: ignore[assignment] # a field of that name


REFUSALS = {
    400: "unfit-parameter",
    401: "unauthenticated",
    403: "scope-missing",
    404: "not-found",
    429: "too-many-requests",
}
WRITING_REFUSALS = {
    409: "request-in-flight",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "idempotency-key-reused",
}
TOO_LONG = "The address with its query is longer than 4,094 bytes: refused before the interface reads it."
KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}, OpenApiParameter.HEADER, required=True,
    description="1 to 255 visible ASCII characters, another for each act."
    " A repetition within 30 days gets the first answer.",
)  # fmt: skip
ETAG = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="`ETag` of an earlier answer; 304 if it still holds.",
)


DOCUMENTS = frozenset({"push_submission"})
"""Operations whose body is a document of any type."""


def _fields(shown: Iterable[str]) -> OpenApiParameter:
    chosen = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(shown)}}
    words = "Only these fields, with commas between."
    return OpenApiParameter("fields", chosen, style="form", explode=False, description=words)


class ApiSchema(AutoSchema):
    """Reads what portal.api.endpoints declares."""

    view: Any

    @property
    def _side(self) -> Any:
        """What answers the method that is described."""
        name = {"POST": "doing", "DELETE": "removing"}.get(self.method, "")
        doing = getattr(self.view, name, None) if name else None
        return doing() if doing else self.view

    def get_operation_id(self) -> str:
        return str(self._side.operation)

    def get_tags(self) -> list[str]:
        return [self._side.tag]

    def get_summary(self) -> str:
        return self._words()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override] # as AutoSchema has it
        return self._words()[1]

    def _words(self) -> tuple[str, str]:
        first, _, rest = (type(self._side).__doc__ or "").strip().partition("\n")
        return first, "\n".join(line.strip() for line in rest.strip().splitlines())

    def get_auth(self) -> list[dict[str, list[str]]]:
        client: dict[str, list[str]] = {"client": [str(self._side.scope)]}
        return [client] if self.method == "DELETE" else [client, {"session": []}]

    def get_override_parameters(self) -> list[Any]:
        from portal.api.query import Paging

        beside = [
            each
            for each in (self._side.filters, Paging if self._side.paged else None)
            if each and each().fields
        ]
        fields = [_fields(self._side.shape().fields)] if self._side.shape().fields else []
        return [*beside, *fields, *{"POST": [KEY], "GET": [ETAG]}.get(self.method, [])]

    def get_request_serializer(self) -> Any:
        if self.method == "POST" and self._side.operation in DOCUMENTS:
            return {"application/octet-stream": OpenApiTypes.BINARY}
        takes = getattr(self._side, "takes", None)
        return takes if self.method == "POST" and takes and takes().fields else None

    def get_response_serializers(self) -> Any:
        reading = self.method == "GET"
        refusals = {**REFUSALS, **({406: ""} if reading else WRITING_REFUSALS)}
        binary = self._side.media != "application/json"
        shape = OpenApiTypes.BINARY if binary else self._shape()
        answers: dict[Any, Any] = {(self._status(), self._side.media): shape}
        if reading:
            answers[304] = None
        answers[(414, "text/html")] = OpenApiResponse(OpenApiTypes.STR, description=TOO_LONG)
        return answers | {(status, PROBLEM_JSON): ProblemShape for status in sorted(refusals)}

    def get_examples(self) -> list[OpenApiExample]:
        found = [
            OpenApiExample(
                "Example", value=self._example(), response_only=True, status_codes=[str(self._status())]
            )
        ]
        return found if self._side.example is not None else []

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return super().get_serializer_name(serializer, direction).removesuffix("Shape")

    def _status(self) -> int:
        return int(getattr(self._side, "status", 200)) if self.method == "POST" else 200

    def _shape(self) -> Any:
        if not self._side.shape().fields:
            return OpenApiTypes.OBJECT
        if not self._side.paged:
            return self._side.shape
        name = self._side.shape.__name__.removesuffix("Shape")
        return inline_serializer(
            f"{name}List",
            {"data": self._side.shape(many=True), "next": serializers.CharField(allow_null=True)},
        )

    def _example(self) -> Any:
        return {"data": [self._side.example], "next": None} if self._side.paged else self._side.example
