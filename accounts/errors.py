"""The errors that services raise, translated once at each border (web, API, command line)."""

from __future__ import annotations


class PortalError(Exception):
    """An expected refusal. The message says what is wrong and what to do; it is shown to the user as it stands."""

    status = 400
    slug = "bad-request"


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


class Unavailable(PortalError):
    """A part that is needed doesn't answer now; trying again later may help."""

    status = 503
    slug = "unavailable"
