"""An endpoint's secrets, and its end: what the worker and the pages share."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.models import Membership
from accounts.notices import send_after_commit, site_link
from accounts.permissions import ROLE_PERMISSIONS, Permission
from accounts.sealing import seal, unseal
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.signing import new_secret

BOTH_SIGN_FOR = timedelta(hours=24)
GONE = "The receiver answered 410 Gone: it wants no more."
BY_HAND = "Disabled by hand."


def give_secret(endpoint: WebhookEndpoint) -> str:
    """A new secret for an unsaved or locked endpoint; the one before signs for 24 hours more. Returned this once."""
    secret = new_secret()
    if endpoint.secret:
        endpoint.previous_secret, endpoint.previous_until = endpoint.secret, timezone.now() + BOTH_SIGN_FOR
    endpoint.secret = seal(secret.encode(), place=_place(endpoint))
    return secret


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first. Raises accounts.sealing.SealBrokenError."""
    sealed = [endpoint.secret]
    if endpoint.previous_until is not None and endpoint.previous_until > timezone.now():
        sealed.append(endpoint.previous_secret)
    return [unseal(bytes(each), place=_place(endpoint)).decode() for each in sealed]


def _place(endpoint: WebhookEndpoint) -> str:
    return f"webhook endpoint:{endpoint.pk}"


def disable(endpoint: WebhookEndpoint, reason: str) -> None:
    """Sends nothing more; what waited is a dead letter. Who may change it is told, unless one of them did it."""
    now = timezone.now()
    living = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
    if not living.update(disabled_at=now, disabled_reason=reason):
        return
    WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING).update(
        state=DeliveryState.DEAD, settled_at=now, error=reason, lease_until=None, fence=F("fence") + 1
    )
    record(Act.WEBHOOK_CHANGE, object_type="webhook", object_id=endpoint.pk, change="disable", reason=reason)
    if reason != BY_HAND:
        _tell(endpoint, reason)


def _tell(endpoint: WebhookEndpoint, reason: str) -> None:
    roles = [role for role, may in ROLE_PERMISSIONS.items() if Permission.WEBHOOK_CHANGE in may]
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    people = Membership.objects.filter(living, role__in=roles, person__is_active=True).order_by("id")
    for address in people.values_list("person__email", flat=True):
        send_after_commit(
            to=address, subject="A webhook in Surety was disabled", template="accounts/webhook_mail.txt",
            description=endpoint.description, reason=reason, url=site_link("webhook-detail", endpoint.pk),
        )  # fmt: skip
