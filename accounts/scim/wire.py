"""Bodies and answers: application/scim+json, errors in SCIM's form, versions as ETags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse
from pydantic import ValidationError
from pydantic_core import from_json
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
)

from accounts.access import MachineRequest
from accounts.errors import InvalidInput, MethodNotAllowed, PortalError
from accounts.refusals import SCIM_JSON, scim_error
from accounts.scim.schema import POLICY, Group, User

LONGEST_BODY = 1024 * 1024
_ACCEPTED = {"application/scim+json", "application/json"}

Handler = Callable[..., HttpResponse]


class UnsupportedMedia(PortalError):
    """The body isn't JSON by its content type."""

    status = 415
    slug = "unsupported-media-type"


class TooLarge(PortalError):
    """The body is longer than any resource."""

    status = 413
    slug = "too-large"


def dispatch(**handlers: Handler) -> Handler:
    """A view that answers each method by a handler, and what the handler refuses in SCIM's form."""

    def view(request: MachineRequest, **ids: Any) -> HttpResponse:
        handler = handlers.get("GET" if request.method == "HEAD" else str(request.method))
        if handler is None:
            raise MethodNotAllowed(*handlers)
        try:
            with POLICY:
                return handler(request, **ids)
        except ValidationError as error:
            return _said(Error.from_validation_errors(error)[0])
        except SCIMException as error:
            return _said(error.to_error())
        except InvalidInput as error:
            return scim_error(error.status, str(error), scim_type="invalidValue")

    return view


def read_body(request: MachineRequest) -> dict[str, Any]:
    """The request's JSON object. Raises UnsupportedMedia, TooLarge, InvalidSyntaxException, InvalidValueException."""
    if request.content_type not in _ACCEPTED:
        raise UnsupportedMedia("Send application/scim+json.")
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY:
        raise TooLarge("A body is at most 1 MiB long.")
    try:
        said = from_json(request.body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidSyntaxException(detail="The body isn't JSON.") from error
    if not isinstance(said, dict):
        raise InvalidSyntaxException(detail="The body isn't a JSON object.")
    if any("\x00" in text for text in _texts(said)):
        raise InvalidValueException(detail="A text holds the character NUL.")
    return said


def _texts(value: Any) -> Iterator[str]:
    """Every text in JSON, the names of attributes as well. The parser bounds the depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def answer(
    request: MachineRequest, resource: User | Group, context: Context, *, status: int = 200
) -> HttpResponse:
    """One resource; 304 without it where the client has this version (RFC 7644 section 3.14)."""
    model: Any = type(resource)
    wanted = ResponseParameters[model].model_validate(asked(request, "attributes", "excludedAttributes"))
    version = (resource.meta and resource.meta.version) or ""
    headers = {"ETag": version}
    if request.method in {"GET", "HEAD"} and version in _versions(request, "If-None-Match"):
        return HttpResponse(status=304, headers=headers)
    if status == 201:  # noqa: PLR2004 (created)
        headers["Location"] = str((resource.meta and resource.meta.location) or "")
    body = resource.model_dump(scim_ctx=context, response_parameters=wanted)
    return JsonResponse(body, status=status, content_type=SCIM_JSON, headers=headers)


def answer_list(found: ListResponse[Any], wanted: ResponseParameters[Any] | None = None) -> HttpResponse:
    """A list of resources."""
    body = found.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted)
    return JsonResponse(body, content_type=SCIM_JSON)


def asked(request: MachineRequest, *names: str) -> dict[str, str]:
    """The parameters of the address that are known."""
    return {name: request.GET[name] for name in names if name in request.GET}


def require_version(request: MachineRequest, resource: User | Group) -> None:
    """Raises PreconditionFailedException where the client means another version than the present one."""
    wanted = _versions(request, "If-Match")
    if wanted and "*" not in wanted and (resource.meta and resource.meta.version) not in wanted:
        raise PreconditionFailedException(detail="The resource has changed since.")


def _versions(request: MachineRequest, header: str) -> set[str]:
    return {said.strip() for said in request.headers.get(header, "").split(",") if said.strip()}


def _said(error: Error) -> HttpResponse:
    return scim_error(error.status or 400, error.detail or "", scim_type=error.scim_type)
