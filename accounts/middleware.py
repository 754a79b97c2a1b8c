"""What stands before every view: a request's name, the session's limits, and the way into a tenant."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.core.exceptions import PermissionDenied
from django.db import DataError, Error, IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from uuid_utils.compat import uuid7

from accounts.access import Access, ApiRequest, Gate, TenantRequest, is_machines
from accounts.audit.events import Act
from accounts.audit.gathering import current_request, request_entries
from accounts.audit.log import NOT_RECORDED, acting, record_owed
from accounts.clients.scopes import EVERYTHING
from accounts.errors import Forbidden, NotFound, PortalError, Unavailable
from accounts.machines import answer_machine
from accounts.models import Membership, Person, Tenant
from accounts.operators.gate import answer_operator, is_operator, open_windows, require_operator
from accounts.permissions import Permission, Role, allows
from accounts.proof import PHISHING_RESISTANT, has_fresh_proof, session_factor
from accounts.recording import concerned, database_of, owe, record_rest
from accounts.refusals import NOTHING_HERE, as_portal_error, ask_sign_in, ask_step_up, refuse
from accounts.requests import (
    BACKGROUND_HEADER,
    actor_of,
    client_address,
    is_api,
    is_sso,
    is_verified,
    within_reach,
)
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import has_second_factor
from accounts.sessions import SEEN_AT, SIGNED_IN_AT, TENANT
from accounts.sso.policy import (
    FirstUseOfBreakGlass,
    LinkEnded,
    SingleSignOnNeeded,
    check_way_in,
    note_break_glass,
)
from accounts.tenancy.scope import AUDITOR, current_database, open_tenant
from accounts.tenancy.unscoped import MembershipFound, memberships_of

GetResponse = Callable[[HttpRequest], HttpResponseBase]
SEEN_EVERY_SECONDS = 60

logger = structlog.get_logger()


class RequestIdMiddleware:
    """Names each request by a UUIDv7 in the answer's header, the service's log and the audit log."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = str(uuid7())  # type: ignore[attr-defined]
        request.client_address = client_address(request)  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request.request_id):  # type: ignore[attr-defined]
            response = self._get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response.headers.setdefault("Cache-Control", "no-store")  # errors that no view answered, too
        return response


class SessionLimitMiddleware:
    """Ends sessions 15 minutes after the last act and 12 hours after signing in (45 CFR 164.312(a)(2)(iii)).

    Polling (X-Background: 1) is no act. The last act is written at most once a minute, so that reading pages
    doesn't write a row each time; a session may therefore end up to a minute early, never late.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if SESSION_KEY in request.session:
            now = int(time.time())
            if session_seconds_left(request, now) <= 0:
                _end_session(request)
            elif not _is_polling(request):
                touch_session(request, now)
        return self._get_response(request)


def session_seconds_left(request: HttpRequest, now: int) -> int:
    """How long the session lasts without an act. A session without its marks is over."""
    signed_in_at, seen_at = request.session.get(SIGNED_IN_AT, 0), request.session.get(SEEN_AT, 0)
    absolute = signed_in_at + settings.SESSION_COOKIE_AGE - now
    return int(min(seen_at + settings.SESSION_IDLE_SECONDS - now, absolute))


def touch_session(request: HttpRequest, now: int, *, every: int = SEEN_EVERY_SECONDS) -> None:
    """Notes an act."""
    if now - request.session[SEEN_AT] >= every:
        request.session[SEEN_AT] = now


def _is_polling(request: HttpRequest) -> bool:
    return request.headers.get(BACKGROUND_HEADER) == "1" or request.path_info == reverse("session-status")


def _end_session(request: HttpRequest) -> None:
    person = Person.objects.filter(pk=request.session[SESSION_KEY]).first()
    if person:
        # The portal ends it: it is not what the request, which goes on without a session, asks for.
        record_for_person(
            person.pk, Act.SESSION_EXPIRE, actor=replace(actor_of(request, person), request_id="")
        )
    logout(request)
    minutes = settings.SESSION_IDLE_SECONDS // 60
    if request.method == "GET" and not is_api(request):
        messages.info(
            request, f"You were signed out: {minutes} minutes without an act, or 12 hours since signing in."
        )


class TenantMiddleware:
    """Runs each view as its declaration says (accounts.access): refused, or inside the tenant's transaction.

    Everything that a permission protects happens in one transaction, with the page's rendering and the audit
    log's entry. An answer of 400 or more undoes it, and the entry is made in one of its own (accounts.recording).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with request_entries() as entries:
            response = self._get_response(request)
            try:
                record_rest(entries, request, response)
            except (Unavailable, Error):
                logger.exception("audit.entry_not_written")
                return _unavailable(request, NOT_RECORDED)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        access: Access | None = getattr(view, "access", None)
        if access is None:
            logger.error("view.undeclared", view=request.resolver_match.view_name)  # type: ignore[union-attr]
            return refuse(request, NotFound(NOTHING_HERE))
        access = access.for_method(request.method)
        with acting(actor_of(request)):
            try:
                answer = _answer_machine if is_machines(request, access) else _answer
                response = answer(request, access, lambda: view(request, *args, **kwargs))
            except (IntegrityError, DataError):
                raise
            except Error:
                logger.exception("database.unavailable")
                return _unavailable(
                    request, "The database doesn't answer, so nothing was done. Try again shortly."
                )
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


