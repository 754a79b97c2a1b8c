"""What a view needs, declared on the view. The middleware refuses every view that declares nothing.

@requires(Permission.EVIDENCE_READ)
def snapshot_detail(request: TenantRequest, snapshot_id: UUID) -> HttpResponse: ...
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.models import ApiClient, Membership, OperatorWindow, Person, ScimToken, Tenant
from accounts.permissions import Permission, Role

View = TypeVar("View", bound=Callable[..., Any])
Receive = Callable[[HttpRequest, UUID], AbstractContextManager[None]]
"""Given a request and its tenant; what it received is let go when the context ends, unless the view claimed it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_CHANGING = frozenset({"answer", "certify", "change", "release", "send", "start"})
_ACTS = frozenset(str(act) for act in Act)


class Gate(StrEnum):
    """How far a person must have come to reach a view that needs no permission."""

    PUBLIC = "public"
    PASSWORD = "password"  # noqa: S105 (signed in; the second factor is being set up or asked)
    VERIFIED = "verified"
    OPERATOR = "operator"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Access:
    """A view's declaration: a permission in the open tenant, or a gate outside of any tenant.

    `act` is what the audit log calls a request to the view that records nothing more telling by itself; without
    it, the act of the permission's name. A GET of a view that changes something is called a reading.
    `sso` lets sessions of single sign-on to a page outside of a tenant: by default those pages are a person's own,
    and a tenant's identity provider has no say about them.
    `scope` lets machines in whose token has it: beside members, where there is a permission too, else alone.
    `step_up` asks for both factors again when the last proof is older than a few minutes (ASVS 5.0 7.5.3).
    `writing` is what a request needs that isn't a reading, where that differs.
    `receive` takes a machine's body before the tenant is opened, since a large one would hold its transaction open.
    """

    permission: Permission | None = None
    gate: Gate = Gate.VERIFIED
    act: Act | None = None
    step_up: bool = False
    scope: Scope | None = None
    sso: bool = False
    writing: Access | None = None
    receive: Receive | None = None

    def for_method(self, method: str | None) -> Access:
        """What a request by this method needs."""
        return self if self.writing is None or method in SAFE_METHODS else self.writing

    def act_of(self, method: str) -> Act:
        """What a request by this method is called."""
        reads = method in SAFE_METHODS
        if self.permission is None:
            return Act.PERSON_READ if reads else self.act or Act.PERSON_CHANGE
        subject, _, verb = self.permission.partition(".")
        if reads and verb in _CHANGING and f"{subject}.read" in _ACTS:
            return Act(f"{subject}.read")
        return self.act or Act(str(self.permission))


class TenantRequest(HttpRequest):
    """A request of a verified member, inside its tenant's transaction."""

    user: Person
    tenant: Tenant
    membership: Membership
    role: Role
    window: OperatorWindow | None
    """The window through which the operator's staff looks in; None for members."""
    windows: list[OperatorWindow]
    """Every window into the tenant that is open now, for the banner."""

    def may(self, permission: Permission) -> bool:
        """Whether the member's role includes the permission."""
        raise NotImplementedError  # the middleware sets it on the request


def requires(
    permission: Permission, *, act: Act | None = None, step_up: bool = False
) -> Callable[[View], View]:
    """Only for a verified member whose role includes the permission; the tenant is open inside the view.

    Raises TypeError where the audit log would have no name for a request: no `act`, and none of the permission's.
    """
    if act is None and str(permission) not in _ACTS:
        raise TypeError(f"give the view an act: the audit log knows none that is called {permission}")
    return _declare(Access(permission=permission, act=act, step_up=step_up))


def public(view: View) -> View:
    """For everybody. The few views of this kind are listed in tests/architecture/test_access.py."""
    return _declare(Access(gate=Gate.PUBLIC))(view)


def after_password(view: View) -> View:
    """For a person who gave the password and not yet the second factor."""
    return _declare(Access(gate=Gate.PASSWORD))(view)


def verified(view: View) -> View:
    """For a person with both factors, outside of any tenant (the profile, the tenant switch)."""
    return _declare(Access(gate=Gate.VERIFIED))(view)


def verified_or_sso(view: View) -> View:
    """As `verified`, and for sessions of single sign-on too: the view changes nothing of the person's own."""
    return _declare(Access(gate=Gate.VERIFIED, sso=True))(view)


def freshly_verified(view: View) -> View:
    """As `verified`, with both factors proved in the last minutes (accounts.proof)."""
    return _declare(Access(gate=Gate.VERIFIED, step_up=True))(view)


def verified_act(act: Act, *, sso: bool = False) -> Callable[[View], View]:
    """As `verified` (or `verified_or_sso`), where a change has a name of its own in the audit log."""
    return _declare(Access(gate=Gate.VERIFIED, act=act, sso=sso))


def operator(view: View) -> View:
    """For the operator's staff with both factors, outside of any tenant; for others the address isn't there."""
    return _declare(Access(gate=Gate.OPERATOR))(view)


def machine(scope: Scope) -> Callable[[View], View]:
    """For a client with a bearer token of the scope; the token's tenant is open inside the view.

    The view records what it does, like any other. A browser sends no bearer token by itself, so that these views
    alone need no protection against forged requests.
    """

    def wrap(view: View) -> View:
        view.csrf_exempt = True  # type: ignore[attr-defined]
        return _declare(Access(gate=Gate.MACHINE, scope=scope))(view)

    return wrap


def api(
    permission: Permission, scope: Scope, *, act: Act | None = None, step_up: bool = False,
    writing: Access | None = None,
) -> Callable[[View], View]:  # fmt: skip
    """For a client whose token has the scope, and for a member, by session, whose role includes the permission.

    A request with an Authorization header is a machine's, and its session is nobody's. A session's request is
    protected against forgery like every page's, although DRF would leave that to itself.
    """

    def wrap(view: View) -> View:
        view.csrf_exempt = False  # type: ignore[attr-defined]
        needed = Access(permission=permission, scope=scope, act=act, step_up=step_up, writing=writing)
        return _declare(needed)(view)

    return wrap


def is_machines(request: HttpRequest, access: Access | None) -> bool:
    """Whether the request has to prove itself by a token, at a view that takes one."""
    if access is None:
        return False
    return access.gate is Gate.MACHINE or (access.scope is not None and "Authorization" in request.headers)


class MachineRequest(HttpRequest):
    """A request of a machine, inside its tenant's transaction."""

    tenant: Tenant
    token: ScimToken


class ApiRequest(HttpRequest):
    """A request to the interface, of a client or of a member, inside the tenant's transaction."""

    tenant: Tenant
    client: ApiClient | None
    """None for members."""
    caller: str
    """The id of the client or the person."""
    reach: Reach


def _declare(access: Access) -> Callable[[View], View]:
    def wrap(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return wrap
