"""Whatever is sent, the portal answers in its own frame, with 4xx where it can't use it, and changes nothing then.

Every address and every field that a view asks for (found by watching the views) gets every hostile value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from django.core import mail
from django.test import Client, RequestFactory, override_settings

from accounts.models import Person
from accounts.permissions import Role
from accounts.requests import client_address
from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection
from tests.accounts.factories import make_ready_person, sign_in
from tests.architecture.everything import CHECK, CITATION, ROUTES, Everything, TenantDigests, make_everything, names_asked

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE: dict[str, bytes] = {
    "empty": b"", "blank": b" \t ", "NUL": b"a\x00b", "lone surrogate": b"\xed\xa0\x80", "no UTF-8": b"\xff\xfe\xfd",
    "overlong UTF-8": b"\xc0\xae\xc0\xae", "newlines": b"a\r\nSet-Cookie: x=y\r\n\r\nz", "right to left": "\u202egnp.exe".encode(),
    "long": b"x" * 100_000, "SQL": b"' or 1=1; drop table accounts_person; --", "LIKE": b"%_\\%" * 50, "template": b"{{ 7|add:7 }}{% debug %}",
    "script": b"\"><script>alert(1)</script>", "path": b"../../../../etc/passwd", "zero": b"0", "negative": b"-1",
    "huge number": b"9" * 400, "NaN": b"NaN", "id without rows": b"00000000-0000-0000-0000-000000000000", "braced id": b"{00000000-0000-0000-0000-000000000000}",
    "cursor of no time": b"yesterday_00000000-0000-0000-0000-000000000000", "cursor before time": b"0001-01-01T00:00:00+23:59_00000000-0000-0000-0000-000000000000",
    "cursor after time": b"9999-12-31T23:59:59-23:59_00000000-0000-0000-0000-000000000000", "cursor without zone": b"2026-01-01T00:00:00_00000000-0000-0000-0000-000000000000",
    "signed": b"WyJ4Il0:1uXxXx:AAAA", "JSON": b'{"$ne": null}', "regex": b"(a+)+$", "full-width digits": "\uff11\uff12\uff13".encode(), "emoji": "\U0001f3e5".encode() * 60,
}  # fmt: skip
"""Values by what is wrong with them, as bytes."""

SAMPLES = {"citation": CITATION, "check_id": CHECK, "token": "x" * 43, "handle": "no-such-session"}
ENDS_SESSIONS = {"sign-out/", "profile/sessions/end-others/"}
FREE_TEXT = {"name", "theme", "act", "actor", "object"}
"""Fields of forms that take nearly anything; what they take is shown escaped."""

VOLATILE_TABLES = frozenset({"accounts_auditentry", "accounts_session"})
NONSENSE_METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "X")


@dataclass(frozen=True)
class Site:
    """A tenant with one of everything, its owner's client, and its rows."""

    its: Everything
    client: Client
    guest: Person
    """A viewer, whose sessions may end."""
    rows: TenantDigests
    vault: Any

    @property
    def ids(self) -> dict[str, str]:
        its = self.its
        found = {
            "connection_id": its.connection.pk, "run_id": its.running.pk, "snapshot_id": its.snapshot.pk, "finding_id": its.finding.pk,
            "membership_id": its.membership.pk, "invitation_id": its.invitation.invitation.pk,
        }  # fmt: skip
        return {**SAMPLES, **{name: str(value) for name, value in found.items()}}

    def path(self, route: str, **instead: str) -> str:
        return "/" + re.sub(r"<\w+:(\w+)>", lambda match: {**self.ids, **instead}[match[1]], route)


def _make_site(directory: Any, mark: str = "") -> Site:
    its = make_everything(mark, raise_request_exception=False)
    return Site(its, its.client, make_ready_person(Role.VIEWER, its.tenant), TenantDigests(its, without=VOLATILE_TABLES), directory)


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("vault")
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=directory):
        made = _make_site(directory)
        yield made
        made.rows.close()


@pytest.fixture(autouse=True)
def _vault_of_the_site(site, vault_directory, settings):
    settings.VAULT_DIRECTORY = site.vault


