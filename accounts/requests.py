"""Who sent a request, and from where."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest

from accounts.audit.events import ActorKind
from accounts.audit.log import Actor
from accounts.models import Person
from accounts.sessions import SSO_TENANT, SSO_VERIFIED, session_digest

if TYPE_CHECKING:
    from accounts.tenancy.unscoped import MembershipFound

BACKGROUND_HEADER = "X-Background"
"""Sent with 1 by polling requests, which are not a person's act and don't prolong a session."""


def client_address(request: HttpRequest) -> str:
    """The client's IP address, or "" where there is none (a Unix socket).

    Behind a proxy it is the last hop of X-Forwarded-For, which our own proxy wrote; what stands before it is
    the client's word.
    """
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", 1)[-1].strip() or said
    try:
        return str(ip_address(said))
    except ValueError:
        return ""


def actor_of(request: HttpRequest, person: Person | None = None) -> Actor:
    """The actor of what the request does: the person signed in (or given), else a stranger."""
    someone = person or (request.user if request.user.is_authenticated else None)
    where = {
        "address": client_address(request),
        "session": session_digest(request.session.session_key),
        "request_id": getattr(request, "request_id", ""),
    }
    if someone is None:
        return Actor(kind=ActorKind.STRANGER, id="", name="", **where)
    kind = ActorKind.OPERATOR if someone.is_operator else ActorKind.PERSON
    return Actor(kind=kind, id=str(someone.pk), name=someone.email, **where)


def signed_in_person(request: HttpRequest) -> Person:
    """The person who is signed in, as a row of their own. Raises TypeError where nobody is."""
    if request.user.pk is None:
        raise TypeError("nobody is signed in")
    return Person.objects.get(pk=request.user.pk)


def is_verified(request: HttpRequest) -> bool:
    """Whether somebody is signed in with both factors, or by a provider whose word counts as both."""
    # OTPMiddleware gives it; a person who was signed in by this very request has it from the next one on.
    check = getattr(request.user, "is_verified", None)
    by_device = bool(check and check())
    return request.user.is_authenticated and (by_device or request.session.get(SSO_VERIFIED) is True)


def is_sso(request: HttpRequest) -> bool:
    """Whether the session came by single sign-on, and so is bound to one tenant."""
    return bool(request.session.get(SSO_TENANT))


def within_reach(request: HttpRequest, found: Iterable[MembershipFound]) -> list[MembershipFound]:
    """Those memberships that the session may use: one of single sign-on its own tenant's alone."""
    bound = request.session.get(SSO_TENANT)
    return [each for each in found if not bound or str(each.tenant_id) == bound]


def is_api(request: HttpRequest) -> bool:
    """Whether the client speaks JSON rather than looks at pages."""
    return request.path_info.startswith("/api/") or is_scim(request)


def is_scim(request: HttpRequest) -> bool:
    """Whether the client speaks SCIM, whose errors have a form of their own (RFC 7644 section 3.12)."""
    return request.path_info.startswith("/scim/")


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
