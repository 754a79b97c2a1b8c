"""Asking for a window, the second operator's word, the tenant's, and the end. Each is recorded in the tenant's log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Membership, OperatorWindow, Person, Tenant
from accounts.operators.models import EMERGENCY_HOURS, LONGEST_HOURS, WindowState
from accounts.permissions import Role
from accounts.tenancy.scope import after_commit, current_tenant_id, open_tenant
from accounts.tenancy.unscoped import operator_windows, tenant_by_slug

logger = structlog.get_logger()
SHOWN_FOR = timedelta(days=30)


class Listed(NamedTuple):
    """A window as the operator's staff sees it."""

    window: OperatorWindow
    tenant: str
    state: WindowState


def list_asked() -> list[Listed]:
    """The windows of the last 30 days, newest first, for the operator's staff."""
    now = timezone.now()
    listed = []
    for found in operator_windows(now - SHOWN_FOR):
        with open_tenant(found.tenant_id):
            window = OperatorWindow.objects.select_related("asked_by", "approved_by").get(pk=found.window_id)
        listed.append(Listed(window, found.tenant_name, window.state(now)))
    return listed


def ask_window(
    *, by: Person, slug: str, reason: str, ticket: str, hours: int, emergency: bool = False
) -> None:
    """Asks for a window. A slug that no tenant has is noted in the service's log, and says nothing else.

    Raises InvalidInput.
    """
    if not reason.strip() or not ticket.strip():
        raise InvalidInput("Say why, and the ticket.", field="reason")
    longest = EMERGENCY_HOURS if emergency else LONGEST_HOURS
    if not 1 <= hours <= longest:
        raise InvalidInput(f"Ask for 1 to {longest} hours.", field="hours")
    tenant_id = tenant_by_slug(slug)
    if tenant_id is None:
        logger.warning("operator.asked_for_nobody", operator=str(by.pk))
        return
    with open_tenant(tenant_id):
        window = OperatorWindow.objects.create(
            asked_by=by, reason=reason.strip(), ticket=ticket.strip(), hours=hours, emergency=emergency
        )
        _record(Act.OPERATOR_ASK, window, hours=hours, emergency=emergency)


def approve_window(*, window_id: UUID, by: Person) -> None:
    """The second operator's word; then owners are asked by e-mail.

    An emergency window opens at once for an hour where the tenant allows that, and owners are told by e-mail.
    Raises NotFound, Forbidden for who asked, Conflict where it waits for nobody's approval, or the tenant has
    emergency access switched off.
    """
    with open_tenant(tenant_of_window(window_id)) as tenant_id:
        window = _locked(window_id)
        if window.asked_by_id == by.pk:
            raise Forbidden("Somebody else approves what you asked for.")
        _require(window, WindowState.ASKED)
        tenant = Tenant.objects.get(pk=tenant_id)
        if window.emergency and not tenant.emergency_access:
            raise Conflict("This tenant has emergency access switched off: ask for a window that it grants.")
        now = timezone.now()
        window.approved_by, window.approved_at = by, now
        if window.emergency:
            _open(window, now)
        window.save()
        _record(
            Act.OPERATOR_EMERGENCY if window.emergency else Act.OPERATOR_APPROVE, window, until=_until(window)
        )
        _tell_owners(tenant, window)


def grant_window(*, window_id: UUID, by: Membership, with_evidence: bool = False) -> OperatorWindow:
    """An owner's word opens the window. Raises NotFound, Conflict where it doesn't wait for an owner."""
    window = _locked(window_id)
    _require(window, WindowState.APPROVED)
    window.granted_by_id, window.with_evidence = by.person_id, with_evidence
    _open(window, timezone.now())
    window.save()
    _record(Act.OPERATOR_GRANT, window, until=_until(window), with_evidence=with_evidence)
    return window


def close_window(*, window_id: UUID, by: Membership) -> OperatorWindow:
    """Refuses a window, or ends it before its time; the staff's next request is refused. Raises NotFound, Conflict."""
    window = _locked(window_id)
    state = window.state(timezone.now())
    _require(window, WindowState.ASKED, WindowState.APPROVED, WindowState.OPEN)
    window.closed_by_id, window.closed_at = by.person_id, timezone.now()
    window.save()
    _record(Act.OPERATOR_CLOSE, window, before=str(state))
    return window


def begin_visit(*, window_id: UUID, by: Person) -> UUID:
    """The tenant into which an open window leads. Raises NotFound for somebody else's, Conflict for a closed one."""
    with open_tenant(tenant_of_window(window_id)) as tenant_id:
        window = _locked(window_id)
        if window.asked_by_id != by.pk:
            raise NotFound("There is no such window.")
        _require(window, WindowState.OPEN)
        record(
            Act.OPERATOR_ENTER, object_type="operator_window", object_id=window.pk, on_behalf_of=str(window)
        )
        return tenant_id


def switch_emergency_access(*, allowed: bool) -> None:
    """Says whether two operators can open a window of an hour without an owner (45 CFR 164.312(a)(2)(ii))."""
    tenant = Tenant.objects.select_for_update().get(pk=current_tenant_id())
    before, tenant.emergency_access = tenant.emergency_access, allowed
    tenant.save(update_fields=["emergency_access"])
    record(
        Act.OPERATOR_ACCESS_CHANGE, object_type="tenant", object_id=tenant.pk, before=before, after=allowed
    )


def _open(window: OperatorWindow, now: datetime) -> None:
    window.opened_at, window.ends_at = now, now + timedelta(hours=window.hours)


def tenant_of_window(window_id: UUID) -> UUID:
    """Whose a window is. Raises NotFound."""
    since = timezone.now() - SHOWN_FOR
    found = next((each for each in operator_windows(since) if each.window_id == window_id), None)
    if found is None:
        raise NotFound("There is no such window.")
    return found.tenant_id


def _locked(window_id: UUID) -> OperatorWindow:
    found = OperatorWindow.objects.filter(pk=window_id).select_for_update().first()
    if found is None:
        raise NotFound("There is no such window.")
    return found


def _require(window: OperatorWindow, *states: WindowState) -> None:
    state = window.state(timezone.now())
    if state not in states:
        raise Conflict(f"This window is past that: {state.label.lower()}.")


def _record(act: Act, window: OperatorWindow, **details: Any) -> None:
    record(
        act, object_type="operator_window", object_id=window.pk, ticket=window.ticket, reason=window.reason,
        operator=str(window.asked_by_id), **details,
    )  # fmt: skip


def _until(window: OperatorWindow) -> str | None:
    return window.ends_at.isoformat() if window.ends_at else None


def _tell_owners(tenant: Tenant, window: OperatorWindow) -> None:
    """Sends each owner a message of their own, so that none learns the others' addresses."""
    owners = Membership.objects.filter(role=Role.OWNER).select_related("person")
    what = "Emergency access was opened" if window.emergency else "The operator asks to look"
    lines = [
        f"{what}: {tenant.name}", "", f"Who: {window.asked_by.name}", f"Approved by: {window.approved_by.name}",  # type: ignore[union-attr] # it was just approved
        f"Why: {window.reason}", f"Ticket: {window.ticket}", f"Hours: {window.hours}", "",
        "An owner can end it at any time:" if window.emergency else "Nothing is seen until an owner grants it:",
        settings.SITE_URL.rstrip("/") + reverse("operator-access"),
    ]  # fmt: skip
    for owner in owners:
        subject = f"{what} ({tenant.name})".replace("\n", " ").replace("\r", " ")
        after_commit(EmailMessage(subject=subject, body="\n".join(lines), to=[owner.person.email]).send)
