"""What every page's frame shows: navigation by permission, the tenant, the theme, the session's limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.ceremony import relying_party
from accounts.models import OperatorWindow
from accounts.permissions import Permission, Role, allows
from accounts.requests import within_reach
from accounts.tenancy.unscoped import MembershipFound, memberships_of

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sidebar: `place` is the start of the paths that it stands for."""

    label: str
    icon: str
    view: str
    needs: Permission
    place: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one request sees it."""

    label: str
    icon: str
    url: str
    current: bool


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("Overview", "layout-dashboard", "overview", Permission.POSTURE_READ, ""),)),
    (
        "Compliance",
        (
            Entry("Safeguards", "shield-check", "safeguard-list", Permission.POSTURE_READ, "safeguards/"),
            Entry("Evidence", "file-certificate", "evidence-list", Permission.EVIDENCE_READ, "evidence/"),
            Entry("Submissions", "inbox", "submission-list", Permission.EVIDENCE_READ, "submissions/"),
            Entry("Findings", "alert-triangle", "finding-list", Permission.POSTURE_READ, "findings/"),
        ),
    ),
    (
        "Cloud",
        (Entry("AWS connections", "cloud", "connection-list", Permission.CONNECTION_READ, "connections/"),),
    ),
    (
        "Audits",
        (
            Entry(
                "Engagements",
                "clipboard-search",
                "engagement-list",
                Permission.ENGAGEMENT_READ,
                "engagements",
            ),
            Entry("Packages", "package-export", "package-list", Permission.PACKAGE_CREATE, "packages/"),
        ),
    ),
    (
        "Partners",
        (
            Entry(
                "Business associates",
                "building-community",
                "business-associate-list",
                Permission.PARTNER_READ,
                "business-associates/",
            ),
            Entry("Agreements", "file-text", "agreement-list", Permission.PARTNER_READ, "agreements/"),
            Entry(
                "Covered entities",
                "building-hospital",
                "covered-entity-list",
                Permission.PARTNER_READ,
                "covered-entities/",
            ),
            Entry("Subcontractors", "sitemap", "chain-upstreams", Permission.PARTNER_READ, "subcontractors/"),
            Entry("Notices", "speakerphone", "notice-list", Permission.PARTNER_READ, "notices/"),
            Entry(
                "Questionnaires",
                "list-check",
                "questionnaire-list",
                Permission.PARTNER_READ,
                "questionnaires/",
            ),
            Entry(
                "Verifications",
                "file-certificate",
                "verification-list",
                Permission.PARTNER_READ,
                "verifications/",
            ),
            Entry("Calendar", "calendar-due", "calendar", Permission.PARTNER_READ, "calendar/"),
            Entry("Exits", "door-exit", "exit-list", Permission.PARTNER_READ, "exits/"),
        ),
    ),
    (
        "Admin",
        (
            Entry("Members", "users", "member-list", Permission.MEMBER_READ, "members"),
            Entry("Single sign-on", "login-2", "sso", Permission.TENANT_CHANGE, "single-sign-on"),
            Entry("Sign-in policy", "key", "sign-in-policy", Permission.TENANT_CHANGE, "settings/sign-in"),
            Entry("Provisioning", "users-group", "provisioning", Permission.TENANT_CHANGE, "provisioning"),
            Entry("API clients", "robot", "api-client-list", Permission.API_CLIENT_CHANGE, "api-clients"),
            Entry("Operator access", "eye", "operator-access", Permission.TENANT_CHANGE, "operator-access"),
            Entry("Webhooks", "webhook", "webhook-list", Permission.WEBHOOK_CHANGE, "webhooks/"),
            Entry("Audit log", "history", "audit-log", Permission.AUDIT_READ, "audit"),
        ),
    ),
)


AUDITORS: tuple[tuple[str, str, str, str], ...] = (
    ("Overview", "layout-dashboard", "auditor-engagement", ""),
    ("Requests", "messages", "auditor-requests", "requests/"),
    ("Safeguards", "shield-check", "auditor-safeguards", "safeguards/"),
    ("Evidence", "file-certificate", "auditor-evidence", "evidence/"),
    ("Documents", "inbox", "auditor-documents", "documents/"),
    ("Samples", "dice-3", "auditor-samples", "samples/"),
    ("Packages", "package", "engagement-packages", "packages/"),
)
"""An auditor's entries within an engagement: label, icon, URL name, what follows the engagement in the path."""


