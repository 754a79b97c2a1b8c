"""Whatever is sent, the portal answers in its own frame, with 4xx where it can't use it, and changes nothing then.

Every address and every field that a view asks for (found by watching the views) gets hostile values: some each, in
turn, all of them together; with `HOSTILE_INPUT=all` each gets all.
"""

from __future__ import annotations

import os
from urllib.parse import quote, quote_from_bytes
from zlib import crc32

import pytest
from django.test import Client
from django.urls.converters import UUIDConverter

from accounts.access import Gate
from tests.accounts.factories import sign_in
from tests.architecture.everything import ROUTES
from tests.portal.hostile.site import ENDS_SESSIONS, FIT, HOSTILE, READ, Site, asked_names, assert_in_frame

NONSENSE_METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "X")

pytestmark = pytest.mark.django_db(transaction=True)

MAYBE_GONE = ("sso/", "auditor/")
"""Where nothing may be: another test's form may have ended the engagement."""
SAMPLES_FOR_IDS = {"NUL", "no UTF-8", "newlines", "long", "path", "id without rows", "braced id"}
WITH_PARAMETERS = sorted(route for route in ROUTES if "<" in route)


def _closed(route: str) -> set[int]:
    """What the site's members get where machines or the operator's staff alone are let in."""
    gate = ROUTES[route].callback.access.gate
    return {Gate.MACHINE: {401}, Gate.OPERATOR: {404}}.get(gate, set())


@pytest.mark.parametrize("route", READ)
def test_every_field_of_every_query_takes_anything(route, site):
    before = site.rows.read()
    asked = asked_names(site, "get", route)
    # The filters together, since each is judged alone; the key of a page by itself, since a bad one ends the request.
    for names in ([name for name in asked if name != "after"], ["after"] if "after" in asked else []):
        for what, value in _some(crc32(route.encode())) if names else ():
            query = "&".join(f"{name}={quote_from_bytes(value)}" for name in [*names, "unknown"])
            assert_in_frame(
                site.client_for(route).get(site.path(route), QUERY_STRING=query), (route, names, what)
            )
    assert site.rows.read() == before


@pytest.mark.parametrize("route", WITH_PARAMETERS)
def test_every_part_of_every_path_takes_anything(route, site):
    before = site.rows.read()
    for name, converter in ROUTES[route].pattern.converters.items():
        for what, value in _some(crc32(route.encode())):
            # A converter of ids lets nothing of this through to the view: some samples show that.
            if value and (not isinstance(converter, UUIDConverter) or what in SAMPLES_FOR_IDS):
                path = site.path(route, **{name: quote_from_bytes(value, safe="")})
                for method in ("get", "post"):
                    answer = getattr(site.client_for(route), method)(path)
                    assert_in_frame(answer, (route, name, what))
                    fit = {301, 302, 400, 404, 405, 409, *_closed(route)}
                    assert answer.status_code in fit, (path[:200], answer.status_code)
    assert site.rows.read() == before


FORMS = sorted(
    route
    for route in ROUTES
    if not route.startswith(("sign-", "invitations/", "partnerships/invitations/"))
    and not route.endswith(("remove/", "revoke/", "/end/"))
    and route not in {"healthz", *ENDS_SESSIONS}
)
"""Without those that strangers reach, which follow, and those that have no field and would end what the tests rely on."""


def _some(position: int, step: int = 5) -> list[tuple[str, bytes]]:
    """Every fifth value, the next field the next fifth: all fields meet all together; `HOSTILE_INPUT=all` each all."""
    values = list(HOSTILE.items())
    return values if os.environ.get("HOSTILE_INPUT") == "all" else values[position % step :: step]


@pytest.mark.parametrize("route", FORMS)
def test_every_field_of_every_form_takes_anything_and_changes_nothing_where_it_is_refused(route, site):
    names = asked_names(site, "post", site.path(route) and route, {"x": "y"})
    before = site.rows.read() if names else {}
    for position, name in enumerate(names):
        values = _some(position + crc32(route.encode()), max(5, len(names)))
        if all(_refuses(site, route, name, *each) for each in values):
            assert site.rows.read() == before, (route, name)
            continue
        # One of them did something: they are sent again, each between two looks at the rows.
        for each in values:
            before = site.rows.read()
            if _refuses(site, route, name, *each):
                assert site.rows.read() == before, (route, name, each[0])
        before = site.rows.read()


def _refuses(site: Site, route: str, name: str, what: str, value: bytes) -> bool:
    """Whether the form is refused with this value in one field, and with what fits in the others."""
    others = "&".join(f"{field}={quote(said)}" for field, said in FIT.items() if field != name)
    answer = site.client_for(route).post(
        site.path(route),
        f"{name}={quote_from_bytes(value)}&{others}",
        content_type="application/x-www-form-urlencoded",
    )
    assert_in_frame(answer, (route, name, what))
    return bool(answer.status_code >= 400)


@pytest.mark.parametrize(
    "address",
    [
        "/sign-in/", "/sign-in/code/", "/sign-in/set-up/", "/sign-in/passkey/", "/sign-in/forgotten/",
        "/sign-in/forgotten/x/", "/email/undo/x/", "/invitations/x/", "/partnerships/invitations/x/",
    ],
)  # fmt: skip
def test_what_strangers_can_reach_takes_anything(address, stranger, site):
    for name in ("email", "password", "next", "code", "token", "credential"):
        for what, value in HOSTILE.items():
            body = f"{name}={quote_from_bytes(value)}" + (
                "&email=nobody@example.org&password=x" if name == "next" else ""
            )
            for answer in (
                stranger.post(
                    address,
                    body,
                    content_type="application/x-www-form-urlencoded",
                    REMOTE_ADDR=f"198.51.100.{len(what)}",
                ),
                stranger.get(address, QUERY_STRING=body),
            ):
                assert_in_frame(answer, (address, name, what))


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
        assert_in_frame(answer, (address, what))
        assert answer.status_code == 200 or 400 <= answer.status_code < 500 or address == "/sign-in/", (
            address,
            what,
        )
    assert site.rows.read() == before


def _nonsense(route: str) -> tuple[str, ...]:
    """Two methods that nothing answers, the next address the next two; `HOSTILE_INPUT=all` each all."""
    if os.environ.get("HOSTILE_INPUT") == "all":
        return NONSENSE_METHODS
    turn = crc32(route.encode()) % len(NONSENSE_METHODS)
    return NONSENSE_METHODS[turn], NONSENSE_METHODS[turn - 1]


@pytest.mark.parametrize("route", READ)
def test_other_methods_are_refused(route, site):
    """With 405, also where a header or field asks for another method than the request's."""
    before = site.rows.read()
    guest = route in ENDS_SESSIONS
    client = sign_in(site.guest, raise_request_exception=False) if guest else site.client_for(route)
    allowed = ""
    for method in _nonsense(route):
        answer = client.generic(
            method, site.path(route), b"x=y", content_type="application/x-www-form-urlencoded"
        )
        if not route.startswith("sign-in/"):
            fit = _closed(route) or (
                {404, 405} if "token" in route or route.startswith(MAYBE_GONE) else {405}
            )
            assert answer.status_code in fit, (method, answer.status_code)
        assert_in_frame(answer, (method, route))
        allowed = answer.headers.get("Allow", allowed)
    override = client.get(
        site.path(route),
        {"_method": "DELETE"},
        headers={"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"},
    )
    assert_in_frame(override, route)
    if allowed:  # what answers GET answers it still, and what doesn't refuses it still
        assert (override.status_code != 405) == ("GET" in allowed), (allowed, override.status_code)
    assert site.rows.read() == before
