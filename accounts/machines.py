"""The gate for machines: a bearer token (RFC 6750) says in which tenant a client works, as whom, and what it may.

Another kind of token (of an OAuth client) is another function in `KINDS`; views and this gate stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts.access import SAFE_METHODS, Access, MachineRequest, Scope
from accounts.audit.events import Act, ActorKind
from accounts.audit.gathering import Noted, current_request
from accounts.audit.log import acting, current_actor, record_owed
from accounts.errors import Forbidden, PortalError, Unauthenticated
from accounts.models import ScimToken, Tenant
from accounts.recording import LONGEST_OBJECT, REFUSED_FROM
from accounts.refusals import as_portal_error, refuse
from accounts.scim.tokens import PREFIX, find_token, use_token
from accounts.tenancy.scope import open_tenant

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE)
_CALLED = {Scope.PROVISIONING: (Act.PROVISIONING_CHANGE, Act.PROVISIONING_READ)}
"""What a request is called that records nothing more telling: one that changes, one that reads."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The holder of a token that exists. `admit` counts the use, and raises what keeps the token from letting in."""

    tenant_id: UUID
    id: str
    name: str
    scopes: frozenset[Scope]
    token: ScimToken
    admit: Callable[[], None]


def _provisioner(token: str) -> Machine | None:
    found = find_token(token)
    if found is None:
        return None
    return Machine(
        tenant_id=found.tenant_id, id=str(found.token.pk), name=f"Provisioning: {found.token.name}",
        scopes=frozenset({Scope.PROVISIONING}), token=found.token, admit=lambda: use_token(found),
    )  # fmt: skip


KINDS: dict[str, Callable[[str], Machine | None]] = {PREFIX: _provisioner}
"""Who finds the holder of a token, by how the token begins."""


def answer_machine(
    request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Runs a view in the token's tenant; what is refused is undone, and stands in the tenant's log as refused.

    Raises Unauthenticated for a token that nobody has: then there is no tenant to record it in.
    """
    machine = _find_machine(request)
    actor = replace(current_actor(), kind=ActorKind.MACHINE, id=machine.id, name=machine.name, session="")
    with acting(actor):
        _owe(request, machine)
        try:
            machine.admit()
            if access.scope not in machine.scopes:
                raise Forbidden("This token isn't for that.")
            return _answer(cast("MachineRequest", request), machine, view)
        except (PortalError, Http404, PermissionDenied) as error:
            return refuse(request, as_portal_error(error))


def _owe(request: HttpRequest, machine: Machine) -> None:
    entries, act = current_request(), _CALLED[Scope.PROVISIONING][request.method in SAFE_METHODS]
    if entries is not None:
        where = request.path_info.replace("\x00", "%00")[:LONGEST_OBJECT]
        entries.owed[machine.tenant_id] = Noted(act, "url", where, details={"method": str(request.method)})


def _find_machine(request: HttpRequest) -> Machine:
    given = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    kind = given and next((find for prefix, find in KINDS.items() if given[1].startswith(prefix)), None)
    machine = kind(given[1]) if given and kind else None
    if machine is None:
        raise Unauthenticated("Give a bearer token that the portal made.")
    return machine


def _answer(
    request: MachineRequest, machine: Machine, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    with open_tenant(machine.tenant_id):
        request.tenant, request.token = Tenant.objects.get(pk=machine.tenant_id), machine.token
        response = view()
        if response.status_code >= REFUSED_FROM:
            transaction.set_rollback(True)
        else:
            record_owed()
        return response