class Frame:
    """The frame of one request. Outside of a tenant (signing in, some error pages) there is no navigation."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.tenant = getattr(request, "tenant", None)
        self.role: Role | None = getattr(request, "role", None)
        chosen = request.COOKIES.get(THEME_COOKIE, "")
        self.theme = chosen if chosen in THEMES else "auto"
        self.themes = (
            ("light", "Light", "sun"),
            ("dark", "Dark", "moon"),
            ("auto", "As the device", "device-desktop"),
        )
        self.idle_seconds: int = settings.SESSION_IDLE_SECONDS
        self.idle_minutes = self.idle_seconds // 60
        self.warning_seconds: int = settings.SESSION_WARNING_SECONDS

    @cached_property
    def signed_in(self) -> bool:
        """Whether a member is inside a tenant."""
        return self.tenant is not None and self.role is not None

    @cached_property
    def passkeys(self) -> bool:
        """Whether browsers give passkeys to this site."""
        return relying_party() is not None

    @cached_property
    def navigation(self) -> list[tuple[str, list[Link]]]:
        """The sidebar's groups with the entries that the role may open; a group without any is left out."""
        if self.role is Role.AUDITOR:
            return self._for_auditor()
        groups = ((label, list(self._links(entries))) for label, entries in NAVIGATION)
        return [(label, links) for label, links in groups if links]

    @cached_property
    def tenants(self) -> list[MembershipFound]:
        """The tenants to switch to."""
        if self.tenant is None:
            return []
        person_id: UUID = self._request.user.pk  # type: ignore[assignment] # inside a tenant somebody is signed in
        mine = within_reach(self._request, memberships_of(person_id))
        return [found for found in mine if found.tenant_id != self.tenant.pk]

    @property
    def engagement(self) -> Any:
        """The engagement in which an auditor works; None outside of one."""
        return getattr(self._request, "engagement", None)

    def _for_auditor(self) -> list[tuple[str, list[Link]]]:
        path = self._request.path_info
        home, advice = reverse("auditor-home"), reverse("auditor-help")
        first = [Link("Engagements", "clipboard-search", home, path == home)]
        last = [Link("Help", "help", advice, path == advice)]
        if self.engagement is None:
            return [("", first), ("", last)]
        return [("", first), (self.engagement.title, list(self._within(path))), ("", last)]

    def _within(self, path: str) -> Iterable[Link]:
        base = reverse("auditor-engagement", args=[self.engagement.pk])
        for label, name, view, rest in AUDITORS:
            url = reverse(view, args=[self.engagement.pk])
            yield Link(label, name, url, path.startswith(base + rest) if rest else path == base)

    @cached_property
    def windows(self) -> list[OperatorWindow]:
        """Through which the operator's staff can look in now."""
        return list(getattr(self._request, "windows", []))

    @cached_property
    def may_close_windows(self) -> bool:
        """Whether the member can end the staff's visits."""
        return self._may(Permission.TENANT_CHANGE)

    def _may(self, permission: Permission) -> bool:
        may = getattr(self._request, "may", None)
        return bool(self.role is not None and (may(permission) if may else allows(self.role, permission)))

    def _links(self, entries: Iterable[Entry]) -> Iterable[Link]:
        path = self._request.path_info.removeprefix("/")
        for entry in entries:
            if self._may(entry.needs):
                here = path.startswith(entry.place) if entry.place else not path
                yield Link(entry.label, entry.icon, reverse(entry.view), here)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame`."""
    return {"frame": Frame(request)}
