"""Age what moto holds: it stamps everything with now, and a hospital's account is years old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.kms.models import kms_backends

from portal.demo.aws.callers import iam_of


def _access_key(account_id: str, identifier: str, ago: timedelta) -> None:
    key = iam_of(account_id).access_keys[identifier]
    key.create_date -= ago


def _user(account_id: str, identifier: str, ago: timedelta) -> None:
    user = iam_of(account_id).users[identifier]
    user.create_date -= ago


def _password_last_used(account_id: str, identifier: str, ago: timedelta) -> None:
    user: Any = iam_of(account_id).users[identifier]
    user.password_last_used = utcnow().replace(microsecond=0) - ago


def _key_deletion(account_id: str, identifier: str, ago: timedelta) -> None:
    region, key_id = identifier.split(":")[3], identifier.rpartition("/")[2]
    key: Any = kms_backends[account_id][region].keys[key_id]
    # To the second, since the caller took the age from a date in seconds.
    key.deletion_date = (key.deletion_date - ago + timedelta(milliseconds=500)).replace(microsecond=0)


_KINDS = {
    "access_key": _access_key,
    "key_deletion": _key_deletion,
    "password_last_used": _password_last_used,
    "user": _user,
}


def backdate(*, account: str, kind: str, identifier: str, days: float) -> None:
    """Move one thing's date ``days`` into the past.

    Kinds: ``access_key`` (its id), ``user`` and ``password_last_used`` (the user's name), ``key_deletion`` (the
    ARN of a KMS key that waits for it).

    :raises KeyError: no such kind or thing.
    """
    _KINDS[kind](account, identifier, timedelta(days=days))
