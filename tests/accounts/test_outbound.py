"""Connections at a tenant's word: what is reached, what never is, and for how long one waits."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.outbound import (
    UnreachableError,
    UnsafeAddressError,
    check_url,
    fetch,
    is_allowed,
    open_connection,
)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Host"]))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        if self.path == "/drip":
            self._drip()
        else:
            self.wfile.write(b"x" * 100)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(body[::-1])

    def _drip(self) -> None:
        try:
            while not self.server.over.wait(0.05):
                self.wfile.write(b".")
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        return


class _Canary(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str]] = []
        self.accepted = 0
        self.over = threading.Event()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def get_request(self):
        self.accepted += 1
        return super().get_request()

    def handle_error(self, *_: object) -> None:
        return

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


@pytest.fixture
def canary() -> Iterator[_Canary]:
    server = _Canary()
    yield server
    server.close()


@pytest.fixture
def closed(settings) -> None:
    """As in production, but for the scheme: only public addresses."""
    settings.OUTBOUND_NETWORKS = []


def _url(server: _Canary, path: str = "/", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.server_port}{path}"


def test_an_allowed_address_is_reached(canary):
    answer = fetch(_url(canary, "/here?a=b"))
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/plain", b"x" * 100)
    assert canary.seen == [("/here?a=b", f"127.0.0.1:{canary.server_port}")]


def test_a_body_is_sent(canary):
    answer = fetch(_url(canary), method="POST", content=b"abc", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.body) == (201, b"cba")


# Forms of "this machine" and of private networks, each with the canary's port.
INSIDE = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001",
    "0177.0.0.1", "0", "0.0.0.0", "localhost", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1",
    "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "100.64.0.1",
    "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]",
    "[64:ff9b::a9fe:a9fe]", "[2001:db8::1]", "2852039166", "0xa9fea9fe",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_no_form_of_an_inner_address_is_connected_to(host, canary, closed):
    with pytest.raises((UnsafeAddressError, UnreachableError)):
        fetch(_url(canary, host=host), seconds=2)
    assert canary.accepted == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_the_canary_would_have_heard_it(host, canary):
    """The same forms do lead there when this machine is allowed: the test above can fail."""
    assert fetch(_url(canary, host=host)).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://user@127.0.0.1/", "http://:x@127.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:25/",
        "gopher://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/", "//127.0.0.1/", "127.0.0.1",
        "http://", "http:///x", "http://127.0.0.1\\@example.org/", "http://exa mple.org/",
        "http://127.0.0.1/\r\nHost: x", "http://①②⑦.0.0.1/", "http://[::1", "http://a:99999/", "javascript:1",
    ],
)  # fmt: skip
def test_a_url_that_is_odd_by_its_looks_is_refused(url):
    with pytest.raises(UnsafeAddressError):
        check_url(url)


def test_in_production_only_tls_is_spoken(settings):
    settings.OUTBOUND_PLAIN_HTTP = False
    with pytest.raises(UnsafeAddressError, match="https"):
        fetch("http://example.org/")


def test_the_metadata_address_is_refused_even_inside_an_allowed_network(settings):
    settings.OUTBOUND_NETWORKS = ["169.254.0.0/16", "10.0.0.0/8"]
    assert not is_allowed(ip_address("169.254.169.254"))
    assert is_allowed(ip_address("10.1.2.3"))
    assert is_allowed(ip_address("::ffff:10.1.2.3"))


def test_a_redirect_is_returned_and_not_followed(canary):
    assert fetch(_url(canary, "/redirect")).status == 302


def test_a_proxy_of_the_environment_is_not_used(canary, monkeypatch, closed):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, _url(canary))
    with pytest.raises(UnsafeAddressError):
        fetch("http://10.0.0.1/", seconds=1)
    assert canary.accepted == 0


def _resolver(real, asked: list[str], *turns: list[str]):
    """A resolver that gives each list once and then repeats the last; literal addresses are themselves."""
    left = list(turns)

    def resolve(host: str, port: int, *rest: object, **named: object):
        if host.replace(".", "").isdigit():
            return real(host, port, *rest, **named)
        asked.append(host)
        now = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    return resolve


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind(canary, monkeypatch, settings):
    settings.OUTBOUND_NETWORKS = ["127.0.0.2/32"]
    asked: list[str] = []
    monkeypatch.setattr(
        socket, "getaddrinfo", _resolver(socket.getaddrinfo, asked, ["127.0.0.2"], ["127.0.0.1"])
    )
    with pytest.raises(UnreachableError):
        fetch(_url(canary, host="rebinding.example"), seconds=2)
    assert (asked, canary.accepted) == (["rebinding.example"], 0)
    with pytest.raises(UnsafeAddressError):
        fetch(_url(canary, host="rebinding.example"), seconds=2)


def test_one_inner_address_among_public_ones_spoils_the_name(canary, monkeypatch, closed):
    monkeypatch.setattr(
        socket, "getaddrinfo", _resolver(socket.getaddrinfo, [], ["93.184.216.34", "127.0.0.1"])
    )
    with pytest.raises(UnsafeAddressError):
        fetch(_url(canary, host="both.example"), seconds=1)
    assert canary.accepted == 0


def test_too_long_an_answer_is_given_up(canary):
    with pytest.raises(UnreachableError, match="longer than 99 bytes"):
        fetch(_url(canary), limit=99)


def test_a_server_that_drips_is_given_up_in_time(canary):
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="in time"):
        fetch(_url(canary, "/drip"), seconds=0.5)
    assert time.monotonic() - started < 60, "the canary drips until it is closed"


def test_nobody_listening_is_said(closed, settings):
    settings.OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(UnreachableError, match="can't be reached"):
        fetch(f"http://127.0.0.1:{port}/")


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        path: Path = tmp_path / "tls.pem"
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    @pytest.fixture
    def server(self, certificate) -> Iterator[_Canary]:
        canary = _Canary(certificate)
        yield canary
        canary.close()

    def test_a_certificate_of_nobody_known_is_refused(self, server):
        with pytest.raises(UnreachableError):
            fetch(f"https://localhost:{server.server_port}/")
        with (
            pytest.raises(UnreachableError, match="certificate of localhost"),
            open_connection("localhost", server.server_port),
        ):
            pass
        assert server.seen == []

    def test_one_that_is_trusted_and_names_the_host_is_accepted(self, server, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(f"https://localhost:{server.server_port}/").status == 200
        with open_connection("localhost", server.server_port) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(12).startswith(b"HTTP/1.")
        with pytest.raises(UnreachableError):
            fetch(f"https://127.0.0.1:{server.server_port}/")


def test_a_plain_connection_is_judged_like_a_request(canary, settings):
    with open_connection("127.0.0.1", canary.server_port, tls=False) as connection:
        connection.sendall(b"GET /plain HTTP/1.0\r\n\r\n")
        assert connection.recv(12).startswith(b"HTTP/1.")
    settings.OUTBOUND_NETWORKS = []
    with pytest.raises(UnsafeAddressError), open_connection("127.0.0.1", canary.server_port, tls=False):
        pass
    assert canary.accepted == 1
