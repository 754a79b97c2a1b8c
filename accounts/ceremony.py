"""Challenges of passkey ceremonies, which the database doesn't hold until they are answered.

A challenge is random, names its time, and carries a MAC over what it is for: the purpose, the person, and the
browser that asked. So strangers can ask for millions without a row being written, an answer works nowhere but
where it was asked for, and `accounts.services.passkeys` lets each be answered rightly once.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings

VALID_SECONDS = 5 * 60
_NONCE_BYTES, _TIME_BYTES = 16, 8


class Purpose(StrEnum):
    """What an answer may be used for."""

    SIGN_IN = "sign-in"
    CONFIRM = "confirm"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """`person` is the person's id, "" where nobody is known yet; `browser` a digest of the session or cookie."""

    purpose: Purpose
    person: str
    browser: str

    def new_challenge(self) -> bytes:
        """56 octets, of which 16 are random (WebAuthn level 3, 13.4.3)."""
        head = secrets.token_bytes(_NONCE_BYTES) + int(time.time()).to_bytes(_TIME_BYTES, "big")
        return head + self._mac(head)

    def asked(self, challenge: bytes) -> bool:
        """Whether the challenge was made for this ceremony in the last minutes."""
        head, mac = challenge[: _NONCE_BYTES + _TIME_BYTES], challenge[_NONCE_BYTES + _TIME_BYTES :]
        age = time.time() - int.from_bytes(head[_NONCE_BYTES:], "big")
        return hmac.compare_digest(mac, self._mac(head)) and -1 <= age <= VALID_SECONDS

    def _mac(self, head: bytes) -> bytes:
        said = f"passkey ceremony\n{self.purpose}\n{self.person}\n{self.browser}".encode()
        return hmac.new(settings.SECRET_KEY.encode(), said + b"\n" + head, hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """This site as passkeys know it: `id` is the host's name, `origin` what the browser signs for."""

    id: str
    origin: str


def relying_party() -> RelyingParty | None:
    """The site by SITE_URL, or None where browsers give no passkeys: at an IP address, or without TLS.

    A passkey belongs to the host's name for good: after a change of SITE_URL's host, the old ones don't work.
    """
    site = urlsplit(settings.SITE_URL)
    host = site.hostname or ""
    if site.scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
        return None
    return None if not host or _is_address(host) else RelyingParty(host, f"{site.scheme}://{site.netloc}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