@pytest.fixture
def stranger() -> Client:
    return Client(raise_request_exception=False)


def _assert_in_frame(answer: Any, about: object) -> None:
    """No failure of ours, and where it is a page, then one of the portal's, guarded by its policy."""
    assert answer.status_code < 500, about
    assert answer.headers.get("X-Request-ID"), about
    assert not {"x", "evil"} & set(answer.cookies), about
    if answer.status_code in {204, 301, 302, 405} or not answer.content:
        return
    assert b"alert(1)</script>" not in answer.content, about
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code >= 400:
        assert kind.startswith("text/html"), about
        assert b"Surety" in answer.content, about
        assert b"Traceback" not in answer.content, about
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy, about
    assert "unsafe" not in policy, about


def _asked(site: Site, method: str, route: str, body: dict[str, str] | None = None) -> list[str]:
    client = sign_in(site.guest, raise_request_exception=False) if route in ENDS_SESSIONS else site.client
    with names_asked() as names:
        getattr(client, method)(site.path(route), body or {})
    return sorted(names - {"csrfmiddlewaretoken"})


READ = sorted(route for route in ROUTES if route not in {"healthz"})
WITH_PARAMETERS = sorted(route for route in ROUTES if "<" in route)


@pytest.mark.parametrize("route", READ)
def test_every_field_of_every_query_takes_anything(route, site):
    before = site.rows.read()
    for name in [*_asked(site, "get", route), "unknown"]:
        for what, value in HOSTILE.items():
            if name != "unknown" or what in {"NUL", "no UTF-8", "script"}:
                answer = site.client.get(site.path(route), QUERY_STRING=f"{name}={quote_from_bytes(value)}")
                _assert_in_frame(answer, (route, name, what))
    assert site.rows.read() == before


@pytest.mark.parametrize("route", WITH_PARAMETERS)
def test_every_part_of_every_path_takes_anything(route, site):
    before = site.rows.read()
    for name in ROUTES[route].pattern.converters:
        for what, value in HOSTILE.items():
            if value:
                path = site.path(route, **{name: quote_from_bytes(value, safe="")})
                for method in ("get", "post"):
                    answer = getattr(site.client, method)(path)
                    _assert_in_frame(answer, (route, name, what))
                    assert answer.status_code in {301, 302, 400, 404, 405}, (path[:200], answer.status_code)
    assert site.rows.read() == before


FORMS = sorted(
    route
    for route in ROUTES
    if not route.startswith(("sign-", "invitations/")) and not route.endswith(("remove/", "revoke/")) and route not in {"healthz", *ENDS_SESSIONS}
)
"""Without those that strangers reach, which follow, and those that have no field and would end what the tests rely on."""

FIT = {"email": "new@example.org", "role": "viewer", "name": "Annex", "aws_account_id": "9" * 12, "partition": "aws", "regions": "us-east-1", "role_name": "Reader", "current": "x", "password": "y", "code": "1"}


@pytest.mark.parametrize("route", FORMS)
def test_every_field_of_every_form_takes_anything_and_changes_nothing_where_it_is_refused(route, site):
    for name in _asked(site, "post", site.path(route) and route, {"x": "y"}):
        for what, value in HOSTILE.items():
            before = site.rows.read()
            others = "&".join(f"{field}={quote(said)}" for field, said in FIT.items() if field != name)
            answer = site.client.post(
                site.path(route), f"{name}={quote_from_bytes(value)}&{others}", content_type="application/x-www-form-urlencoded"
            )
            _assert_in_frame(answer, (route, name, what))
            if answer.status_code >= 400:
                assert site.rows.read() == before, (route, name, what)


@pytest.mark.parametrize("address", ["/sign-in/", "/sign-in/code/", "/sign-in/set-up/", "/invitations/x/"])
def test_what_strangers_can_reach_takes_anything(address, stranger, site):
    for name in ("email", "password", "next", "code", "token"):
        for what, value in HOSTILE.items():
            body = f"{name}={quote_from_bytes(value)}" + ("&email=nobody@example.org&password=x" if name == "next" else "")
            for answer in (
                stranger.post(address, body, content_type="application/x-www-form-urlencoded", REMOTE_ADDR=f"198.51.100.{len(what)}"),
                stranger.get(address, QUERY_STRING=body),
            ):
                _assert_in_frame(answer, (address, name, what))


