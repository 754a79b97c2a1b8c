"""Connections to addresses that tenants name: webhooks, identity providers, log receivers.

A tenant's word must not lead this server into its own network (server-side request forgery, ASVS 5.0 1.3.6). A
name is resolved once, every address it stands for is judged, and the connection goes to the judged address: a
name that changes its mind between the question and the connection (DNS rebinding) gains nothing. No redirect is
followed and no proxy of the environment is used. TLS certificates are verified against the name.

    answer = fetch("https://idp.example.org/.well-known/openid-configuration")
    with open_connection("logs.example.org", 6514, tls=True) as connection: ...

What may be reached besides public addresses is settings.OUTBOUND_NETWORKS. Raises UnsafeAddressError before
anything is sent, UnreachableError where the other side doesn't answer as it should.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import httpcore
from django.conf import settings

from accounts.errors import InvalidInput, Unavailable

Address = IPv4Address | IPv6Address

LIMIT_BYTES = 1 << 20
SECONDS = 10.0
WEB_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024
_NAT64 = ip_network("64:ff9b::/96")
_METADATA = frozenset({ip_address("169.254.169.254"), ip_address("fd00:ec2::254")})


class UnsafeAddressError(InvalidInput):
    """The address is not one that this server goes to at a tenant's word."""


class UnreachableError(Unavailable):
    """Nothing answered there in time, or not over TLS as it should, or with too much."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `headers` by lower-case name; `body` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    limit: int = LIMIT_BYTES,
    seconds: float = SECONDS,
    judged: bool = True,
) -> Answer:
    """One request, with every address judged and no redirect followed; an answer of any status is returned.

    `limit` is the longest body in bytes, `seconds` the time for everything together. An address that the operator
    configured, no tenant, needn't be `judged`. Raises UnsafeAddressError, UnreachableError.
    """
    if judged:
        check_url(url)
    with (
        _as_unreachable(url),
        httpcore.ConnectionPool(
            ssl_context=tls_context(),
            network_backend=_JudgedBackend(time.monotonic() + seconds, judged=judged),
            max_keepalive_connections=0,
        ) as pool,
        pool.stream(
            method,
            url,
            headers=_headers(url, headers or {}, content),
            content=content or None,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)},
        ) as answer,
    ):
        said = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in answer.headers}
        return Answer(answer.status, said, _whole(answer.iter_stream(), limit))


@contextmanager
def open_connection(
    host: str, port: int, *, tls: bool = True, seconds: float = SECONDS, authority: str = ""
) -> Iterator[socket.socket]:
    """A connection to a judged address of the host, over TLS unless told otherwise; closed at the end.

    `authority`: certificates (PEM) that alone vouch for the host, in place of the public ones.
    Raises UnsafeAddressError, UnreachableError.
    """
    with _as_unreachable(host):
        plain = _connect(host, port, seconds)
        try:
            connection = tls_context(authority).wrap_socket(plain, server_hostname=host) if tls else plain
        except OSError:
            plain.close()
            raise
    with connection:
        yield connection


def check_url(url: str) -> None:
    """Raises UnsafeAddressError for a URL that is refused by its looks, before any name is resolved."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UnsafeAddressError("This is no web address.") from error
    if not url.isascii() or any(sign.isspace() or not sign.isprintable() for sign in url) or "\\" in url:
        raise UnsafeAddressError("Give the web address in plain ASCII letters.")
    if not host or parts.username is not None or parts.password is not None:
        raise UnsafeAddressError("Give a web address with a host, and without a user name.")
    _check_scheme(parts)
    if port is not None and port not in WEB_PORTS and port < FIRST_FREE_PORT:
        raise UnsafeAddressError(f"Port {port} belongs to another service than the web.")


def judged_addresses(host: str, port: int) -> list[Address]:
    """The addresses that a name stands for now, all of which may be reached.

    One that may not spoils them all: a name that points both inside and outside is no honest one. Raises
    UnsafeAddressError, and OSError for a name that can't be resolved.
    """
    addresses = _addresses(host, port)
    if not addresses or not all(is_allowed(address) for address in addresses):
        raise UnsafeAddressError(f"{host} is not an address on the public Internet.")
    return addresses


def is_allowed(address: Address) -> bool:
    """Whether this server may go there at a tenant's word: public, or in settings.OUTBOUND_NETWORKS."""
    inner = _carried(address)
    if inner is not None:
        return is_allowed(inner)
    if address in _METADATA:
        return False
    if any(address in ip_network(network) for network in settings.OUTBOUND_NETWORKS):
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved


def tls_context(authority: str = "") -> ssl.SSLContext:
    """TLS 1.2 or newer against the system's certificate authorities (SSL_CERT_FILE adds one's own)."""
    context = ssl.create_default_context(cadata=authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _check_scheme(parts: SplitResult) -> None:
    allowed = {"https", "http"} if settings.OUTBOUND_PLAIN_HTTP else {"https"}
    if parts.scheme not in allowed:
        raise UnsafeAddressError("Give a web address that begins with https://.")


class _JudgedBackend(httpcore.SyncBackend):
    """Resolves and judges for httpcore, which keeps the name for TLS and the Host header."""

    def __init__(self, deadline: float, *, judged: bool) -> None:
        super().__init__()
        self._deadline = deadline
        self._addresses = judged_addresses if judged else _addresses

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream: httpcore.NetworkStream | None = None
        for address in self._addresses(host, port):
            try:
                stream = super().connect_tcp(str(address), port, timeout, local_address, socket_options)
                break
            except httpcore.ConnectError:
                continue
        if stream is None:
            raise httpcore.ConnectError("no address answers")
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A stream that ends at a time, however slowly the other side drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left if timeout is None else min(left, timeout)


def _connect(host: str, port: int, seconds: float) -> socket.socket:
    last: OSError | None = None
    for address in judged_addresses(host, port):
        try:
            return socket.create_connection((str(address), port), timeout=seconds)
        except OSError as error:
            last = error
    raise last or OSError("no address answers")


def _headers(url: str, given: Mapping[str, str], content: bytes) -> list[tuple[str, str]]:
    own = {"Host": urlsplit(url).netloc, "User-Agent": "Surety", "Accept-Encoding": "identity"}
    length = {"Content-Length": str(len(content))} if content else {}
    return list({**own, **length, **given}.items())


def _whole(parts: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > limit:
            raise UnreachableError(f"The answer is longer than {limit} bytes.")
    return bytes(body)


@contextmanager
def _as_unreachable(what: str) -> Iterator[None]:
    host = urlsplit(what).hostname or what if "/" in what else what
    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise UnreachableError(f"{host} didn't answer in time.") from error
    except ssl.SSLCertVerificationError as error:
        raise UnreachableError(f"The certificate of {host} isn't valid: {error.verify_message}.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError) as error:
        raise UnreachableError(f"{host} can't be reached, or doesn't speak as it should.") from error
