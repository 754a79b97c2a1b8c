"""What can go wrong, one class for each thing that a caller would answer differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

PROBLEM_PREFIX = "urn:surety:problem:"


class SuretyError(Exception):
    """The root. Its text is one line, and never holds a secret or a token."""


class SettingUnfit(SuretyError, ValueError):
    """An argument or a setting that can't be used."""


class Unreachable(SuretyError):
    """The portal gave no answer, as often as it was asked."""


class AnswerUnreadable(SuretyError):
    """The answer isn't what the interface promises: most likely another server answered."""


class IdentityMissing(SuretyError):
    """This machine has no identity of the kind that was asked for."""


class DocumentChanged(SuretyError):
    """The document became shorter while it was sent."""


class ReceiptUnproven(SuretyError):
    """The receipt isn't signed by the key, or tells of another document."""


class Undecided(SuretyError):
    """The submission was received, and the portal hasn't judged it in the time that was given."""


class TokenRefused(SuretyError):
    """The token endpoint refused (RFC 6749 section 5.2). `error` is its code, such as `invalid_client`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"No token was given: {error}{': ' if description else ''}{description}")
        self.error, self.description = error, description


class Problem(SuretyError):
    """A refusal as the portal words it (RFC 9457).

    `type` never changes its meaning; `slug` is its end, such as `scope-missing`. `detail` says what to do, `instance`
    is the request's number in the audit log, `members` holds the rest, such as `errors`.
    """

    def __init__(self, status: int, said: Mapping[str, Any]) -> None:
        self.status = status
        self.type = str(said.get("type", "about:blank"))
        self.title = str(said.get("title", ""))
        self.detail = str(said.get("detail", ""))
        self.instance = str(said.get("instance", ""))
        self.members = {name: said[name] for name in said if name not in _STANDARD}
        super().__init__(f"{status} {self.slug}: {self.words}")

    @property
    def words(self) -> str:
        """What to do, and which parameters or fields it is about, in one line."""
        errors = self.members.get("errors")
        each = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        named = [f"{error.get('parameter') or error.get('pointer')}: {error.get('detail')}" for error in each]
        return " ".join([self.detail or self.title, *named])

    @property
    def slug(self) -> str:
        """The type without what all types begin with."""
        return self.type.removeprefix(PROBLEM_PREFIX)


_STANDARD = ("type", "title", "status", "detail", "instance")


def problem_of(response: httpx.Response) -> Problem:
    """The refusal that an answer is, also where something in front of the portal worded it."""
    said: Any = None
    if "json" in response.headers.get("Content-Type", ""):
        try:
            said = response.json()
        except ValueError:
            said = None
    if not isinstance(said, dict):
        said = {"title": response.reason_phrase, "detail": _plain(response)}
    return Problem(response.status_code, said)


def _plain(response: httpx.Response) -> str:
    host = response.url.host
    if response.has_redirect_location:
        return f"{host} sends elsewhere. Give the portal's own address."
    return f"{host} gave {response.status_code} {response.reason_phrase} without saying why."
