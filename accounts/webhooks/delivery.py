"""Delivers webhooks: each message at least once to each endpoint, under the same id on every try.

A worker takes a delivery by a lease, sends outside of any transaction, and writes down what came of it. One that
dies in between is followed by another when the lease is over. Receivers that hang hold a few of a worker's threads
at most, and an endpoint that fails one of those.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.utils import timezone

from accounts.errors import PortalError
from accounts.outbound import Answer, fetch
from accounts.sealing import SealBrokenError
from accounts.signals import webhook_settled
from accounts.tenancy.scope import open_tenant
from accounts.webhooks.endpoints import GONE, disable, secrets_of
from accounts.webhooks.events import EventType
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage
from accounts.webhooks.signing import signed_headers

SECONDS = 15.0
LEASE = timedelta(seconds=4 * SECONDS)
WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between the tries, as the convention suggests: ten tries in a little more than three days."""
LONGEST_WAIT = 86_400.0
KEPT_OF_ANSWER = 1024
AT_ONCE, AT_ONCE_FAILING = 2, 1
"""Tries at one time to one endpoint."""
GIVEN_UP_AFTER = timedelta(days=5)
KEPT_FOR = timedelta(days=90)
PURGED_AT_ONCE = 1000
_SUCCESS = range(200, 300)
_GONE = 410
_PATIENCE = frozenset({429, 503})
# Threads of this worker that webhooks may hold, and of those the ones for endpoints that fail.
_threads, _threads_failing = BoundedSemaphore(4), BoundedSemaphore(2)

log = structlog.get_logger()


class Outcome(NamedTuple):
    """What came of one try. `status` None: no answer."""

    status: int | None
    error: str
    answer: str = ""
    milliseconds: int = 0
    wait: float = 0.0
    """Seconds that the receiver asked for."""


class Next(NamedTuple):
    """Whom to ring for: a delivery, and after how many seconds."""

    delivery_id: UUID
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that this worker holds."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    message: WebhookMessage


Sender = Callable[[WebhookEndpoint, WebhookMessage], Outcome]


def body_of(message: WebhookMessage) -> str:
    """What receivers get: the same text on every try."""
    at = message.occurred_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    said = {"type": message.type, "timestamp": at, "data": dict(sorted(message.data.items()))}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def send(endpoint: WebhookEndpoint, message: WebhookMessage) -> Outcome:
    """One try: where accounts.outbound lets it go, no redirect followed."""
    body, began = body_of(message), time.monotonic()
    try:
        headers = signed_headers(str(message.pk), body, secrets_of(endpoint))
        answer = fetch(endpoint.url, method="POST", content=body.encode(), headers=headers, seconds=SECONDS)
    except (PortalError, SealBrokenError) as error:
        return Outcome(None, str(error), milliseconds=_since(began))
    refused = "" if answer.status in _SUCCESS else f"The receiver answered {answer.status}."
    return Outcome(answer.status, refused, _words(answer.body), _since(began), _asked_wait(answer))


def deliver(*, tenant_id: UUID, delivery_id: UUID, sender: Sender = send) -> list[Next]:
    """Tries a delivery, if it is due and nobody else has it; says whom to ring for then."""
    with open_tenant(tenant_id):
        failing = WebhookEndpoint.objects.filter(deliveries=delivery_id, failing_since__isnull=False).exists()
    with _thread(failing=failing) as free:
        if not free:
            return []  # the sweeper rings again
        with open_tenant(tenant_id):
            taken = _claim(delivery_id)
        if taken is None:
            return []
        outcome = sender(taken.endpoint, taken.message)
        with open_tenant(tenant_id):
            again = _settle(taken, outcome)
            return [*again, *_waiting(taken.endpoint, but=delivery_id)]


@contextmanager
def _thread(*, failing: bool) -> Iterator[bool]:
    wanted = [_threads_failing, _threads] if failing else [_threads]
    held = []
    try:
        for each in wanted:
            if not each.acquire(blocking=False):
                break
            held.append(each)
        yield len(held) == len(wanted)
    finally:
        for each in held:
            each.release()


def _claim(delivery_id: UUID) -> Taken | None:
    now = timezone.now()
    endpoint = WebhookEndpoint.objects.select_for_update().filter(deliveries=delivery_id).first()
    if endpoint is None:
        return None
    others = WebhookDelivery.objects.filter(
        endpoint=endpoint, state=DeliveryState.PENDING, lease_until__gt=now
    )
    if others.count() >= (AT_ONCE_FAILING if endpoint.failing_since else AT_ONCE):
        return None
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = WebhookDelivery.objects.filter(free, pk=delivery_id, state=DeliveryState.PENDING, due_at__lte=now)
    if not due.update(lease_until=now + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1):
        return None
    delivery = WebhookDelivery.objects.select_related("message").get(pk=delivery_id)
    return Taken(delivery, endpoint, delivery.message)


