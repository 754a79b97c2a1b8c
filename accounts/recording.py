"""What a request owes the audit log, and the entry that is made in its place where it made none.

In a tenant the entry is part of the page's transaction. Where that was undone (refused with 400 or more, or failed),
where the view never ran (a form that stood open for too long), and outside of tenants, it has one of its own,
before the answer goes out; if it can't be written, the answer doesn't go out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from accounts.access import Access, Gate
from accounts.audit.actors import acting
from accounts.audit.events import ActOutcome
from accounts.audit.gathering import Noted, RequestEntries
from accounts.audit.log import record_in_each, record_noted
from accounts.permissions import Role
from accounts.requests import actor_of, is_verified, within_reach
from accounts.sessions import TENANT
from accounts.tenancy.scope import AUDITOR, DEFAULT, open_tenant
from accounts.tenancy.unscoped import MembershipFound, memberships_of

REFUSED_FROM, FAILED_FROM = 400, 500
LONGEST_OBJECT = 256


def owe(
    entries: RequestEntries, request: HttpRequest, access: Access, concerned: Iterable[MembershipFound]
) -> None:
    """Notes what the request is called in the tenants' logs if it records nothing more telling."""
    match = request.resolver_match
    if match is None:
        return
    for found in concerned:
        entries.owed[found.tenant_id] = replace(note_of(request, match, access), actor=actor_of(request))
        if access.permission is not None:
            entries.using = database_of(found)


def note_of(request: HttpRequest, match: ResolverMatch, access: Access) -> Noted:
    """What the request is called, by its address and method."""
    kind, thing = _object(match)
    details = {"method": str(request.method), "route": match.route}
    return Noted(access.act_of(str(request.method)), kind, thing, details=details)


def record_rest(entries: RequestEntries, request: HttpRequest, response: HttpResponseBase) -> None:
    """Makes the entries that the request owes and has not. Raises Unavailable, django.db.Error."""
    if not entries.owed and response.status_code >= REFUSED_FROM:
        _owe_unseen(entries, request)
    missing = entries.missing()
    if not missing:
        return
    done = {
        tenant_id: _ended(entries.attempted.get(tenant_id, owed), response.status_code)
        for tenant_id, owed in missing.items()
    }
    if entries.using == DEFAULT:
        record_in_each(done)
        return
    with transaction.atomic(using=entries.using):
        for tenant_id, noted in done.items():
            with open_tenant(tenant_id, using=entries.using):
                record_noted(noted)


def _ended(noted: Noted, status: int) -> Noted:
    if status < REFUSED_FROM:
        return noted
    outcome = ActOutcome.FAILED if status >= FAILED_FROM else ActOutcome.REFUSED
    if noted.outcome is not ActOutcome.DONE:
        outcome = noted.outcome
    return replace(noted, outcome=outcome, details={**noted.details, "status": status})


def _owe_unseen(entries: RequestEntries, request: HttpRequest) -> None:
    """For a request that was refused before its view was asked."""
    access = getattr(getattr(request.resolver_match, "func", None), "access", None)
    if access is None or not is_verified(request):
        return
    with acting(actor_of(request)):
        owe(entries, request, access.for_method(request.method), concerned(request, access))


def database_of(found: MembershipFound) -> str:
    """The connection that a member's requests run on: an auditor's can change nothing of the tenant's."""
    return AUDITOR if found.role == Role.AUDITOR else DEFAULT


def concerned(request: HttpRequest, access: Access) -> list[MembershipFound]:
    """Whose logs speak of the request: of the tenant that it asks about; outside of a tenant, of the person's."""
    mine = within_reach(request, memberships_of(request.user.pk)) if request.user.pk else []
    if access.permission is not None:
        return [found for found in mine if str(found.tenant_id) == request.session.get(TENANT)]
    return mine if access.gate is Gate.VERIFIED else []


def _object(match: ResolverMatch) -> tuple[str, str]:
    """What the address names. Parameters that can be secrets (tokens, handles) are not among them."""
    named: dict[str, object] = match.kwargs
    for name in reversed(named):
        if name.endswith("_id") or name == "citation":
            kind = "safeguard" if name == "citation" else name.removesuffix("_id")
            return kind, str(named[name]).replace("\x00", "%00")[
                :LONGEST_OBJECT
            ]  # PostgreSQL takes no NUL in text
    return "page", (match.url_name or match.route)[:LONGEST_OBJECT]
