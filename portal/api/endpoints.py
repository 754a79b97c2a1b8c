"""What every address of the interface does alike; a resource is a subclass of a few lines.

An address declares who may (a permission for members, a scope for clients), the serializer of what it shows, and its
filters. Rows come from the services that the pages read. Errors are the portal's own, made into problem details by
accounts.middleware; each request's entry in the audit log is made there too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable
from functools import cache
from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Access, ApiRequest, Receive, api
from accounts.audit.events import Act
from accounts.clients.scopes import EVERYTHING, PERMISSIONS, Reach, Scope
from accounts.errors import Forbidden, InvalidInput
from accounts.models import ApiClient, Person
from portal.api.idempotency import answer_once, has_key
from portal.api.kinds import check_kinds
from portal.api.query import Asked, NoFilters, Page, field_names, read_query
from portal.api.schema import ApiSchema
from portal.api.wire import JsonAlone, StrictJSONParser

Shape = type[serializers.Serializer[Any]]


class AnyObject(serializers.Serializer[Any]):
    """An object whose form is said elsewhere."""


class Endpoint(APIView):
    """One address. `operation` is its name in the schema, `tag` its group there; the docstring is its description."""

    scope: ClassVar[Scope]
    act: ClassVar[Act | None] = None
    step_up: ClassVar[bool] = False
    operation: ClassVar[str]
    tag: ClassVar[str]
    shape: ClassVar[Shape] = AnyObject
    filters: ClassVar[Shape] = NoFilters
    paged: ClassVar[bool] = False
    example: ClassVar[Any] = None
    media: ClassVar[str] = "application/json"

    schema = ApiSchema()
    parser_classes = (StrictJSONParser,)
    content_negotiation_class = JsonAlone
    http_method_names = ("get", "head", "post")

    @classmethod
    def as_view(cls, **given: Any) -> Any:
        """The view, declared for the scope and for the permission that goes with it."""
        declare = api(
            PERMISSIONS[cls.scope], cls.scope, act=cls.act, step_up=cls.step_up, writing=cls.need_of_writing()
        )
        return declare(cast("Callable[..., HttpResponseBase]", super().as_view(**given)))

    @classmethod
    def need_of_writing(cls) -> Access | None:
        """What a POST needs, where that differs from a GET."""
        return None

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Gives a reading its ETag, and answers 304 where the client has it already."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if request.method in {"GET", "HEAD"} and isinstance(final, Response) and final.status_code == 200:  # noqa: PLR2004
            plain = _plain(request)
            final.add_post_render_callback(lambda rendered: _conditional(plain, rendered))
        return final

    def asked(self, request: Request) -> Asked:
        """The query. Raises InvalidInput."""
        return read_query(_plain(request), self.filters, field_names(self.shape), paged=self.paged)

    def shown(self, things: Iterable[Any], asked: Asked) -> list[dict[str, Any]]:
        """The things as JSON, with the fields that were asked for."""
        bodies = [_body(self.shape, thing) for thing in things]
        if asked.fields is None:
            return bodies
        return [{name: value for name, value in body.items() if name in asked.fields} for body in bodies]


class Reading(Endpoint):
    """One thing. `read` finds it, within the caller's reach, or raises NotFound."""

    def read(self, reach: Reach, asked: Asked, **ids: Any) -> Any:
        raise NotImplementedError

    def get(self, request: Request, **ids: Any) -> Response:
        asked = self.asked(request)
        return Response(self.shown([self.read(reach_of(request), asked, **ids)], asked)[0])


class Listing(Endpoint):
    """A list in pages: `{"data": [...], "next": cursor or null}`. `page` finds them, within the caller's reach."""

    paged = True

    def page(self, reach: Reach, asked: Asked, **ids: Any) -> Page:
        raise NotImplementedError

    def get(self, request: Request, **ids: Any) -> Response:
        asked = self.asked(request)
        page = self.page(reach_of(request), asked, **ids)
        return Response({"data": self.shown(page.rows, asked), "next": page.next})


