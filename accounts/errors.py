"""The errors that services raise, translated once at each border (web, API, command line)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class PortalError(Exception):
    """An expected refusal. The message says what is wrong and what to do; it is shown to the user as it stands."""

    status = 400
    slug = "bad-request"
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers that belong to the refusal."""
    members: Mapping[str, Any] = MappingProxyType({})
    """Further members of the interface's problem details (RFC 9457 section 3.2)."""


class InvalidInput(PortalError):
    """What was sent can't be used. `field` names the form field, where there is one."""

    status = 400
    slug = "invalid-input"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotFound(PortalError):
    """No such thing in this tenant; said in the same words for things of other tenants."""

    status = 404
    slug = "not-found"


class Forbidden(PortalError):
    """The actor's role doesn't permit the act."""

    status = 403
    slug = "forbidden"


class Conflict(PortalError):
    """The thing is not in a state that permits the act."""

    status = 409
    slug = "conflict"


class Unauthenticated(PortalError):
    """A machine gave no token, or one that doesn't let in (RFC 6750)."""

    status = 401
    slug = "unauthenticated"
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="Surety"'})


class ScopeMissing(PortalError):
    """A machine's token isn't for that (RFC 6750 section 3.1)."""

    status = 403
    slug = "scope-missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token isn't for that: it needs the scope {scope}.")
        self.headers = {
            "WWW-Authenticate": f'Bearer realm="Surety", error="insufficient_scope", scope="{scope}"'
        }


class MethodNotAllowed(PortalError):
    """The address doesn't answer to that method."""

    status = 405
    slug = "method-not-allowed"

    def __init__(self, *allowed: str) -> None:
        super().__init__("This address doesn't answer to that method.")
        self.headers = {"Allow": ", ".join(allowed)}


class UnsupportedMedia(PortalError):
    """The body is of a type that the address doesn't take."""

    status = 415
    slug = "unsupported-media-type"

    def __init__(self, *taken: str) -> None:
        super().__init__(f"Send the body as {' or '.join(taken)}, and say so in Content-Type.")
        self.headers = {"Accept-Post": ", ".join(taken)}


class TooManyRequests(PortalError):
    """A machine asks more often than it may."""

    status = 429
    slug = "too-many-requests"

    def __init__(self, seconds: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"Too many requests. Wait {seconds} s.")
        self.headers = {**(headers or {}), "Retry-After": str(seconds)}


class Unavailable(PortalError):
    """A part that is needed doesn't answer now; trying again later may help."""

    status = 503
    slug = "unavailable"
