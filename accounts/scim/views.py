"""The addresses under /scim/v2/ (RFC 7644). The bearer token says which tenant's they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from scim2_models import (
    Context,
    InvalidFilterException,
    ListResponse,
    NotImplementedException,
    PatchOp,
    ResourceType,
    Schema,
    SearchRequest,
)
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from accounts.access import MachineRequest, machine
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import Scope
from accounts.errors import NotFound
from accounts.models import ScimGroup, ScimUser
from accounts.refusals import SCIM_JSON
from accounts.scim import groups, users
from accounts.scim.resources import (
    group_resource,
    group_resources,
    name_key,
    user_resource,
    user_resources,
)
from accounts.scim.schema import MOST_RESULTS, PROVIDER, Group, User
from accounts.scim.wire import answer, answer_list, asked, dispatch, read_body, require_version

LONGEST_FILTER = 2000
_QUERY = ("filter", "startIndex", "count", "attributes", "excludedAttributes")
Row = TypeVar("Row", ScimUser, ScimGroup)


def _base(request: MachineRequest) -> str:
    return request.build_absolute_uri(reverse("scim")).rstrip("/")


# Users


def _list_users(request: MachineRequest) -> HttpResponse:
    return _list(request, User, ScimUser.objects.select_related("person"), user_resources)


def _create_user(request: MachineRequest) -> HttpResponse:
    given = User.model_validate(read_body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    row = users.create_user(given)
    return answer(request, user_resource(row, _base(request)), Context.RESOURCE_CREATION_RESPONSE, status=201)


def _read_user(request: MachineRequest, scim_user_id: UUID) -> HttpResponse:
    row = _found(ScimUser.objects.filter(pk=scim_user_id))
    record(Act.PROVISIONING_READ, object_type="scim_user", object_id=row.pk)
    return answer(request, user_resource(row, _base(request)), Context.RESOURCE_QUERY_RESPONSE)


def _replace_user(request: MachineRequest, scim_user_id: UUID) -> HttpResponse:
    row = _found(_locked_users(scim_user_id))
    now = user_resource(row, _base(request))
    require_version(request, now)
    given = User.model_validate(read_body(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    given.replace(now)
    users.change_user(row, given)
    return answer(request, user_resource(row, _base(request)), Context.RESOURCE_REPLACEMENT_RESPONSE)


def _patch_user(request: MachineRequest, scim_user_id: UUID) -> HttpResponse:
    row = _found(_locked_users(scim_user_id))
    now = user_resource(row, _base(request))
    require_version(request, now)
    PatchOp[User].model_validate(read_body(request), scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(now)
    users.change_user(row, now)
    return answer(request, user_resource(row, _base(request)), Context.RESOURCE_PATCH_RESPONSE)


def _delete_user(request: MachineRequest, scim_user_id: UUID) -> HttpResponse:
    row = _found(_locked_users(scim_user_id))
    require_version(request, user_resource(row, _base(request)))
    users.delete_user(row)
    return HttpResponse(status=204)


def _locked_users(scim_user_id: UUID) -> QuerySet[ScimUser]:
    return ScimUser.objects.filter(pk=scim_user_id).select_for_update()


# Groups


def _list_groups(request: MachineRequest) -> HttpResponse:
    return _list(request, Group, ScimGroup.objects.all(), group_resources)


def _create_group(request: MachineRequest) -> HttpResponse:
    given = Group.model_validate(read_body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    row = groups.create_group(given)
    return answer(
        request, group_resource(row, _base(request)), Context.RESOURCE_CREATION_RESPONSE, status=201
    )


def _read_group(request: MachineRequest, scim_group_id: UUID) -> HttpResponse:
    row = _found(ScimGroup.objects.filter(pk=scim_group_id))
    record(Act.PROVISIONING_READ, object_type="scim_group", object_id=row.pk)
    return answer(request, group_resource(row, _base(request)), Context.RESOURCE_QUERY_RESPONSE)


def _replace_group(request: MachineRequest, scim_group_id: UUID) -> HttpResponse:
    row = _found(_locked_groups(scim_group_id))
    now = group_resource(row, _base(request))
    require_version(request, now)
    given = Group.model_validate(read_body(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    given.replace(now)
    groups.change_group(row, given)
    return answer(request, group_resource(row, _base(request)), Context.RESOURCE_REPLACEMENT_RESPONSE)


def _patch_group(request: MachineRequest, scim_group_id: UUID) -> HttpResponse:
    row = _found(_locked_groups(scim_group_id))
    now = group_resource(row, _base(request))
    require_version(request, now)
    PatchOp[Group].model_validate(read_body(request), scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(now)
    groups.change_group(row, now)
    return answer(request, group_resource(row, _base(request)), Context.RESOURCE_PATCH_RESPONSE)


def _delete_group(request: MachineRequest, scim_group_id: UUID) -> HttpResponse:
    row = _found(_locked_groups(scim_group_id))
    require_version(request, group_resource(row, _base(request)))
    groups.delete_group(row)
    return HttpResponse(status=204)


def _locked_groups(scim_group_id: UUID) -> QuerySet[ScimGroup]:
    return ScimGroup.objects.filter(pk=scim_group_id).select_for_update()


# What the service says of itself


def _read_config(request: MachineRequest) -> HttpResponse:
    record(Act.PROVISIONING_READ, object_type="scim_schema", object_id="ServiceProviderConfig")
    config = PROVIDER.config.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)  # type: ignore[union-attr] # it is given one
    meta = {"resourceType": "ServiceProviderConfig", "location": f"{_base(request)}/ServiceProviderConfig"}
    return JsonResponse({**config, "meta": meta}, content_type=SCIM_JSON)


def _list_descriptions(
    kind: str, described: tuple[Schema, ...] | tuple[ResourceType, ...]
) -> Callable[..., HttpResponse]:
    def read(request: MachineRequest, wanted: str | None = None) -> HttpResponse:
        record(Act.PROVISIONING_READ, object_type="scim_schema", object_id=f"{kind}/{wanted or ''}"[:256])
        bodies = [_described(each, kind, _base(request)) for each in described]
        if wanted is None:
            listed = {"schemas": [str(ListResponse.__schema__)], "totalResults": len(bodies)}
            return JsonResponse(
                {**listed, "startIndex": 1, "itemsPerPage": len(bodies), "Resources": bodies},
                content_type=SCIM_JSON,
            )
        return JsonResponse(_found(each for each in bodies if each["id"] == wanted), content_type=SCIM_JSON)

    return read


def _described(each: Schema | ResourceType, kind: str, base: str) -> dict[str, Any]:
    body = each.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return {**body, "meta": {"resourceType": kind[:-1], "location": f"{base}/{kind}/{body['id']}"}}


# Lists


def _list(
    request: MachineRequest, model: Any, rows: QuerySet[Row], show: Callable[[Any, str], list[Any]]
) -> HttpResponse:
    """A page of a list. Without a filter, or with one by a name or id, only that page is read from the database.

    Asked by the address (GET), or by a body (POST to .search), where a filter stays out of logs of addresses.
    """
    given = read_body(request) if request.method == "POST" else asked(request, *_QUERY)
    if len(str(given.get("filter", ""))) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"A filter is at most {LONGEST_FILTER:,} characters long.")
    context = Context.SEARCH_REQUEST if request.method == "POST" else None
    query = SearchRequest[model].model_validate(given, scim_ctx=context)
    first = query.start_index_0 or 0
    count = MOST_RESULTS if query.count is None else min(query.count, MOST_RESULTS)
    base = _base(request)
    if query.filter is None:
        total, page = rows.count(), show(rows.order_by("id")[first : first + count], base)
    else:
        candidates = show(_narrowed(rows, query.filter.ast).order_by("id"), base)
        found = [each for each in candidates if query.filter.match(each)]
        total, page = len(found), found[first : first + count]
    record(Act.PROVISIONING_READ, object_type=f"scim_{model.__name__.lower()}", found=total)
    listed = ListResponse[model](
        total_results=total, start_index=first + 1, items_per_page=len(page), resources=page
    )
    return answer_list(listed, query)


def _narrowed(rows: QuerySet[Row], node: FilterNode) -> QuerySet[Row]:
    """The rows that can match, as far as the database's indexes tell; the filter itself decides afterwards."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_:
        for term in node.terms:
            rows = _narrowed(rows, term)
    if isinstance(node, Comparison) and node.op == CompareOperator.eq and isinstance(node.value, str):
        path, value = str(node.attr_path).rpartition(":")[2].lower(), node.value
        if path == "username" and rows.model is ScimUser:
            return rows.filter(user_name_key=name_key(value))
        if path == "externalid":
            return rows.filter(external_id=value)
        if path == "id":
            return rows.filter(pk=value) if _is_uuid(value) else rows.none()
    return rows


