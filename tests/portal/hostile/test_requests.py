"""Foreign hosts, headers, redirects and addresses lead nowhere; scripts in names are shown as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client, RequestFactory, override_settings

from accounts.permissions import Role
from accounts.requests import client_address
from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection
from tests.accounts.factories import make_ready_person, sign_in
from tests.architecture.everything import ROUTES
from tests.portal.hostile.site import FIT, Site, assert_in_frame, make_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1:8000@evil.example",
        "127.0.0.1, evil.example",
        "",
        "a" * 5000,
        "[::1",
        "127.0.0.1\tx",
    ],
)
def test_another_host_is_refused(host, site, stranger):
    for client in (site.client, stranger):
        answer = client.post("/sign-in/", {"email": "x@example.org", "password": "x"}, headers={"host": host})
        assert_in_frame(answer, host)
        assert answer.status_code == 400
        assert b"evil.example" not in answer.content
        page = client.get("/", headers={"host": host})
        assert page.status_code < 500
        assert b"evil.example" not in page.content + page.headers.get("Location", "").encode()


def test_a_forwarded_host_leads_nowhere(site):
    evil = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/healthz",
        "X-Rewrite-URL": "/healthz",
    }
    for address in ("/", "/members/", "/connections/new/", "/profile"):
        answer = site.client.get(address, headers=evil)
        assert b"evil.example" not in answer.content + answer.headers.get("Location", "").encode()
    mail.outbox.clear()
    assert (
        site.client.post(
            "/members/invite/", {"email": "forwarded@example.org", "role": "viewer"}, headers=evil
        ).status_code
        == 302
    )
    (message,) = mail.outbox
    assert "evil.example" not in f"{message.body} {message.message()}"
    assert "http://localhost:8000/invitations/" in message.body


ELSEWHERE = ["https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example", "javascript:alert(1)", "/\t/evil.example",
             "https:/\\evil.example", "\u2028//evil.example", "//evil\u3002example", "data:text/html,x", "/\r\nLocation: https://evil.example"]  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_redirect_leads_to_another_site(url, site, stranger):
    answers = [
        site.client.post("/session/extend/", headers={"Referer": url.replace("\r\n", "")}),
        site.client.post(
            "/profile/theme/", {"theme": "light", "next": url}, headers={"Referer": url.replace("\r\n", "")}
        ),
        site.client.post("/tenants/switch/", {"tenant": str(site.its.tenant.pk), "next": url}),
        site.client.get("/sign-in/", {"next": url}),
        stranger.get(f"/{quote(url)}"),
        stranger.get(url if url.startswith("/") else f"//{url}", follow=False)
        if "\r" not in url and "\t" not in url
        else stranger.get("/"),
    ]
    for answer in answers:
        target = answer.headers.get("Location", "/")
        assert target.startswith("/"), target
        assert not target.startswith(("//", "/\\", "/\t")), target
        assert "\r" not in target
        assert "\n" not in target


HEADERS = {
    "Cookie": ["session=" + "x" * 50_000, "session=\x00", 'session=; csrf=; messages=x; theme="><script>alert(1)</script>', "messages=!!!.x; session=..;;;=", "csrf=\xff"],
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
            given: Any = {key if name == "Content-Length" else f"HTTP_{key}": value}
            for answer in (
                client.get("/profile/", **given),
                client.post("/sign-in/", {"email": "x@example.org", "password": "x"}, **given),
            ):
                assert_in_frame(answer, (name, value[:40]))


def test_a_proxys_word_on_the_client_is_an_address_or_nothing(settings):
    settings.BEHIND_PROXY = True
    said = ["203.0.113.5, 192.0.2.9", "192.0.2.9, <script>", "::1", "", "192.0.2.9\x00"]
    found = [
        client_address(RequestFactory().get("/", headers={"X-Forwarded-For": each}, REMOTE_ADDR="10.0.0.1"))
        for each in said
    ]
    assert found == ["192.0.2.9", "", "::1", "10.0.0.1", ""]


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/%ff",
        "/..%2f..%2fetc/passwd",
        "/static/../portal/settings.py",
        "/static/%2e%2e/portal/settings.py",
        "/" + "a" * 20_000,
        "/members/%0d%0aSet-Cookie:x=y",
        "/profile%00/",
        "/.git/config",
        "/admin/",
        "/api/",
        "/api/%ff",
    ],
)
def test_an_address_that_isnt_gets_a_page_that_says_so(path, site, stranger):
    for client in (site.client, stranger):
        answer = client.get(path)
        assert answer.status_code in {400, 404}, answer.status_code
        assert answer.headers.get("X-Request-ID")
        assert b"SECRET_KEY" not in answer.content


LEADING_ON = ("step-up/", "sso/", "scim/", "operator/", "email/", "profile/email/")
"""Addresses that lead on, or that a member's session doesn't open; what they say is judged all the same."""
SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def hostile(site, django_db_blocker) -> Iterator[Site]:
    """A tenant in which every name, and everything that AWS said, is a script."""
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=site.vault):
        made = make_site(site.vault, SCRIPT)
        yield made
        made.rows.close()


@pytest.mark.parametrize(
    "route", sorted(route for route in ROUTES if not route.startswith("sign-") and route != "healthz")
)
def test_names_that_are_scripts_are_shown_as_text(route, hostile):
    tabs = ("health", "coverage", "runs", "permissions") if route.endswith("<uuid:connection_id>/") else ("",)
    path = hostile.path(route, token=hostile.its.invitation.token)
    for tab in tabs:
        answer = hostile.client_for(route).get(
            path, {"tab": tab, "text": SCRIPT, "region": SCRIPT, "object": SCRIPT, "actor": SCRIPT}
        )
        fit = {200, 204, 400, 404, 405, 409}
        if route.startswith(LEADING_ON):
            fit |= {302, 401, 403}
        assert answer.status_code in fit, answer.status_code
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert b"<script>alert" not in answer.content
            assert b"<img src=x" not in answer.content
            assert re.findall(rb"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>", answer.content) == []
            assert (
                re.findall(rb"<[^>]*\son\w+\s*=", re.sub(rb"\"[^\"]*\"|'[^']*'", b"", answer.content)) == []
            )
        else:
            assert answer.headers.get("X-Content-Type-Options", "nosniff") == "nosniff"
            assert "\n" not in answer.headers.get("Content-Disposition", "")


def test_a_name_that_is_a_script_is_on_the_page(hostile):
    """Without this the test above could pass on pages that show nothing."""
    overview = hostile.client.get("/")
    assert overview.status_code == 200, overview.content.decode()
    assert b"&lt;script&gt;alert(1)" in overview.content, "the name isn't on the page at all"


def test_a_mail_to_a_tenant_whose_name_breaks_lines_stays_one_mail(site):
    person = make_ready_person(Role.OWNER, site.its.tenant)
    with open_tenant(site.its.tenant.pk):
        type(site.its.tenant).objects.filter(pk=site.its.tenant.pk).update(
            name="Hill\r\nBcc: evil@evil.example\r\n\r\nhospital"
        )
    mail.outbox.clear()
    assert (
        sign_in(person).post("/members/invite/", {"email": "lines@example.org", "role": "viewer"}).status_code
        == 302
    )
    (message,) = mail.outbox
    assert message.recipients() == ["lines@example.org"]
    assert "bcc" not in {name.lower() for name in message.message().keys()}  # noqa: SIM118 (a message is no dict)
    with open_tenant(site.its.tenant.pk):
        type(site.its.tenant).objects.filter(pk=site.its.tenant.pk).update(name=site.its.tenant.name)


def test_the_ids_of_a_form_can_not_be_chosen(site):
    """Mass assignment: what the person may not set is not taken from the form."""
    hidden = {"id": "00000000-0000-0000-0000-000000000001", "tenant": "00000000-0000-0000-0000-000000000001", "external_id": "00000000-0000-0000-0000-000000000001",
              "state": "verified", "access": "ambient", "probe": "[]"}  # fmt: skip
    answer = site.client.post(
        "/connections/new/",
        {
            **FIT,
            **hidden,
            "aws_account_id": "123123123123",
            "name": "Mass",
            "role_name": "SuretyEvidenceReader",
            "holds_phi": "on",
        },
    )
    assert answer.status_code == 302
    with open_tenant(site.its.tenant.pk):
        made = AwsConnection.objects.get(aws_account_id="123123123123")
    assert (made.state, made.access) == ("pending", "role")
    assert not {str(made.pk), str(made.external_id), str(made.tenant_id)} & set(hidden.values())