class Doing(Endpoint):
    """An act by POST, done once for each Idempotency-Key. `do` does it and gives what it made, and where that is."""

    takes: ClassVar[Shape] = NoFilters
    status: ClassVar[int] = 201

    @staticmethod
    def receiving() -> Receive | None:
        """What takes the body before the tenant is opened (accounts.access); None where the body is small."""
        return None

    def look(self, request: ApiRequest, **ids: Any) -> None:
        """Raises NotFound where what the address names isn't there."""

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: Any) -> tuple[Any, str]:
        raise NotImplementedError

    def post(self, request: Request, **ids: Any) -> HttpResponse:
        plain = cast("ApiRequest", _plain(request))
        if not has_key(plain):
            self.look(plain, **ids)
        return answer_once(plain, lambda: self._done(request, plain, ids))

    def _done(self, request: Request, plain: ApiRequest, ids: dict[str, Any]) -> HttpResponse:
        asked = self.asked(request)
        given = self.takes(data=request.data if plain.body else {})
        check_kinds(given, given.initial_data)
        given.is_valid(raise_exception=True)
        try:
            made, where = self.do(plain, dict(given.validated_data), **ids)
        except InvalidInput as error:
            raise _pointed(error, given.fields) from error
        body = JSONRenderer().render(self.shown([made], asked)[0])
        headers = {"Location": where} if where else {}
        return HttpResponse(body, status=self.status, content_type="application/json", headers=headers)


class Acting(Endpoint):
    """Beside another class: a POST at its address does `doing`, which has a scope and words of its own."""

    doing: ClassVar[type[Doing]]

    @classmethod
    def need_of_writing(cls) -> Access:
        scope = cls.doing.scope
        return Access(
            permission=PERMISSIONS[scope], scope=scope, act=cls.doing.act, step_up=cls.doing.step_up,
            receive=cls.doing.receiving(),
        )  # fmt: skip

    def post(self, request: Request, **ids: Any) -> HttpResponse:
        return self.doing().post(request, **ids)


class Removing(Endpoint):
    """Beside another class: a DELETE at its address does `removing`, which has a scope and words of its own.

    What a DELETE does once it does the second time as well, so that it needs no Idempotency-Key. `remove` says what is
    left. It is for machines alone: people are asked on a page.
    """

    http_method_names = ("get", "head", "delete")
    removing: ClassVar[type[RemovingOnce]]

    @classmethod
    def need_of_writing(cls) -> Access:
        scope = cls.removing.scope
        return Access(permission=PERMISSIONS[scope], scope=scope, act=cls.removing.act)

    def delete(self, request: Request, **ids: Any) -> Response:
        return self.removing().delete(request, **ids)


class RemovingOnce(Endpoint):
    """What a DELETE does."""

    def look(self, **ids: Any) -> None:
        """Raises NotFound where what the address names isn't there."""
        raise NotImplementedError

    def remove(self, client: ApiClient, request: Request, **ids: Any) -> Any:
        raise NotImplementedError

    def delete(self, request: Request, **ids: Any) -> Response:
        asked, plain = self.asked(request), cast("ApiRequest", _plain(request))
        if plain.client is None:
            self.look(**ids)
            raise Forbidden("This is for API clients. People do it on the page of the thing, and say why.")
        return Response(self.shown([self.remove(plain.client, request, **ids)], asked)[0])


def reach_of(request: Request) -> Reach:
    """To what the caller is narrowed."""
    return getattr(_plain(request), "reach", EVERYTHING)


def person_of(request: ApiRequest) -> Person:
    """Who answers for what is done: the member, or whoever made the client. The audit log names the client."""
    return request.client.created_by if request.client else cast("Person", request.user)


def _pointed(error: InvalidInput, fields: Container[str]) -> InvalidInput:
    """The refusal of a service, with a pointer to the body's field that it names."""
    if error.field in fields and not error.members:
        error.members = {"errors": [{"pointer": f"#/{error.field}", "detail": str(error)}]}
    return error


def _body(shape: Shape, thing: Any) -> dict[str, Any]:
    return dict(shape(thing).data if thing is None else _writer(shape).to_representation(thing))


@cache
def _writer(shape: Shape) -> serializers.Serializer[Any]:
    """One serializer for all things of the shape: making one copies each of its fields."""
    return shape()


def _plain(request: Any) -> HttpRequest:
    return cast("HttpRequest", getattr(request, "_request", request))


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponseBase | None:
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = etag
    response["Vary"] = "Accept, Authorization, Cookie"
    return get_conditional_response(request, etag=etag, response=response)
