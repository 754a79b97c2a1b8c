"""Webhooks: where the tenant is told of events, and what became of each."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import InvalidInput
from accounts.services import webhooks
from accounts.webhooks.events import SUBSCRIBABLE, EventType
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from portal.api.endpoints import Acting, Doing, Listing, Reading, Shape
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text

TAG = "Webhooks"
NAMES = [str(each) for each in SUBSCRIBABLE]


class WebhookShape(serializers.Serializer[Any]):
    """An address that is told of events. While `enabled` is false nothing goes there; `disabled_reason` says why."""

    id = serializers.UUIDField(read_only=True)
    description = text()
    url = text()
    events = serializers.ListField(child=serializers.CharField(), read_only=True)
    enabled = serializers.SerializerMethodField()
    disabled_reason = text(allow_blank=True)
    created_at = Moment()
    delivered_at = Moment(allow_null=True)
    failing_since = Moment(allow_null=True)

    def get_enabled(self, row: WebhookEndpoint) -> bool:
        """Whether it is told."""
        return row.disabled_at is None


class WebhookMadeShape(WebhookShape):
    """A webhook with the secret that signs for it, which is shown this once."""

    secret = text()

    def to_representation(self, made: webhooks.EndpointMade) -> dict[str, Any]:
        """The webhook, and its secret."""
        return {**WebhookShape(made.endpoint).data, "secret": made.secret}


class WebhookTakes(serializers.Serializer[Any]):
    """Where to, and of what."""

    description = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=2048, help_text="A public address; redirects are not followed.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=NAMES), min_length=1, max_length=len(NAMES)
    )


class WebhookChanges(serializers.Serializer[Any]):
    """What is to be otherwise; what isn't given stays."""

    description = serializers.CharField(max_length=200, required=False)
    url = serializers.CharField(max_length=2048, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=NAMES), min_length=1, max_length=len(NAMES), required=False
    )
    enabled = serializers.BooleanField(
        required=False, help_text="false: sends nothing; what happens meanwhile becomes dead letters."
    )


