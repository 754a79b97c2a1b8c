"""A tenant under attack: hostile values, the site they are sent to, and what every answer must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.test import Client

from accounts.models import Person
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.architecture.everything import (
    CHECK,
    CITATION,
    ROUTES,
    Everything,
    TenantDigests,
    make_everything,
    names_asked,
)
from tests.architecture.foreign_ids import KINDS, NOBODYS
from tests.engagements.factories import name_in

HOSTILE: dict[str, bytes] = {
    "empty": b"", "blank": b" \t ", "NUL": b"a\x00b", "lone surrogate": b"\xed\xa0\x80", "no UTF-8": b"\xff\xfe\xfd",
    "overlong UTF-8": b"\xc0\xae\xc0\xae", "newlines": b"a\r\nSet-Cookie: x=y\r\n\r\nz", "right to left": "\u202egnp.exe".encode(),
    "long": b"x" * 100_000, "SQL": b"' or 1=1; drop table accounts_person; --", "LIKE": b"%_\\%" * 50, "template": b"{{ 7|add:7 }}{% debug %}",
    "script": b'"><script>alert(1)</script>', "path": b"../../../../etc/passwd", "zero": b"0", "negative": b"-1",
    "huge number": b"9" * 400, "NaN": b"NaN", "id without rows": b"00000000-0000-0000-0000-000000000000", "braced id": b"{00000000-0000-0000-0000-000000000000}",
    "cursor of no time": b"yesterday_00000000-0000-0000-0000-000000000000", "cursor before time": b"0001-01-01T00:00:00+23:59_00000000-0000-0000-0000-000000000000",
    "cursor after time": b"9999-12-31T23:59:59-23:59_00000000-0000-0000-0000-000000000000", "cursor without zone": b"2026-01-01T00:00:00_00000000-0000-0000-0000-000000000000",
    "signed": b"WyJ4Il0:1uXxXx:AAAA", "JSON": b'{"$ne": null}', "regex": b"(a+)+$", "full-width digits": "\uff11\uff12\uff13".encode(), "emoji": "\U0001f3e5".encode() * 60,
}  # fmt: skip
"""Values by what is wrong with them, as bytes."""

SAMPLES = {"citation": CITATION, "check_id": CHECK, "token": "x" * 43, "handle": "no-such-session"}
ENDS_SESSIONS = {"sign-out/", "profile/sessions/end-others/"}
READ = sorted(route for route in ROUTES if route != "healthz")
FIT = {
    "email": "new@example.org", "role": "viewer", "name": "Annex", "aws_account_id": "9" * 12, "partition": "aws",
    "regions": "us-east-1", "role_name": "Reader", "current": "x", "password": "y", "code": "1",
}  # fmt: skip
"""A value for each field of a form that could be accepted."""
VOLATILE_TABLES = frozenset({"accounts_auditentry", "accounts_session", "accounts_totpdevice"})
"""The last: a page that sets up an app prepares its seed."""


@dataclass(frozen=True)
class Site:
    """A tenant with one of everything, its owner's client, and its rows."""

    its: Everything
    client: Client
    guest: Person
    """A viewer, whose sessions may end."""
    rows: TenantDigests
    vault: Any
    auditor: Client
    """Of somebody whom the tenant's engagement names."""

    def client_for(self, route: str) -> Client:
        """Who is let in there."""
        return self.auditor if f"{route}/".startswith(("auditor/", "api/v1/engagement/")) else self.client

    @cached_property
    def ids(self) -> dict[str, str]:
        found = {name: str(kind.of(self.its)) for name, kind in KINDS.items()}
        nobodys = {name: str(sample[0]) for name, sample in NOBODYS.items()}
        return {**nobodys, **found, "run_id": str(self.its.running.pk), "passkey": "0" * 32, **SAMPLES}

    def path(self, route: str, **instead: str) -> str:
        return "/" + re.sub(r"<\w+:(\w+)>", lambda match: {**self.ids, **instead}[match[1]], route)


def make_site(directory: Any, mark: str = "") -> Site:
    its = make_everything(mark, raise_request_exception=False)
    named = make_ready_person(Role.AUDITOR, its.tenant)
    with open_tenant(its.tenant.pk):
        name_in(its.engagement, named)
    # What is opened for the first time is answered with a receipt: here that is done.
    its.client.get(f"/verifications/received/{KINDS['delivery_id'].of(its)}/")
    return Site(
        its,
        its.client,
        make_ready_person(Role.VIEWER, its.tenant),
        TenantDigests(its, without=VOLATILE_TABLES),
        directory,
        sign_in(named, raise_request_exception=False),
    )


def assert_in_frame(answer: Any, about: object) -> None:
    """No failure of ours, and where it is a page, then one of the portal's, guarded by its policy."""
    assert answer.status_code < 500, about
    assert answer.headers.get("X-Request-ID"), about
    assert not {"x", "evil"} & set(answer.cookies), about
    if answer.status_code in {204, 301, 302, 405} or not answer.content:
        return
    assert b"alert(1)</script>" not in answer.content, about
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code >= 400 and answer.wsgi_request.path_info.startswith("/api/"):
        assert kind.partition(";")[0] in {"application/problem+json", "application/json", "text/html"}, about
    elif kind == "application/scim+json":
        assert answer.wsgi_request.path_info.startswith("/scim/"), about
    elif answer.wsgi_request.path_info.startswith("/calendar/feed/"):
        assert kind.startswith(("text/calendar", "text/plain", "text/html")), about  # programs read it
    elif answer.status_code >= 400:
        assert kind.startswith("text/html"), about
        assert b"Surety" in answer.content, about
        assert b"Traceback" not in answer.content, about
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy, about
    assert "unsafe" not in policy, about


def asked_names(site: Site, method: str, route: str, body: dict[str, str] | None = None) -> list[str]:
    client = (
        sign_in(site.guest, raise_request_exception=False)
        if route in ENDS_SESSIONS
        else site.client_for(route)
    )
    with names_asked() as names:
        getattr(client, method)(site.path(route), body or {})
    return sorted(names - {"csrfmiddlewaretoken"})