def _is_uuid(said: str) -> bool:
    try:
        return str(UUID(said)) == said
    except ValueError:
        return False


def _found(candidates: Any) -> Any:
    first = next(iter(candidates), None)
    if first is None:
        raise NotFound("There is no such resource.")
    return first


def _nothing(_request: MachineRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001 (the address's tail)
    raise NotFound("There is no such address.")


def _search_everything(_request: MachineRequest) -> HttpResponse:
    raise NotImplementedException(detail="Search users and groups each by itself.")


_provisioning = machine(Scope.PROVISIONING)
user_list = _provisioning(dispatch(GET=_list_users, POST=_create_user))
user_search = _provisioning(dispatch(POST=_list_users))
user_detail = _provisioning(
    dispatch(GET=_read_user, PUT=_replace_user, PATCH=_patch_user, DELETE=_delete_user)
)
group_list = _provisioning(dispatch(GET=_list_groups, POST=_create_group))
group_search = _provisioning(dispatch(POST=_list_groups))
group_detail = _provisioning(
    dispatch(GET=_read_group, PUT=_replace_group, PATCH=_patch_group, DELETE=_delete_group)
)
search = _provisioning(dispatch(POST=_search_everything))
config = _provisioning(dispatch(GET=_read_config))
schemas = _provisioning(dispatch(GET=_list_descriptions("Schemas", PROVIDER.schemas)))
resource_types = _provisioning(dispatch(GET=_list_descriptions("ResourceTypes", PROVIDER.resource_types)))
nothing = _provisioning(_nothing)
