"""Who signed a request: the stand-in's own principals, IAM users of the accounts, and assumed roles."""

from __future__ import annotations

import re
import secrets
import string
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from moto.iam.models import IAMBackend, iam_backends

from portal.demo.aws.policy import Document, Principal

_CREDENTIAL = re.compile(r"Credential=([A-Z0-9]+)/")
_ALPHABET = string.ascii_uppercase + "234567"


class CallerKind(StrEnum):
    ADMIN = "admin"
    PORTAL = "portal"
    USER = "user"
    ROLE = "role"


class Session(NamedTuple):
    """What sts:AssumeRole handed out. Times are aware UTC; ``policy`` is the session policy or None."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account_id: str
    role_name: str
    role_arn: str
    name: str
    source_identity: str | None
    policy: Document | None
    tags: Mapping[str, str]
    issued_at: datetime
    expires_at: datetime

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account_id}:assumed-role/{self.role_name}/{self.name}"


class Caller(NamedTuple):
    """The signer of one request. ``user_id`` is what GetCallerIdentity calls UserId."""

    kind: CallerKind
    account_id: str
    arn: str
    user_id: str
    name: str
    session: Session | None = None

    @property
    def principal(self) -> Principal:
        arns = (self.arn,) if self.session is None else (self.session.role_arn, self.arn)
        return Principal(self.account_id, arns)

    @property
    def unrestricted(self) -> bool:
        """The account's own admin and the portal's own user are not what the stand-in tests."""
        return self.kind in (CallerKind.ADMIN, CallerKind.PORTAL)


def admin_access_key(account_id: str) -> str:
    """The stand-in's built-in key for the root of an account; any secret goes with it."""
    return f"AKIAADM0{account_id}"


def portal_access_key(account_id: str) -> str:
    """The stand-in's built-in key for ``user/surety-portal`` of an account; any secret goes with it."""
    return f"AKIAPRT0{account_id}"


def access_key_of(authorization: str) -> str:
    """The access key id of a SigV4 Authorization header, or '' when the request is unsigned."""
    found = _CREDENTIAL.search(authorization)
    return found.group(1) if found else ""


def iam_of(account_id: str) -> IAMBackend:
    backend: IAMBackend = iam_backends[account_id]["aws"]
    return backend


class CallerBook:
    """Access keys to callers. Thread-safe."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._expired_before = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def open_session(self, **fields: Any) -> Session:
        """Issue credentials for an assumed role; takes Session's fields but the credentials and issue time.

        ``duration`` (seconds) stands in for ``expires_at``. The keys come from ``secrets``, not from moto's
        seeded generator, so that assuming a role never shifts the ids of resources.
        """
        issued = datetime.now(UTC)
        session = Session(
            access_key_id="ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            secret_access_key=secrets.token_urlsafe(30),
            session_token="FwoGZXIvYXdzE" + secrets.token_urlsafe(180),
            issued_at=issued,
            expires_at=issued + timedelta(seconds=fields.pop("duration")),
            **fields,
        )
        with self._lock:
            self._sessions[session.access_key_id] = session
        return session

    def expire_sessions(self) -> None:
        """From now on refuse every session issued so far."""
        with self._lock:
            self._expired_before = datetime.now(UTC)

    def is_expired(self, session: Session) -> bool:
        return session.issued_at <= self._expired_before or session.expires_at <= datetime.now(UTC)

    def identify(self, access_key_id: str, session_token: str) -> Caller | None:
        """The caller, or None when no such key exists or the session token does not belong to it."""
        session = self._sessions.get(access_key_id)
        if session is not None:
            return _session_caller(session) if session.session_token == session_token else None
        built_in = _built_in_caller(access_key_id)
        return built_in or _user_caller(access_key_id)


def _session_caller(session: Session) -> Caller:
    role = iam_of(session.account_id).roles.values()
    role_id = next((each.id for each in role if each.name == session.role_name), "AROADELETED")
    user_id = f"{role_id}:{session.name}"
    return Caller(CallerKind.ROLE, session.account_id, session.arn, user_id, session.role_name, session)


def _built_in_caller(access_key_id: str) -> Caller | None:
    kind, account_id = access_key_id[:8], access_key_id[8:]
    if len(account_id) != 12 or not account_id.isdigit():
        return None
    if kind == "AKIAADM0":
        return Caller(CallerKind.ADMIN, account_id, f"arn:aws:iam::{account_id}:root", account_id, "root")
    if kind == "AKIAPRT0":
        arn = f"arn:aws:iam::{account_id}:user/surety-portal"
        return Caller(CallerKind.PORTAL, account_id, arn, "AIDASURETYPORTAL00001", "surety-portal")
    return None


def _user_caller(access_key_id: str) -> Caller | None:
    for account_id in list(iam_backends):
        key = iam_of(account_id).access_keys.get(access_key_id)
        if key is None or key.status != "Active" or key.user_name is None:
            continue
        user = iam_of(account_id).users.get(key.user_name)
        if user is not None:
            return Caller(CallerKind.USER, account_id, user.arn, user.id, user.name)
    return None
