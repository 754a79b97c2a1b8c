"""One portal over HTTP: its address, its connections, and repeated requests."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from itertools import count
from typing import Any

import httpx

from surety.errors import AnswerUnreadable, SettingUnfit, Unreachable, problem_of
from surety.retry import Retry
from surety.version import __version__

VERSION_PATH = "/api/v1/"
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds without a byte, not seconds for the whole."""
log = logging.getLogger("surety")


class Wire:
    """Requests to one server. `send` takes a function, since a repeated request needs a new body and a live token."""

    def __init__(self, base_url: str, *, retry: Retry | None = None) -> None:
        self.base_url = check_address(base_url)
        self._retry = retry or Retry()
        self._http = httpx.Client(
            verify=_trusted(), timeout=TIMEOUT, headers={"User-Agent": f"surety-python/{__version__}"}
        )

    def __repr__(self) -> str:
        return f"Wire({self.base_url!r})"

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def build(self, method: str, path: str, **rest: Any) -> httpx.Request:
        """A request for an address below /api/v1, as httpx builds it. Raises SettingUnfit for one elsewhere."""
        if path.startswith("/") or ".." in path.split("/") or "://" in path:
            raise SettingUnfit(f"{path!r} is no address below {VERSION_PATH}.")
        return self._http.build_request(method, f"{self.base_url}{VERSION_PATH}{path}", **rest)

    def build_elsewhere(self, method: str, url: str, **rest: Any) -> httpx.Request:
        """A request for a server that isn't the portal, such as a CI system's."""
        return self._http.build_request(method, url, **rest)

    def send(self, make: Callable[[], httpx.Request]) -> httpx.Response:
        """The answer, whatever its status, after as many attempts as it took. Raises Unreachable."""
        for attempt in count(1):
            request = make()
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                wait = self._retry.after_failure(error, attempt)
                if wait is None:
                    raise Unreachable(_words(request, error, attempt)) from error
                why = type(error).__name__
            else:
                wait = self._retry.after_answer(response, attempt)
                if wait is None:
                    return response
                why = str(response.status_code)
            log.warning("%s %s: %s. Asking again in %.1f s.", request.method, request.url.path, why, wait)
            self._retry.sleep(wait)
        raise AssertionError("count() has no end")


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we trust, read once: certifi's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR."""
    return httpx.create_ssl_context()


def check_address(base_url: str) -> str:
    """The portal's origin, without an end slash. Raises SettingUnfit: nothing secret goes over plain HTTP."""
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        raise SettingUnfit(f"{base_url!r} is no address.") from None
    if url.userinfo or url.query or url.fragment or url.path not in {"", "/"} or not url.host:
        raise SettingUnfit("Give the portal's address alone, such as https://portal.example.org.")
    if url.scheme != "https" and not (url.scheme == "http" and _is_this_machine(url.host)):
        raise SettingUnfit(
            "The portal's address begins with https://; only on this machine it may be http://."
        )
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def read_object(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a good answer. Raises Problem, AnswerUnreadable."""
    if not response.is_success:
        raise problem_of(response)
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise AnswerUnreadable(f"{response.url.host} answered {response.url.path} without a JSON object.")
    return said


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _words(request: httpx.Request, error: Exception, attempts: int) -> str:
    tries = "once" if attempts == 1 else f"{attempts} times"
    return f"{request.url.host} gave no answer, asked {tries}: {str(error) or type(error).__name__}"
