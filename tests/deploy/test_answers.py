"""What production's web process says over HTTP: the real gunicorn with production's settings, on the tests' database."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings

from portal.embedded import Role, postgres_address, redis_address
from portal.embedded.commands import WEB
from tests.environment import STATE

CHECKOUT = Path(__file__).parents[2]
HOST = "portal.example.org"
THROUGH_TLS = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
"""What the proxy in front of the web process sets."""

pytestmark = pytest.mark.xdist_group("production")


@pytest.fixture(scope="module")
def address(django_db_setup, tmp_path_factory) -> Iterator[tuple[str, int]]:
    """Where production's web process listens."""
    folder = tmp_path_factory.mktemp("production")
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"], "SURETY_ENV": "production", "ALLOWED_HOSTS": HOST, "BEHIND_PROXY": "true",
        "SITE_URL": f"https://{HOST}", "STATIC_ROOT": str(folder / "static"), "SURETY_STATE": str(folder / "state"),
        "VAULT_DIRECTORY": str(folder / "vault"), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --workers 1",
        "REDIS_URL": redis_address(STATE), "BREACHED_PASSWORDS": "false",
        **{f"DATABASE_URL_{role.upper()}": _dsn(role) for role in Role if role is not Role.SUPERUSER},
        **{name: secrets.token_urlsafe(48) for name in (
            "DJANGO_SECRET_KEY", "AUDIT_MAC_KEY", "FIELD_KEY", "VAULT_LOCAL_KEY", "AUDIT_SIGNING_KEY")},
    }  # fmt: skip
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=CHECKOUT, env=environment, check=True)
    argv = [sys.executable if word == "python" else word for word in WEB.argv]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "log")
        yield "127.0.0.1", port
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _dsn(role: Role) -> str:
    return postgres_address(STATE).dsn(role, settings.DATABASES["default"]["NAME"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": HOST}, timeout=60)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


KINDS = {
    "a page": ("GET", "/sign-in/", 200),
    "a redirect": ("GET", "/findings/", 302),
    "nothing there": ("GET", "/no-such-thing", 404),
    "another method": ("OPTIONS", "/sign-in/", 405),
    "a form without its token": ("POST", "/sign-in/", 403),
    "health": ("GET", "/healthz", 200),
    "a static file": ("GET", "/static/css/portal.css", 200),
    "a problem": ("GET", "/api/v1/runs/00000000-0000-0000-0000-000000000000", 401),
}


@pytest.fixture(scope="module")
def answers(address) -> dict[str, httpx.Response]:
    """An answer of each kind."""
    host, port = address
    with httpx.Client(base_url=f"http://{host}:{port}", headers=THROUGH_TLS, timeout=180) as client:
        return {kind: client.request(method, path) for kind, (method, path, _) in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_headers_of_production_hold_on_every_kind_of_answer(answers, kind):
    answer = answers[kind]
    assert answer.status_code == KINDS[kind][2]
    hsts = answer.headers["Strict-Transport-Security"]
    assert int(re.search(r"max-age=(\d+)", hsts)[1]) >= 31_536_000
    assert "includeSubDomains" in hsts
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert "gunicorn/" not in answer.headers.get("Server", "")
    if kind != "a static file":
        policy = answer.headers["Content-Security-Policy"]
        assert all(
            words in policy for words in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")
        )
        assert "unsafe" not in policy
        assert "no-store" in answer.headers.get("Cache-Control", "no-store")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"a static file", "another method"}])
def test_pages_are_kept_by_no_cache(answers, kind):
    if answers[kind].content:
        assert "no-store" in answers[kind].headers["Cache-Control"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_says_its_type(answers, kind):
    answer = answers[kind]
    if answer.content:
        media, _, charset = answer.headers["Content-Type"].partition(";")
        assert media in {
            "text/html",
            "text/css",
            "text/plain",
            "application/json",
            "application/problem+json",
        }
        assert "utf-8" in charset.lower() or media.endswith("json"), (
            "JSON is UTF-8 by its own definition (RFC 8259)"
        )


def test_cookies_of_production_are_bound_to_the_host_and_to_tls(answers):
    cookies = [value for answer in answers.values() for value in answer.headers.get_list("Set-Cookie")]
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert attribute.lower() in cookie.lower(), cookie
        assert "domain=" not in cookie.lower()


def test_a_form_without_its_token_changes_nothing(answers):
    assert answers["a form without its token"].status_code == 403


SMUGGLED = {
    "two lengths": "Content-Length: 5\r\nContent-Length: 60\r\n",
    "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "chunks that are not": "Transfer-Encoding: xchunked\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n",
    "a length that is none": "Content-Length: +5\r\n",
}


@pytest.mark.parametrize("kind", SMUGGLED)
def test_smuggled_requests_are_refused(address, kind):
    inner = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    head = f"POST /sign-in/ HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n{SMUGGLED[kind]}\r\n"
    with socket.create_connection(address, timeout=180) as connection:
        connection.sendall((head + "0\r\n\r\n" + inner).encode())
        connection.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: connection.recv(65536), b""))
    statuses = re.findall(rb"HTTP/1\.1 (\d{3})", got)
    assert b"200" not in statuses, "the smuggled request was answered"
    assert statuses == [] or statuses[0] in {b"400", b"403", b"501"}


def test_the_image_takes_no_source_control_data():
    lines = (CHECKOUT / ".dockerignore").read_text().split()
    assert lines[0] == "*", "nothing goes into the image but what is named"
    assert not [line for line in lines[1:] if "git" in line and line.startswith("!")]