BODIES: dict[str, tuple[bytes, str]] = {
    "100,000 fields": (b"&".join(b"f%d=1" % number for number in range(100_000)), "application/x-www-form-urlencoded"),
    "one field 100,000 times": (b"name=1&" * 100_000, "application/x-www-form-urlencoded"),
    "4 MB in a field": (b"name=" + b"x" * 4_000_000, "application/x-www-form-urlencoded"),
    "JSON": (b'{"name": "x"}', "application/json"),
    "deep JSON": (b"[" * 100_000, "application/json"),
    "UTF-16": ("name=x".encode("utf-16"), "application/x-www-form-urlencoded; charset=utf-16"),
    "a charset that isn't": (b"name=x", "application/x-www-form-urlencoded; charset=klingon"),
    "UTF-7": (b"name=+ADw-script+AD4-", "application/x-www-form-urlencoded; charset=utf-7"),
    "no type": (b"name=x", ""),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "application/xml"),
    "multipart without boundary": (b"--x\r\n\r\n", "multipart/form-data"),
    "multipart with a hostile boundary": (b"--x\r\n", "multipart/form-data; boundary=" + "x" * 5000),
    "multipart cut short": (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nabc', "multipart/form-data; boundary=x"),
    "a file for a field": (b'--x\r\nContent-Disposition: form-data; name="name"; filename="../../a.exe"\r\n\r\nabc\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    "10,000 parts": (b"".join(b'--x\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n1\r\n' % number for number in range(10_000)) + b"--x--\r\n", "multipart/form-data; boundary=x"),
    "bad base64": (b'--x\r\nContent-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n', "multipart/form-data; boundary=x"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(BODIES))
@pytest.mark.parametrize("checked", [False, True], ids=["", "with the token's check"])
def test_a_body_that_is_no_form_changes_nothing(what, checked, site):
    body, media_type = BODIES[what]
    client = Client(enforce_csrf_checks=checked, raise_request_exception=False)
    client.cookies.update(site.client.cookies)
    before = site.rows.read()
    for address in ("/members/invite/", "/connections/new/", "/tenants/switch/", "/sign-in/"):
        answer = client.generic("POST", address, body, content_type=media_type)
        _assert_in_frame(answer, (address, what))
        assert answer.status_code == 200 or 400 <= answer.status_code < 500 or address == "/sign-in/", (address, what)
    assert site.rows.read() == before


@pytest.mark.parametrize("route", READ)
def test_other_methods_are_refused(route, site):
    """With 405, also where a header or field asks for another method than the request's."""
    before = site.rows.read()
    client = sign_in(site.guest, raise_request_exception=False) if route in ENDS_SESSIONS else site.client
    for method in NONSENSE_METHODS:
        answer = client.generic(method, site.path(route), b"x=y", content_type="application/x-www-form-urlencoded")
        if not route.startswith("sign-in/"):
            assert answer.status_code in {404, 405} if "token" in route else answer.status_code == 405, (method, answer.status_code)
        _assert_in_frame(answer, (method, route))
    plain = client.get(site.path(route)).status_code
    override = client.get(site.path(route), {"_method": "DELETE"}, headers={"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"})
    assert override.status_code == plain
    assert site.rows.read() == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000@evil.example", "127.0.0.1, evil.example", "", "a" * 5000, "[::1", "127.0.0.1\tx"])
def test_another_host_is_refused(host, site, stranger):
    for client in (site.client, stranger):
        answer = client.post("/sign-in/", {"email": "x@example.org", "password": "x"}, headers={"host": host})
        _assert_in_frame(answer, host)
        assert answer.status_code == 400
        assert b"evil.example" not in answer.content
        page = client.get("/", headers={"host": host})
        assert page.status_code < 500
        assert b"evil.example" not in page.content + page.headers.get("Location", "").encode()


def test_a_forwarded_host_leads_nowhere(site):
    evil = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example", "Forwarded": "host=evil.example", "X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"}
    for address in ("/", "/members/", "/connections/new/", "/profile"):
        answer = site.client.get(address, headers=evil)
        assert b"evil.example" not in answer.content + answer.headers.get("Location", "").encode()
    mail.outbox.clear()
    assert site.client.post("/members/invite/", {"email": "forwarded@example.org", "role": "viewer"}, headers=evil).status_code == 302
    (message,) = mail.outbox
    assert "evil.example" not in f"{message.body} {message.message()}"
    assert "http://127.0.0.1:8000/invitations/" in message.body


ELSEWHERE = ["https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example", "javascript:alert(1)", "/\t/evil.example",
             "https:/\\evil.example", "\u2028//evil.example", "//evil\u3002example", "data:text/html,x", "/\r\nLocation: https://evil.example"]  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_redirect_leads_to_another_site(url, site, stranger):
    answers = [
        site.client.post("/session/extend/", headers={"Referer": url.replace("\r\n", "")}),
        site.client.post("/profile/theme/", {"theme": "light", "next": url}, headers={"Referer": url.replace("\r\n", "")}),
        site.client.post("/tenants/switch/", {"tenant": str(site.its.tenant.pk), "next": url}),
        site.client.get("/sign-in/", {"next": url}),
        stranger.get(f"/{quote(url)}"),
        stranger.get(url if url.startswith("/") else f"//{url}", follow=False) if "\r" not in url and "\t" not in url else stranger.get("/"),
    ]
    for answer in answers:
        target = answer.headers.get("Location", "/")
        assert target.startswith("/"), target
        assert not target.startswith(("//", "/\\", "/\t")), target
        assert "\r" not in target
        assert "\n" not in target


HEADERS = {
    "Cookie": ["session=" + "x" * 50_000, "session=\x00", "session=; csrf=; messages=x; theme=\"><script>alert(1)</script>", "messages=!!!.x; session=..;;;=", "csrf=\xff"],
    "Accept": ["\x00", "application/json" * 1000], "Accept-Language": ["x" * 10_000, "en;q=NaN"], "User-Agent": ["\x00" * 10, "x" * 100_000, "<script>alert(1)</script>"],
    "Referer": ["\x00", "http://[", "x" * 100_000], "Origin": ["null", "http://["], "HX-Current-URL": ["http://[", "\x00"], "HX-Request": ["\x00", "true"],
    "X-Background": ["2", "\x00"], "X-Forwarded-For": ["x", "127.0.0.1, " * 5000, "\x00"], "X-CSRFToken": ["\x00", "x" * 10_000], "Range": ["bytes=-1-"], "If-Modified-Since": ["x"],
    "X-Request-ID": ["a\\nb"], "Content-Length": ["-1", "x", "99999999999999999999"], "Authorization": ["Bearer x", "Basic !!!"],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_every_header_takes_anything(name, site, settings):
    for behind_proxy in (False, True):
        settings.BEHIND_PROXY = behind_proxy
        for value in HEADERS[name]:
            client = Client(raise_request_exception=False)
            if name != "Cookie":
                client.cookies.update(site.client.cookies)
            key = name.upper().replace("-", "_")
            given = {key if name == "Content-Length" else f"HTTP_{key}": value}
            for answer in (client.get("/profile/", **given), client.post("/sign-in/", {"email": "x@example.org", "password": "x"}, **given)):
                _assert_in_frame(answer, (name, value[:40]))


def test_a_proxys_word_on_the_client_is_an_address_or_nothing(settings):
    settings.BEHIND_PROXY = True
    said = ["203.0.113.5, 192.0.2.9", "192.0.2.9, <script>", "::1", "", "192.0.2.9\x00"]
    found = [client_address(RequestFactory().get("/", headers={"X-Forwarded-For": each}, REMOTE_ADDR="10.0.0.1")) for each in said]
    assert found == ["192.0.2.9", "", "::1", "10.0.0.1", ""]


@pytest.mark.parametrize("path", ["/%00", "/%ff", "/..%2f..%2fetc/passwd", "/static/../portal/settings.py", "/static/%2e%2e/portal/settings.py", "/" + "a" * 20_000, "/members/%0d%0aSet-Cookie:x=y", "/profile%00/", "/.git/config", "/admin/", "/api/", "/api/%ff"])
def test_an_address_that_isnt_gets_a_page_that_says_so(path, site, stranger):
    for client in (site.client, stranger):
        answer = client.get(path)
        assert answer.status_code in {400, 404}, answer.status_code
        assert answer.headers.get("X-Request-ID")
        assert b"SECRET_KEY" not in answer.content


SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def hostile(site, django_db_blocker) -> Iterator[Site]:
    """A tenant in which every name, and everything that AWS said, is a script."""
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=site.vault):
        made = _make_site(site.vault, SCRIPT)
        yield made
        made.rows.close()


@pytest.mark.parametrize("route", sorted(route for route in ROUTES if not route.startswith("sign-") and route != "healthz"))
def test_names_that_are_scripts_are_shown_as_text(route, hostile):
    tabs = ("health", "coverage", "runs", "permissions") if route.endswith("<uuid:connection_id>/") else ("",)
    path = hostile.path(route, token=hostile.its.invitation.token)
    for tab in tabs:
        answer = hostile.client.get(path, {"tab": tab, "text": SCRIPT, "region": SCRIPT, "object": SCRIPT, "actor": SCRIPT})
        assert answer.status_code in {200, 204, 400, 404, 405, 409}, answer.status_code
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert b"<script>alert" not in answer.content
            assert b"<img src=x" not in answer.content
            assert re.findall(rb"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>", answer.content) == []
            assert re.findall(rb"<[^>]*\son\w+\s*=", re.sub(rb"\"[^\"]*\"|'[^']*'", b"", answer.content)) == []
        else:
            assert answer.headers.get("X-Content-Type-Options", "nosniff") == "nosniff"
            assert "\n" not in answer.headers.get("Content-Disposition", "")
    shown = hostile.client.get("/").content
    assert b"&lt;script&gt;alert(1)" in shown, "the name isn't on the page at all"


def test_a_mail_to_a_tenant_whose_name_breaks_lines_stays_one_mail(site):
    person = make_ready_person(Role.OWNER, site.its.tenant)
    with open_tenant(site.its.tenant.pk):
        type(site.its.tenant).objects.filter(pk=site.its.tenant.pk).update(name="Hill\r\nBcc: evil@evil.example\r\n\r\nhospital")
    mail.outbox.clear()
    assert sign_in(person).post("/members/invite/", {"email": "lines@example.org", "role": "viewer"}).status_code == 302
    (message,) = mail.outbox
    assert message.recipients() == ["lines@example.org"]
    assert "bcc" not in {name.lower() for name in message.message().keys()}  # noqa: SIM118 (a message is no dict)
    with open_tenant(site.its.tenant.pk):
        type(site.its.tenant).objects.filter(pk=site.its.tenant.pk).update(name=site.its.tenant.name)


def test_the_ids_of_a_form_can_not_be_chosen(site):
    """Mass assignment: what the person may not set is not taken from the form."""
    hidden = {"id": "00000000-0000-0000-0000-000000000001", "tenant": "00000000-0000-0000-0000-000000000001", "external_id": "00000000-0000-0000-0000-000000000001",
              "state": "verified", "access": "ambient", "probe": "[]"}  # fmt: skip
    answer = site.client.post("/connections/new/", {**FIT, **hidden, "aws_account_id": "123123123123", "name": "Mass", "role_name": "SuretyEvidenceReader", "holds_phi": "on"})
    assert answer.status_code == 302
    with open_tenant(site.its.tenant.pk):
        made = AwsConnection.objects.get(aws_account_id="123123123123")
    assert (made.state, made.access) == ("pending", "role")
    assert not {str(made.pk), str(made.external_id), str(made.tenant_id)} & set(hidden.values())
