"""Webhooks of the open tenant: added, changed, rotated, tested, replayed, disabled, removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.outbound import check_url
from accounts.webhooks.delivery import AT_ONCE
from accounts.webhooks.emitting import emit_test, ring_deliveries
from accounts.webhooks.endpoints import BY_HAND, disable, give_secret
from accounts.webhooks.events import EventType
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

MOST_ENDPOINTS = 20


@dataclass(frozen=True, slots=True)
class EndpointMade:
    """An endpoint and its secret, which is shown once."""

    endpoint: WebhookEndpoint
    secret: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is told of, and where."""

    description: str
    url: str
    events: tuple[EventType, ...]


def list_endpoints() -> list[WebhookEndpoint]:
    """By description, each with `waiting` and `dead`: how many deliveries are."""
    pending, dead = (Q(deliveries__state=state) for state in (DeliveryState.PENDING, DeliveryState.DEAD))
    counted = WebhookEndpoint.objects.annotate(
        waiting=Count("deliveries", filter=pending), dead=Count("deliveries", filter=dead)
    )
    return list(counted.order_by("description", "pk"))


def find_endpoint(endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """One of the open tenant's. Raises NotFound."""
    rows = WebhookEndpoint.objects.select_for_update() if lock else WebhookEndpoint.objects.all()
    found: WebhookEndpoint | None = rows.filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def find_delivery(delivery_id: UUID) -> WebhookDelivery:
    """A delivery with its endpoint and message. Raises NotFound."""
    rows = WebhookDelivery.objects.select_related("endpoint", "message")
    found: WebhookDelivery | None = rows.filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def list_deliveries(endpoint: WebhookEndpoint, state: DeliveryState | None) -> QuerySet[WebhookDelivery]:
    """An endpoint's deliveries with their messages, the newest first."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("message").order_by("-id")
    return rows.filter(state=state) if state else rows


def create_endpoint(*, wanted: Wanted) -> EndpointMade:
    """Adds one that is told of what happens from now on. Raises InvalidInput."""
    _check(wanted)
    if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise InvalidInput(f"A tenant has at most {MOST_ENDPOINTS} webhooks. Remove one first.")
    made = WebhookEndpoint(description=wanted.description, url=wanted.url, events=list(wanted.events))
    secret = give_secret(made)
    made.save()
    record(
        Act.WEBHOOK_CREATE, object_type="webhook", object_id=made.pk, url=made.url, events=sorted(made.events)
    )
    return EndpointMade(made, secret)


def change_endpoint(*, endpoint_id: UUID, wanted: Wanted) -> WebhookEndpoint:
    """Changes where to and of what; deliveries that wait go to the new address. Raises NotFound, InvalidInput."""
    _check(wanted)
    endpoint = find_endpoint(endpoint_id, lock=True)
    endpoint.description, endpoint.url = wanted.description, wanted.url
    endpoint.events = list(wanted.events)
    endpoint.save(update_fields=["description", "url", "events"])
    _record(endpoint, "settings", url=endpoint.url, events=sorted(endpoint.events))
    return endpoint


def rotate_secret(*, endpoint_id: UUID) -> EndpointMade:
    """Gives another secret; for 24 hours the one before signs as well. Raises NotFound."""
    endpoint = find_endpoint(endpoint_id, lock=True)
    secret = give_secret(endpoint)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    _record(endpoint, "secret")
    return EndpointMade(endpoint, secret)


def end_previous_secret(*, endpoint_id: UUID) -> None:
    """Lets only the newest secret sign from now on, as where the other is known to somebody. Raises NotFound."""
    endpoint = find_endpoint(endpoint_id, lock=True)
    endpoint.previous_secret, endpoint.previous_until = b"", None
    endpoint.save(update_fields=["previous_secret", "previous_until"])
    _record(endpoint, "previous_secret")


def disable_endpoint(*, endpoint_id: UUID) -> None:
    """Sends nothing more; what happens meanwhile becomes dead letters. Raises NotFound."""
    disable(find_endpoint(endpoint_id, lock=True), BY_HAND)


def enable_endpoint(*, endpoint_id: UUID) -> None:
    """Sends again what happens from now on. Raises NotFound."""
    endpoint = find_endpoint(endpoint_id, lock=True)
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since = None, "", None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
    _record(endpoint, "enable")


def remove_endpoint(*, endpoint_id: UUID) -> None:
    """Removes it with its secrets and deliveries. Raises NotFound."""
    endpoint = find_endpoint(endpoint_id, lock=True)
    record(Act.WEBHOOK_REMOVE, object_type="webhook", object_id=endpoint.pk, url=endpoint.url)
    endpoint.delete()


def test_endpoint(*, endpoint_id: UUID) -> WebhookDelivery:
    """Sends a test, once, also while it is disabled. Raises NotFound."""
    endpoint = find_endpoint(endpoint_id)
    delivery = emit_test(endpoint)
    record(Act.WEBHOOK_TEST, object_type="webhook", object_id=endpoint.pk, delivery=str(delivery.pk))
    return delivery


def replay_delivery(*, delivery_id: UUID) -> WebhookDelivery:
    """Sends one again, under its message's id, with all its tries. Raises NotFound, or Conflict while it waits."""
    delivery = find_delivery(delivery_id)
    _require_enabled(delivery.endpoint)
    settled = WebhookDelivery.objects.filter(pk=delivery_id).exclude(state=DeliveryState.PENDING)
    if not _send_again(settled):
        raise Conflict("It is on its way already.")
    ring_deliveries([delivery_id])
    record(
        Act.WEBHOOK_REPLAY, object_type="webhook", object_id=delivery.endpoint_id, delivery=str(delivery_id)
    )
    return delivery


def replay_dead(*, endpoint_id: UUID, since: datetime) -> int:
    """Sends the dead letters of what happened since a time again; how many. Raises NotFound, Conflict."""
    endpoint = find_endpoint(endpoint_id)
    _require_enabled(endpoint)
    dead = WebhookDelivery.objects.filter(
        endpoint=endpoint, state=DeliveryState.DEAD, message__occurred_at__gte=since
    ).exclude(message__type=EventType.TEST)
    # Each that is settled rings for the next one.
    first = list(dead.order_by("id").values_list("pk", flat=True)[:AT_ONCE])
    number = _send_again(dead)
    ring_deliveries(first)
    record(
        Act.WEBHOOK_REPLAY,
        object_type="webhook",
        object_id=endpoint.pk,
        since=since.isoformat(),
        number=number,
    )
    return number


def _send_again(rows: QuerySet[WebhookDelivery]) -> int:
    # A raised fence makes a try that is under way forget its result.
    return rows.update(
        state=DeliveryState.PENDING, attempts=0, due_at=timezone.now(), lease_until=None, settled_at=None,
        fence=F("fence") + 1,
    )  # fmt: skip


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        raise Conflict("The webhook is disabled. Enable it first.")


def _check(wanted: Wanted) -> None:
    check_url(wanted.url)
    if not wanted.events:
        raise InvalidInput("Choose at least one event.", field="events")


def _record(endpoint: WebhookEndpoint, change: str, **details: Any) -> None:
    record(Act.WEBHOOK_CHANGE, object_type="webhook", object_id=endpoint.pk, change=change, **details)
