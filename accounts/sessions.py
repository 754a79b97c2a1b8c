"""Sessions in PostgreSQL that know their person, so that a person can see and end them (SESSION_ENGINE).

The table holds only a digest of each key: who reads the database can't continue anybody's session.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from accounts.throttle import network_of


class Factor(StrEnum):
    """By what a session's factors were proved. The value stands in sessions."""

    PASSKEY = "passkey"
    APP = "app"
    RECOVERY_CODE = "recovery_code"
    SSO = "sso"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    Factor.PASSKEY: "Passkey",
    Factor.APP: "Password and app",
    Factor.RECOVERY_CODE: "Password and recovery code",
    Factor.SSO: "Single sign-on",
}

SIGNED_IN_AT = "signed_in_at"
"""Unix time of the sign-in: the absolute limit counts from it."""
SEEN_AT = "seen_at"
"""Unix time of the last act, written at most once a minute."""
TENANT = "tenant"
"""The id of the tenant that the person works in."""
ADDRESS = "address"
USER_AGENT = "user_agent"
NEXT = "next"
"""The path to go to after the second factor."""
PROVED_AT = "proved_at"
"""Unix time of the last proof of both factors (accounts.proof)."""
FACTOR = "factor"
"""What the session was opened by: a value of accounts.proof.Factor."""
REAUTHENTICATE_AT = "reauthenticate_at"
"""The path at which a session of single sign-on proves itself again."""
STEP_UP_NEXT = "step_up_next"
"""The path to go to after a fresh proof."""
INTERRUPTED = "interrupted"
"""A form that waits for a fresh proof (accounts.proof.Interrupted)."""

SSO_TENANT = "sso_tenant"
"""The id of the tenant that the session came to by single sign-on, and that it can't leave."""
SSO_PROVIDER = "sso_provider"
SSO_VERIFIED = "sso_verified"
"""Whether the identity provider's word counts as the second factor."""
SSO_PROVED_AT = "sso_proved_at"
"""Unix time at which the provider answered for a step-up that still lacks our own second factor."""
BREAK_GLASS_TOLD = "break_glass_told"
"""The id of the tenant whose owners know that the session entered by break-glass."""


def session_digest(session_key: str | None) -> str:
    """What stands for a session in tables, logs and URLs: 160 bits of SHA-256 of its key, in hex."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40] if session_key else ""


class Session(AbstractBaseSession):
    """A session; `session_key` holds the key's digest."""

    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, null=True, related_name="+")
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=256, blank=True)
    factor = models.CharField(max_length=16, blank=True)

    @property
    def proved_by(self) -> str:
        """What it was opened by, in words; "" before the second step."""
        return Factor(self.factor).label if self.factor else ""

    @property
    def network(self) -> str:
        """The network that it was opened from."""
        return network_of(self.address or "")

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(db.SessionStore):
    """Django's database store, with hashed keys and the person's columns."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        digest = session_digest(self.session_key)
        found = Session.objects.filter(session_key=digest, expire_date__gt=timezone.now()).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(session_digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        Session.objects.filter(session_key=session_digest(session_key or self.session_key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast("Session", super().create_model_instance(data))
        row.session_key = session_digest(row.session_key)
        row.person_id = data.get(SESSION_KEY)
        row.signed_in_at, row.seen_at = _moment(data.get(SIGNED_IN_AT)), _moment(data.get(SEEN_AT))
        row.address, row.user_agent = data.get(ADDRESS) or None, data.get(USER_AGENT, "")
        row.factor = data.get(FACTOR, "")
        return row


def forget_ended_sessions(limit: int = 50) -> None:
    """Deletes some rows of sessions that are over; done at each sign-in, it keeps the table small."""
    ended = Session.objects.filter(expire_date__lt=timezone.now()).values_list("pk", flat=True)[:limit]
    Session.objects.filter(pk__in=list(ended)).delete()


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
