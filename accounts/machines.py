"""The gate for machines: a bearer token (RFC 6750) says in which tenant a machine works, as whom, and what it may.

Another kind of token is another function in `KINDS`; views and this gate stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts.access import SAFE_METHODS, Access, ApiRequest, MachineRequest
from accounts.audit.events import Act, ActorKind
from accounts.audit.gathering import Noted, current_request
from accounts.audit.log import acting, current_actor, record_owed
from accounts.clients import tokens as client_tokens
from accounts.clients.scopes import Scope
from accounts.errors import PortalError, ScopeMissing, Unauthenticated
from accounts.models import ApiClient, Tenant
from accounts.recording import LONGEST_OBJECT, REFUSED_FROM, note_of
from accounts.refusals import as_portal_error, refuse
from accounts.requests import client_address
from accounts.scim import tokens as scim_tokens
from accounts.tenancy.scope import AUDITOR, DEFAULT, open_tenant

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE)
_CALLED = (Act.PROVISIONING_CHANGE, Act.PROVISIONING_READ)
"""What a request of provisioning is called that records nothing more telling: one that changes, one that reads."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The holder of a token that exists.

    `admit` counts a use from an address and gives header fields for the answer, or raises what keeps the token from
    letting in. `using` is the connection of its requests, on which an auditors' machine can change nothing.
    `enter` tells the request who it is, in the tenant's transaction.
    """

    tenant_id: UUID
    id: str
    name: str
    scopes: frozenset[Scope]
    admit: Callable[[str], Mapping[str, str]]
    enter: Callable[[HttpRequest], None]
    proven: str = ""
    using: str = DEFAULT


def _provisioner(token: str) -> Machine | None:
    found = scim_tokens.find_token(token)
    if found is None:
        return None

    def admit(_address: str) -> Mapping[str, str]:
        scim_tokens.use_token(found)
        return {}

    def enter(request: HttpRequest) -> None:
        cast("MachineRequest", request).token = found.token

    return Machine(
        tenant_id=found.tenant_id, id=str(found.token.pk), name=f"Provisioning: {found.token.name}",
        scopes=frozenset({Scope.PROVISIONING}), admit=admit, enter=enter,
    )  # fmt: skip


def _client(token: str) -> Machine | None:
    found = client_tokens.find_client(token)
    if found is None:
        return None

    def admit(address: str) -> Mapping[str, str]:
        return client_tokens.use_client(found, address=address).headers()

    def enter(request: HttpRequest) -> None:
        asked = cast("ApiRequest", request)
        asked.client, asked.caller, asked.reach = found.client, str(found.client.pk), found.reach

    return Machine(
        tenant_id=found.tenant_id, id=str(found.client.pk), name=client_name(found.client),
        scopes=found.scopes, admit=admit, enter=enter, proven=found.proven,
        using=AUDITOR if found.client.engagement else DEFAULT,
    )  # fmt: skip


def client_name(client: ApiClient) -> str:
    """How the audit log names a client of the interface."""
    return f"API client: {client.name}"


KINDS: dict[str, Callable[[str], Machine | None]] = {
    scim_tokens.PREFIX: _provisioner,
    client_tokens.PREFIX: _client,
}
"""Who finds the holder of a token, by how the token begins."""


def answer_machine(
    request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Runs a view in the token's tenant; what is refused is undone, and stands in the tenant's log as refused.

    Raises Unauthenticated for a token that nobody has: then there is no tenant to record it in.
    """
    machine = _find_machine(request)
    actor = replace(
        current_actor(),
        kind=ActorKind.MACHINE,
        id=machine.id,
        name=machine.name,
        session="",
        proven=machine.proven,
    )
    fields: Mapping[str, str] = {}
    _choose_database(machine)
    with acting(actor):
        _owe(request, access, machine)
        try:
            fields = machine.admit(client_address(request))
            if access.scope is None or access.scope not in machine.scopes:
                raise ScopeMissing(str(access.scope))
            taking = access.receive if request.method == "POST" else None
            with taking(request, machine.tenant_id) if taking else nullcontext():
                response = _answer(request, machine, view)
        except (PortalError, Http404, PermissionDenied) as error:
            response = refuse(request, as_portal_error(error))
    for name, value in fields.items():
        response.headers.setdefault(name, value)
    return response


def _choose_database(machine: Machine) -> None:
    entries = current_request()
    if entries is not None:
        entries.using = machine.using


def _owe(request: HttpRequest, access: Access, machine: Machine) -> None:
    entries = current_request()
    if entries is None:
        return
    if access.permission is not None and request.resolver_match is not None:
        entries.owed[machine.tenant_id] = note_of(request, request.resolver_match, access)
        return
    where = request.path_info.replace("\x00", "%00")[:LONGEST_OBJECT]
    act = _CALLED[request.method in SAFE_METHODS]
    entries.owed[machine.tenant_id] = Noted(act, "url", where, details={"method": str(request.method)})


def _find_machine(request: HttpRequest) -> Machine:
    given = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    kind = given and next((find for prefix, find in KINDS.items() if given[1].startswith(prefix)), None)
    machine = kind(given[1]) if given and kind else None
    if machine is None:
        raise Unauthenticated("Give a bearer token that the portal made, and that isn't over.")
    return machine


def _answer(request: HttpRequest, machine: Machine, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    with open_tenant(machine.tenant_id, using=machine.using):
        # Few of their views ask who the tenant is beyond its id.
        request.tenant = SimpleLazyObject(lambda: Tenant.objects.get(pk=machine.tenant_id))  # type: ignore[attr-defined]
        machine.enter(request)
        response = view()
        if response.status_code >= REFUSED_FROM:
            transaction.set_rollback(True, using=machine.using)
        else:
            record_owed()
        return response