class WebhookDeliveryShape(serializers.Serializer[Any]):
    """One event on its way to one webhook. `status` is what the receiver answered last; `data` is what it gets."""

    id = serializers.UUIDField(read_only=True)
    webhook = serializers.UUIDField(source="endpoint_id", read_only=True)
    message = serializers.UUIDField(source="message_id", read_only=True)
    type = serializers.ChoiceField(
        source="message.type", choices=[str(each) for each in EventType], read_only=True
    )
    occurred_at = Moment(source="message.occurred_at")
    data = serializers.DictField(source="message.data", read_only=True)  # type: ignore[assignment] # a field of that name
    state = serializers.ChoiceField(choices=DeliveryState.choices, read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    due_at = Moment()
    tried_at = Moment(allow_null=True)
    settled_at = Moment(allow_null=True)
    status = serializers.IntegerField(allow_null=True, read_only=True)
    error = text(allow_blank=True)


class DeliveryFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    webhook = serializers.UUIDField(source="endpoint_id", required=False)
    state = choice(*DeliveryState.values)


WEBHOOK: dict[str, Any] = {
    "id": "019a7c50-0100-7d3e-9b2a-1c4d5e6f7a13", "description": "Ticket system",
    "url": "https://tickets.example.org/surety", "events": ["run.finished"], "enabled": True, "disabled_reason": "",
    "created_at": "2026-03-01T06:00:00Z", "delivered_at": "2026-03-02T06:00:42Z", "failing_since": None,
}  # fmt: skip
MADE = {**WEBHOOK, "delivered_at": None, "secret": "whsec_c2hvd24gdGhpcyBvbmNlLCBhbmQgbmV2ZXIgYWdhaW4="}
DELIVERY: dict[str, Any] = {
    "id": "019a7c51-0100-7d3e-9b2a-1c4d5e6f7a14", "webhook": WEBHOOK["id"],
    "message": "019a7c51-00ff-7d3e-9b2a-1c4d5e6f7a15", "type": "run.finished", "occurred_at": "2026-03-02T06:00:41Z",
    "data": EventType.RUN_FINISHED.example, "state": "delivered", "attempts": 1, "due_at": "2026-03-02T06:00:41Z",
    "tried_at": "2026-03-02T06:00:42Z", "settled_at": "2026-03-02T06:00:42Z", "status": 204, "error": "",
}  # fmt: skip


def _wanted(given: dict[str, Any]) -> webhooks.Wanted:
    return webhooks.Wanted(
        given["description"], given["url"], tuple(EventType(each) for each in dict.fromkeys(given["events"]))
    )


class _Writing(Doing):
    """An act upon a webhook."""

    scope, tag, act = Scope.WEBHOOKS_WRITE, TAG, Act.WEBHOOK_CHANGE
    shape: ClassVar[Shape] = WebhookShape
    example, status = WEBHOOK, 200

    def look(self, request: ApiRequest, **ids: UUID) -> None:  # noqa: ARG002 (a narrowed client has no such scope)
        webhooks.find_endpoint(ids["endpoint_id"])


class WebhookCreate(Doing):
    """Add a webhook.

    It is told of what happens from then on. `secret` signs what is sent, by the Standard Webhooks convention; it is
    shown in this answer alone. A member proves both factors again first.
    """

    scope, operation, tag, act, step_up = (
        Scope.WEBHOOKS_WRITE,
        "create_webhook",
        TAG,
        Act.WEBHOOK_CREATE,
        True,
    )
    takes, shape, example = WebhookTakes, WebhookMadeShape, MADE

    def do(self, request: ApiRequest, given: dict[str, Any], **_ids: Any) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        made = webhooks.create_endpoint(wanted=_wanted(given))
        return made, reverse("api-webhook", args=[made.endpoint.pk])


class WebhookChange(_Writing):
    """Change a webhook.

    Deliveries that wait go to the new address. A member proves both factors again first.
    """

    operation, takes, step_up = "change_webhook", WebhookChanges, True

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:
        self.look(request, **ids)
        if not given:
            raise InvalidInput("Give what is to be otherwise.")
        row, enabled = webhooks.find_endpoint(ids["endpoint_id"], lock=True), given.pop("enabled", None)
        if given:
            now = {"description": row.description, "url": row.url, "events": row.events}
            webhooks.change_endpoint(endpoint_id=row.pk, wanted=_wanted({**now, **given}))
        if enabled is not None:
            (webhooks.enable_endpoint if enabled else webhooks.disable_endpoint)(endpoint_id=row.pk)
        return webhooks.find_endpoint(row.pk), ""


class WebhookList(Acting, Listing):
    """List webhooks, newest first."""

    scope, operation, tag, act = Scope.WEBHOOKS_READ, "list_webhooks", TAG, Act.WEBHOOK_READ
    shape, example, doing = WebhookShape, WEBHOOK, WebhookCreate

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        return page_of(WebhookEndpoint.objects.all(), asked)


class WebhookDetail(Acting, Reading):
    """Read one webhook."""

    scope, operation, tag, act = Scope.WEBHOOKS_READ, "read_webhook", TAG, Act.WEBHOOK_READ
    shape, example, doing = WebhookShape, WEBHOOK, WebhookChange

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> WebhookEndpoint:  # noqa: ARG002 (as above)
        return webhooks.find_endpoint(ids["endpoint_id"])


class SecretNew(_Writing):
    """Give a webhook another secret.

    For 24 hours the one before signs as well. A member proves both factors again first.
    """

    operation, step_up, shape, example, status = "rotate_webhook_secret", True, WebhookMadeShape, MADE, 201

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        return webhooks.rotate_secret(endpoint_id=ids["endpoint_id"]), ""


class WebhookRemove(_Writing):
    """Remove a webhook with its secrets and deliveries.

    The answer is the webhook as it was. A member proves both factors again first.
    """

    operation, act, step_up = "remove_webhook", Act.WEBHOOK_REMOVE, True

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        row = webhooks.find_endpoint(ids["endpoint_id"])
        webhooks.remove_endpoint(endpoint_id=row.pk)
        row.pk = ids["endpoint_id"]
        return row, ""


class WebhookTest(_Writing):
    """Send a test to a webhook.

    Once, also while it is disabled. `Location` says where to see what became of it.
    """

    operation, act, shape, example, status = (
        "test_webhook",
        Act.WEBHOOK_TEST,
        WebhookDeliveryShape,
        DELIVERY,
        201,
    )

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        made = webhooks.test_endpoint(endpoint_id=ids["endpoint_id"])
        return made, reverse("api-webhook-delivery", args=[made.pk])


class DeliveryList(Listing):
    """List deliveries of webhooks, newest first."""

    scope, operation, tag, act = Scope.WEBHOOKS_READ, "list_webhook_deliveries", TAG, Act.WEBHOOK_READ
    shape, filters, example = WebhookDeliveryShape, DeliveryFilters, DELIVERY

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        rows: QuerySet[WebhookDelivery] = WebhookDelivery.objects.select_related("message")
        return page_of(rows.filter(**asked.values), asked)


class DeliveryDetail(Reading):
    """Read what became of a delivery."""

    scope, operation, tag, act = Scope.WEBHOOKS_READ, "read_webhook_delivery", TAG, Act.WEBHOOK_READ
    shape, example = WebhookDeliveryShape, DELIVERY

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> WebhookDelivery:  # noqa: ARG002 (as above)
        return webhooks.find_delivery(ids["webhook_delivery_id"])


class DeliveryReplay(_Writing):
    """Send a delivery again.

    Under its message's id, with all its tries. 409 while it is on its way, or the webhook is disabled.
    """

    operation, act, shape, example = (
        "replay_webhook_delivery",
        Act.WEBHOOK_REPLAY,
        WebhookDeliveryShape,
        DELIVERY,
    )

    def look(self, request: ApiRequest, **ids: UUID) -> None:  # noqa: ARG002 (as above)
        webhooks.find_delivery(ids["webhook_delivery_id"])

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        webhooks.replay_delivery(delivery_id=ids["webhook_delivery_id"])
        return webhooks.find_delivery(ids["webhook_delivery_id"]), ""