def _settle(taken: Taken, outcome: Outcome) -> list[Next]:
    """Writes a try down, unless the row was taken meanwhile: a claim, a replay, a disabling raise the fence."""
    now = timezone.now()
    state, wait = _verdict(taken, outcome)
    mine = WebhookDelivery.objects.filter(pk=taken.delivery.pk, fence=taken.delivery.fence)
    held = mine.update(
        state=state, lease_until=None, tried_at=now, due_at=now + timedelta(seconds=wait), status=outcome.status,
        error=outcome.error[:300], answer=outcome.answer, milliseconds=outcome.milliseconds,
        settled_at=None if state is DeliveryState.PENDING else now,
    )  # fmt: skip
    if not held:
        return []
    _judge_endpoint(taken, outcome, now)
    if state is DeliveryState.PENDING:
        return [Next(taken.delivery.pk, wait)] if wait < 60 else []  # noqa: PLR2004 (longer ones are the sweeper's)
    taken.delivery.state, taken.delivery.settled_at = state, now
    webhook_settled.send(WebhookDelivery, delivery=taken.delivery)
    return []


def _verdict(taken: Taken, outcome: Outcome) -> tuple[DeliveryState, float]:
    """What becomes of the delivery, and the seconds until the next try."""
    if outcome.status is not None and outcome.status in _SUCCESS:
        return DeliveryState.DELIVERED, 0.0
    tried = taken.delivery.attempts
    if taken.message.type == EventType.TEST or outcome.status == _GONE or tried > len(WAITS):
        log.warning("webhook.dead", delivery=str(taken.delivery.pk), attempts=tried, status=outcome.status)
        return DeliveryState.DEAD, 0.0
    return DeliveryState.PENDING, max(wait_after(tried), min(outcome.wait, LONGEST_WAIT))


def wait_after(attempts: int) -> float:
    """Seconds until the next try after so many: the convention's, and up to a fifth more by chance."""
    return WAITS[attempts - 1] * random.uniform(1, 1.2)  # noqa: S311 (spreads load)


def _judge_endpoint(taken: Taken, outcome: Outcome, now: datetime) -> None:
    rows = WebhookEndpoint.objects.filter(pk=taken.endpoint.pk)
    if not outcome.error:
        rows.update(delivered_at=now, failing_since=None)
        return
    if taken.message.type == EventType.TEST:
        return
    rows.filter(failing_since=None).update(failing_since=now)
    since = taken.endpoint.failing_since
    if outcome.status == _GONE:
        disable(taken.endpoint, GONE)
    elif since is not None and now - since > GIVEN_UP_AFTER:
        disable(taken.endpoint, f"Every delivery failed for {GIVEN_UP_AFTER.days} days.")


def _waiting(endpoint: WebhookEndpoint, *, but: UUID) -> list[Next]:
    """The endpoint's next delivery that is due: it may have waited for this one."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = WebhookDelivery.objects.filter(
        free, endpoint=endpoint, state=DeliveryState.PENDING, due_at__lte=now
    )
    found = due.exclude(pk=but).order_by("id").values_list("pk", flat=True).first()
    return [Next(found)] if found else []


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _words(body: bytes) -> str:
    """The beginning of an answer, without what no page or database takes."""
    said = body[:KEPT_OF_ANSWER].decode("utf-8", "replace")
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}" for sign in said
    )


def _asked_wait(answer: Answer) -> float:
    """Seconds of Retry-After (RFC 9110, 10.2.3): a number, or a time."""
    said = answer.headers.get("retry-after", "") if answer.status in _PATIENCE else ""
    if said.isascii() and said.isdecimal():
        return float(said[:9])
    try:
        return max(0.0, (parsedate_to_datetime(said) - timezone.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def purge(*, tenant_id: UUID) -> None:
    """Removes what happened more than 90 days ago and waits for nothing, a thousand at a time."""
    with open_tenant(tenant_id):
        old = WebhookMessage.objects.filter(occurred_at__lt=timezone.now() - KEPT_FOR)
        settled = old.exclude(deliveries__state=DeliveryState.PENDING).order_by("occurred_at")
        keys = list(settled.values_list("pk", flat=True)[:PURGED_AT_ONCE])
        WebhookDelivery.objects.filter(message__in=keys).delete()
        WebhookMessage.objects.filter(pk__in=keys).delete()
