"""Requests read and answers written in every AWS protocol, by way of moto's own parsers and serializers."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.exceptions import NotFound

from portal.demo.aws.actions import iam_action, service_of

Environ = dict[str, Any]

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, ready for the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class AwsError(Exception):
    """A refusal in AWS's words; the wire form is chosen when it is written."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass
class Call:
    """One signed request: which operation of which service, in which region, with what parameters."""

    environ: Environ
    body: bytes
    service: str
    region: str
    operation: str = ""
    uri_params: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """botocore's names, e.g. ``cloudwatch:DescribeAlarms``; the key under which calls are counted."""
        return f"{self.service}:{self.operation}"

    @property
    def action(self) -> str:
        return iam_action(self.service, self.operation, method=self.environ["REQUEST_METHOD"])

    @cached_property
    def model(self) -> ServiceModel:
        return get_service_model(self.service)

    @property
    def protocol(self) -> str:
        return determine_request_protocol(self.model, self.environ.get("CONTENT_TYPE", ""))

    @property
    def operation_model(self) -> OperationModel:
        if self.operation in self.model.operation_names:
            model: OperationModel = self.model.operation_model(self.operation)
            return model
        return OperationModel({"name": self.operation, "http": {}}, self.model, self.operation)

    @property
    def request(self) -> BackendRequest:
        environ = dict(self.environ)
        environ["wsgi.input"] = io.BytesIO(self.body)
        return BackendRequest(environ)

    @cached_property
    def params(self) -> dict[str, Any]:
        """The operation's input by botocore's names."""
        request = self.request
        parser = PROTOCOL_PARSERS[self.protocol](self.operation_model)
        parsed: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": self.body,
                "url_path": request.path,
                "url_params": self.uri_params,
            }
        )
        return parsed


@cache
def _known_service(name: str) -> bool:
    try:
        get_service_model(name)
    except UnknownServiceError:
        return False
    return True


def read_body(environ: Environ) -> bytes:
    """The whole body, left rewound for whoever reads next."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def read_call(environ: Environ) -> Call | None:
    """Take a request apart; None when it is unsigned or addresses a service botocore does not know."""
    body = read_body(environ)
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    form = _form_of(environ, body)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    path = environ.get("PATH_INFO", "/")
    version = form.get("Version", [""])[0]
    service = service_of(scope.group(2), path=path, version=version, target=target)
    if not _known_service(service):
        return None
    call = Call(environ, body, service, scope.group(1))
    _name_operation(call, form, target)
    return call if call.operation else None


def _form_of(environ: Environ, body: bytes) -> dict[str, list[str]]:
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(body.decode(), keep_blank_values=True)
    return {}


def _name_operation(call: Call, form: Mapping[str, list[str]], target: str) -> None:
    if target:
        call.operation = target.rpartition(".")[2]
    elif "Action" in form:
        call.operation = form["Action"][0]
    else:
        try:
            model, call.uri_params = get_service_router(call.service).match(call.request)
        except NotFound:
            return
        call.operation = model.name


def _reply(call: Call, serialized: Mapping[str, Any], status: int) -> Reply:
    body = serialized["body"]
    encoded = body.encode() if isinstance(body, str) else body
    if call.environ["REQUEST_METHOD"] == "HEAD":
        encoded = b""
    return Reply(status, serialized["headers"], encoded)


def write_error(call: Call, error: AwsError) -> Reply:
    """The error in the wire form of the service's protocol. A HEAD gets the bare status, as from AWS."""
    serializer = get_serializer_class(call.service, call.protocol)(call.operation_model)
    with warnings.catch_warnings():
        # moto warns of codes that a service model does not list; the common errors never are listed.
        warnings.simplefilter("ignore")
        serialized = serializer.serialize(error)
    return _reply(call, serialized, error.status)


def write_result(call: Call, result: Mapping[str, Any]) -> Reply:
    """A successful answer by botocore's output shape of the operation."""
    serializer = get_serializer_class(call.service, call.protocol)(call.operation_model)
    serialized = serializer.serialize(dict(result))
    return _reply(call, serialized, serialized["status_code"])


def unknown_members(service: str, operation: str, result: Mapping[str, Any]) -> list[str]:
    """Names in ``result`` that the operation's output shape does not have, as dotted paths.

    :raises UnknownServiceError, OperationNotFoundError: botocore has no such service or operation.
    """
    shape = get_service_model(service).operation_model(operation).output_shape
    return list(_unknown(shape, result, ""))


def _unknown(shape: Any, value: Any, path: str) -> Iterable[str]:
    kind = getattr(shape, "type_name", "structure")
    if kind == "list":
        for each in value:
            yield from _unknown(shape.member, each, f"{path}[]")
    elif kind == "map":
        for key, each in value.items():
            yield from _unknown(shape.value, each, f"{path}.{key}")
    elif kind == "structure":
        members = getattr(shape, "members", {})
        for key, each in value.items():
            if key not in members:
                yield f"{path}.{key}".lstrip(".")
            else:
                yield from _unknown(members[key], each, f"{path}.{key}")