def _unavailable(request: HttpRequest, message: str) -> HttpResponse:
    request.tenant = request.role = None  # type: ignore[attr-defined] # the error page asks the database nothing
    return refuse(request, Unavailable(message))


def _answer(request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    missing = _missing_step(request, access)
    if missing:
        return ask_sign_in(request, missing)
    try:
        return _answer_as_declared(request, access, view)
    except FirstUseOfBreakGlass:
        # The request's one entry says this alone; the page is asked for anew and makes its own.
        note_break_glass(request, UUID(request.session[TENANT]))
        return redirect(request.get_full_path() if request.method in {"GET", "HEAD"} else "overview")
    except LinkEnded:
        _refuse_for("single sign-on")
        logout(request)
        return ask_sign_in(request, "sign-in")
    except (PortalError, Http404, PermissionDenied) as error:
        return refuse(request, as_portal_error(error))


def _answer_as_declared(
    request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    if access.gate is Gate.OPERATOR:
        require_operator(request)
    if access.permission is None:
        if access.gate is Gate.VERIFIED:
            _owe(request, access)
            _require_own_session(request, access)
            _look_into_tenant(cast("TenantRequest", request))
        return _rendered(view()) if _proof_suffices(request, access) else _ask_proof(request)
    if is_operator(request):
        return answer_operator(request, access, lambda: _rendered(view()))
    return _answer_in_tenant(cast("TenantRequest", request), access, view)


def _answer_machine(
    request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    try:
        return answer_machine(request, access, lambda: _rendered(view()))
    except PortalError as error:
        return refuse(request, error)


def _missing_step(request: HttpRequest, access: Access) -> str | None:
    """The URL name of the step of signing in that comes first, or None."""
    if access.permission is None and access.gate is Gate.PUBLIC:
        return None
    if not request.user.is_authenticated:
        return "sign-in"
    if access.permission is None and access.gate is Gate.PASSWORD:
        return None
    if is_verified(request):
        return None
    return "second-factor" if has_second_factor(request.user) else "second-factor-set-up"


def _answer_in_tenant(
    request: TenantRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    found = find_membership(request)
    if found is None:
        return _without_tenant(request)
    _owe(request, access, found)
    _check_auditors_way_in(request, found)
    with _opened(request, found):
        membership = _membership(request)
        if membership is None:
            _refuse_for("membership")
            return _without_tenant(request)
        tenant = Tenant.objects.get(pk=found.tenant_id)
        if membership.role != Role.AUDITOR:
            check_way_in(request, tenant, membership)
        if tenant.require_passkey and session_factor(request) not in PHISHING_RESISTANT:
            _refuse_for("passkey needed")
            return ask_sign_in(request, "passkey-needed", "This tenant requires a passkey: sign in with one.")
        _enter(request, tenant, membership)
        if not request.may(cast("Permission", access.permission)):
            return _not_permitted(request)
        if not _proof_suffices(request, access):
            return _ask_proof(request)
        response = _rendered(view())
        if response.status_code >= 400:  # noqa: PLR2004 (HTTP's own border)
            transaction.set_rollback(True, using=current_database())
        else:
            record_owed()
        return response


def _require_own_session(request: HttpRequest, access: Access) -> None:
    """What is a person's own, beyond any tenant, is not for who was let in at one tenant's word."""
    if is_sso(request) and not access.sso:
        raise Forbidden(
            "You came by your organisation's sign-in, which can't change your own account here. Sign out, and sign in"
            " with your password or passkey."
        )


def _check_auditors_way_in(request: HttpRequest, found: MembershipFound) -> None:
    """As for others, but before their connection is opened, which can't ask about domains."""
    if found.role != Role.AUDITOR:
        return
    with open_tenant(found.tenant_id):
        membership = Membership.objects.filter(person=request.user.pk).first()
        if membership:
            check_way_in(request, Tenant.objects.get(pk=found.tenant_id), membership)


def _opened(request: HttpRequest, found: MembershipFound) -> AbstractContextManager[UUID]:
    """The tenant, open for the request: an auditor's on a connection that can change nothing of the tenant's."""
    return open_tenant(found.tenant_id, using=database_of(found), writes=request.method == "POST")


def _membership(request: HttpRequest) -> Membership | None:
    """The person's membership, unless it became or ceased to be an auditor's since the connection was chosen."""
    membership: Membership | None = Membership.objects.filter(person=request.user.pk).first()
    if membership and (membership.role == Role.AUDITOR) != (current_database() == AUDITOR):
        return None
    return membership


def _not_permitted(request: TenantRequest) -> HttpResponse:
    """For an auditor there is nothing but the engagements; others hear that their role doesn't permit it."""
    _refuse_for("role")
    if request.role is not Role.AUDITOR:
        raise Forbidden("Your role doesn't permit this. Ask an owner of the tenant.")
    if request.path_info == "/" and request.method in {"GET", "HEAD"}:
        return redirect(settings.AUDITOR_REDIRECT_URL)
    raise NotFound(NOTHING_HERE)


def _owe(request: HttpRequest, access: Access, *found: MembershipFound) -> None:
    entries = current_request()
    if entries is not None:
        owe(entries, request, access, found or concerned(request, access))


def _refuse_for(reason: str) -> None:
    entries = current_request()
    if entries is not None:
        entries.refuse_for(reason)


def _ask_proof(request: HttpRequest) -> HttpResponse:
    _refuse_for("step-up")
    return ask_step_up(request)


def _proof_suffices(request: HttpRequest, access: Access) -> bool:
    return not access.step_up or has_fresh_proof(request)


def find_membership(request: HttpRequest) -> MembershipFound | None:
    """The person's membership in the session's tenant, as it is now."""
    wanted = request.session.get(TENANT)
    mine = within_reach(request, memberships_of(request.user.pk)) if request.user.pk else []
    return next((found for found in mine if str(found.tenant_id) == wanted), None)


def _look_into_tenant(request: TenantRequest) -> None:
    """Tells a page outside of the tenant which one the person works in, for its frame."""
    found = find_membership(request)
    if found is None:
        return
    try:
        _check_auditors_way_in(request, found)
        with _opened(request, found):
            membership = _membership(request)
            if membership:
                tenant = Tenant.objects.get(pk=found.tenant_id)
                if membership.role != Role.AUDITOR:
                    check_way_in(request, tenant, membership)
                _enter(request, tenant, membership)
    except (SingleSignOnNeeded, FirstUseOfBreakGlass):
        return  # the page is shown without the tenant's frame


def _enter(request: TenantRequest, tenant: Tenant, membership: Membership) -> None:
    role = Role(membership.role)
    request.tenant, request.membership, request.role = tenant, membership, role
    # An auditor's connection reads nothing of the tenant beside the engagement.
    request.window, request.windows = None, [] if role is Role.AUDITOR else open_windows()
    request.may = lambda permission: allows(role, permission)  # type: ignore[method-assign]
    asked = cast("ApiRequest", request)
    asked.client, asked.caller, asked.reach = None, str(membership.person_id), EVERYTHING


def _without_tenant(request: HttpRequest) -> HttpResponse:
    """For who is no member any more of the tenant that the session was in."""
    if request.method in {"GET", "HEAD"} and not is_api(request):
        return ask_sign_in(request, "tenant-list")
    return refuse(request, NotFound(NOTHING_HERE))


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    render = getattr(response, "render", None)
    return cast("HttpResponseBase", render()) if callable(render) else response
