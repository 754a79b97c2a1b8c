"""A growing wait after failed sign-ins, for one e-mail address from one network.

Ten tries are free; then the wait doubles from 30 seconds to 15 minutes. It never grows beyond, and it binds
only the network that failed, so a stranger elsewhere can't keep the owner out. An address that nobody has
waits like any other. Beside it stands a limit for a network over all addresses, against spraying one password over
many of them. Kept in PostgreSQL: a counter that a flush of Redis forgets would hand out new tries.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

FREE_TRIES = 10
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 15 * 60
FORGIVEN_EVERY_SECONDS = 60
FORGOTTEN_AFTER = timedelta(days=1)
_PREFIX = {4: 24, 6: 56}  # what one subscriber commonly has, so that an attacker can't hop inside it


class SignInThrottle(models.Model):
    """Failures of one (e-mail, network), kept as a keyed digest: what strangers type is nobody's business."""

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_try_at = models.DateTimeField(db_index=True)
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.failures} failures"


def begin_try(email: str, address: str, *, known_browser: bool = False) -> datetime | None:
    """Counts a try before its password is looked at, so that parallel tries are counted too.

    Returns None where it may go on, or the time until which it must wait. `clear_tries` follows a success. The
    network's limit doesn't hold for a browser in which the person has signed in before.
    """
    now = timezone.now()
    until = None if known_browser else begin_network_try(address)
    if until:
        return until
    with transaction.atomic():
        row = _locked_row(_key(email, address), now)
        if row.blocked_until and now < row.blocked_until:
            return row.blocked_until
        row.failures = 1 if now - row.last_try_at > FORGOTTEN_AFTER else row.failures + 1
        row.last_try_at, row.blocked_until = now, _blocked_until(row.failures, now)
        row.save()
    _forget_old(now)
    return None


def begin_network_try(address: str) -> datetime | None:
    """Counts a try of a network, whatever address of a person it is about (password spraying).

    A network may fail settings.NETWORK_TRIES times at once, and once more each minute. The time at which the next
    try is let in where it has to wait, else None.
    """
    now = timezone.now()
    with transaction.atomic():
        row = _locked_row(_network_key(address), now)
        forgiven = int((now - row.last_try_at).total_seconds() // FORGIVEN_EVERY_SECONDS)
        failures = max(0, row.failures - forgiven)
        if failures >= settings.NETWORK_TRIES:
            return row.last_try_at + timedelta(seconds=(forgiven + 1) * FORGIVEN_EVERY_SECONDS)
        # The time moves on by whole minutes, so that many tries within one don't keep it from passing.
        row.last_try_at += (
            timedelta(seconds=forgiven * FORGIVEN_EVERY_SECONDS) if failures else now - row.last_try_at
        )
        row.failures = failures + 1
        row.save()
    return None


def begin_counted(what: str, address: str, *, most: int) -> datetime | None:
    """Counts what a network asks for, good or bad; None, or the time to wait for once it was `most` in a minute."""
    now, minute = timezone.now(), timedelta(minutes=1)
    with transaction.atomic():
        row = _locked_row(_key(what, address), now)
        if now - row.last_try_at >= minute:
            row.last_try_at, row.failures = now, 0
        if row.failures >= most:
            return row.last_try_at + minute
        row.failures += 1
        row.save()
    return None


def clear_tries(email: str, address: str, *, known_browser: bool = False) -> None:
    """Forgets the failures after a success; the network's count gives back this try alone, if it was counted."""
    SignInThrottle.objects.filter(key=_key(email, address)).update(failures=0, blocked_until=None)
    if not known_browser:
        SignInThrottle.objects.filter(key=_network_key(address), failures__gt=0).update(
            failures=F("failures") - 1
        )


def network_of(address: str) -> str:
    """The network of a client: its /24 (IPv4) or /56 (IPv6)."""
    if not address:
        return ""
    client = ip_address(address)
    mapped = getattr(client, "ipv4_mapped", None)
    client = mapped or client
    return str(ip_network((client, _PREFIX[client.version]), strict=False))


def _locked_row(key: str, now: datetime) -> SignInThrottle:
    # The upsert locks an existing row without changing it, so the reading that follows can't miss it.
    SignInThrottle.objects.bulk_create(
        [SignInThrottle(key=key, last_try_at=now)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["key"],
    )
    return SignInThrottle.objects.get(key=key)


def _blocked_until(failures: int, now: datetime) -> datetime | None:
    if failures < FREE_TRIES:
        return None
    wait = FIRST_WAIT_SECONDS * 2 ** min(failures - FREE_TRIES, 10)
    return now + timedelta(seconds=min(wait, LONGEST_WAIT_SECONDS))


def _key(email: str, address: str) -> str:
    said = f"{email.strip().lower()}\n{network_of(address)}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).hexdigest()


def _network_key(address: str) -> str:
    # No newline in it, so that no address of a person that somebody types gives the same key.
    said = f"network {network_of(address)}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).hexdigest()


def _forget_old(now: datetime) -> None:
    # A few at each try keep the table small without a job; whoever fills it also empties it.
    old = SignInThrottle.objects.filter(last_try_at__lt=now - FORGOTTEN_AFTER).values_list("pk", flat=True)[
        :20
    ]
    SignInThrottle.objects.filter(pk__in=list(old)).delete()
