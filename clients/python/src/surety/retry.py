"""When a request is repeated, and after how long."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from surety.errors import problem_of

PASSING = frozenset({408, 429, 502, 503, 504})
"""Statuses that say: the same again, later. 408 is a body that was cut on its way."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Waits between attempts, in seconds: random up to `first`, then up to twice that, and never over `longest`.

    Randomness keeps a hundred jobs that failed together from coming back together. What the portal says in
    Retry-After is waited for, up to `patience`; where it says more, the refusal is raised at once.
    """

    attempts: int = 7
    first: float = 0.5
    longest: float = 30.0
    patience: float = 300.0
    sleep: Callable[[float], None] = time.sleep

    def after_failure(self, error: httpx.TransportError, attempt: int) -> float | None:
        """How long to wait after a request without an answer; None where it isn't worth repeating."""
        hopeless = isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError)
        if hopeless or _is_about_trust(error) or attempt >= self.attempts:
            return None
        return self._some(attempt)

    def after_answer(self, response: httpx.Response, attempt: int) -> float | None:
        """How long to wait after an answer that asks to come back; None for an answer to keep."""
        if attempt >= self.attempts or not _asks_to_come_back(response):
            return None
        said = seconds_of(response.headers.get("Retry-After", ""))
        if said is None:
            return self._some(attempt)
        return said + random.uniform(0, 1) if said <= self.patience else None  # noqa: S311 (no secret)

    def _some(self, attempt: int) -> float:
        return random.uniform(0, min(self.longest, self.first * 2.0 ** (attempt - 1)))  # noqa: S311 (as above)


def seconds_of(header: str) -> float | None:
    """What Retry-After says, in seconds from now: it is a number, or a date (RFC 9110 section 10.2.3)."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _asks_to_come_back(response: httpx.Response) -> bool:
    if response.status_code == httpx.codes.CONFLICT:
        return problem_of(response).slug == "request-in-flight"
    return response.status_code in PASSING


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether the certificate didn't fit: that doesn't get better by itself."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
