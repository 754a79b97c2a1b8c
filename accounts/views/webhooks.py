"""Webhooks: where events are sent, and what became of each."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from accounts.services import webhooks
from accounts.views.pages import form_page, say
from accounts.webhooks.delivery import body_of
from accounts.webhooks.events import EVENTS, EventType
from accounts.webhooks.forms import EndpointForm, ReplayForm
from accounts.webhooks.models import DeliveryState, WebhookEndpoint

PAGE = 50
SAID = {
    "previous": "Only the newest secret signs from now on.",
    "disable": "The webhook is disabled. What happens meanwhile is kept as dead letters.",
    "enable": "The webhook is enabled. Dead letters can be sent again below.",
    "remove": "The webhook is removed.",
}


@requires(Permission.WEBHOOK_CHANGE)
@require_safe
def webhook_list(request: TenantRequest) -> HttpResponse:
    rows = webhooks.list_endpoints()
    record(Act.WEBHOOK_READ, object_type="page", object_id="webhooks", shown=len(rows))
    events = [(each, each.words) for each in EventType]
    return TemplateResponse(request, "accounts/webhook_list.html", {"rows": rows, "events": events})


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_CREATE, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: TenantRequest) -> HttpResponse:
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return _secret(request, webhooks.create_endpoint(wanted=_wanted(form)))
        except InvalidInput as error:
            form.show(error)
    return form_page(request, "accounts/webhook_form.html", form, endpoint=None)


def _wanted(form: EndpointForm) -> webhooks.Wanted:
    return webhooks.Wanted(form.cleaned_data["description"], form.cleaned_data["url"], form.chosen())


def _secret(request: TenantRequest, made: webhooks.EndpointMade) -> HttpResponse:
    return TemplateResponse(request, "accounts/webhook_secret.html", {"made": made})


@requires(Permission.WEBHOOK_CHANGE)
@require_safe
def webhook_detail(request: TenantRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = webhooks.find_endpoint(endpoint_id)
    state = request.GET.get("state", "")
    chosen = DeliveryState(state) if state in DeliveryState.values else None
    after = request.GET.get("after", "")
    rows = webhooks.list_deliveries(endpoint, chosen)
    if after:
        rows = rows.filter(pk__lt=_cursor(after))
    page = list(rows[: PAGE + 1])
    record(Act.WEBHOOK_READ, object_type="webhook", object_id=endpoint.pk, shown=min(len(page), PAGE))
    return TemplateResponse(
        request, "accounts/webhook_detail.html",
        {**_facts(endpoint), "deliveries": page[:PAGE], "state": chosen or "", "states": DeliveryState.choices,
         "next": str(page[PAGE - 1].pk) if len(page) > PAGE else "", "first": not after,
         "replay": ReplayForm(initial={"since": f"{endpoint.created_at:%Y-%m-%d}"})},
    )  # fmt: skip


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    both = endpoint.previous_until is not None and endpoint.previous_until > timezone.now()
    events = [(name, EVENTS[EventType(name)].words) for name in sorted(endpoint.events)]
    return {"endpoint": endpoint, "both_sign": both, "events": events}


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("This page's link is cut off. Begin with the first page.") from error


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_CHANGE, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: TenantRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = webhooks.find_endpoint(endpoint_id)
    now = {"description": endpoint.description, "url": endpoint.url, "events": endpoint.events}
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method == "POST" and form.is_valid():
        webhooks.change_endpoint(endpoint_id=endpoint_id, wanted=_wanted(form))
        say(request, "The webhook is changed.")
        return redirect("webhook-detail", endpoint_id)
    return form_page(request, "accounts/webhook_form.html", form, endpoint=endpoint)


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_CHANGE, step_up=True)
@require_POST
def webhook_change(request: TenantRequest, endpoint_id: UUID) -> HttpResponse:
    """`change` says what: rotate, previous (secret ends), disable, enable, remove."""
    change = request.POST.get("change", "")
    if change == "rotate":
        return _secret(request, webhooks.rotate_secret(endpoint_id=endpoint_id))
    if change == "previous":
        webhooks.end_previous_secret(endpoint_id=endpoint_id)
    elif change == "disable":
        webhooks.disable_endpoint(endpoint_id=endpoint_id)
    elif change == "enable":
        webhooks.enable_endpoint(endpoint_id=endpoint_id)
    elif change == "remove":
        webhooks.remove_endpoint(endpoint_id=endpoint_id)
    else:
        raise InvalidInput("Choose what to do with the webhook.")
    say(request, SAID[change])
    return redirect("webhook-list") if change == "remove" else redirect("webhook-detail", endpoint_id)


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_TEST)
@require_POST
def webhook_test(request: TenantRequest, endpoint_id: UUID) -> HttpResponse:  # noqa: ARG001 (every view takes one)
    delivery = webhooks.test_endpoint(endpoint_id=endpoint_id)
    return redirect("webhook-delivery", delivery.pk)


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_REPLAY)
@require_POST
def webhook_replay(request: TenantRequest, endpoint_id: UUID) -> HttpResponse:
    """All dead letters since a day."""
    webhooks.find_endpoint(endpoint_id)
    number = webhooks.replay_dead(endpoint_id=endpoint_id, since=ReplayForm(request.POST).moment())
    say(request, f"{number} {'is' if number == 1 else 'are'} sent again.")
    return redirect("webhook-detail", endpoint_id)


@requires(Permission.WEBHOOK_CHANGE)
@require_safe
def webhook_delivery(request: TenantRequest, webhook_delivery_id: UUID) -> HttpResponse:
    delivery = webhooks.find_delivery(webhook_delivery_id)
    record(Act.WEBHOOK_READ, object_type="webhook_delivery", object_id=delivery.pk)
    body = json.dumps(json.loads(body_of(delivery.message)), indent=2, ensure_ascii=False)
    return TemplateResponse(
        request,
        "accounts/webhook_delivery.html",
        {"delivery": delivery, "body": body, "words": EventType(delivery.message.type).words},
    )


@requires(Permission.WEBHOOK_CHANGE, act=Act.PROGRESS_READ)
@require_safe
def webhook_outcome(request: TenantRequest, webhook_delivery_id: UUID) -> HttpResponse:
    """What became of a delivery so far, for a page that waits for it."""
    delivery = webhooks.find_delivery(webhook_delivery_id)
    record(Act.PROGRESS_READ, object_type="webhook_delivery", object_id=delivery.pk)
    return TemplateResponse(request, "accounts/webhook_outcome.html", {"delivery": delivery})


@requires(Permission.WEBHOOK_CHANGE, act=Act.WEBHOOK_REPLAY)
@require_POST
def webhook_delivery_replay(request: TenantRequest, webhook_delivery_id: UUID) -> HttpResponse:  # noqa: ARG001 (as above)
    webhooks.replay_delivery(delivery_id=webhook_delivery_id)
    return redirect("webhook-delivery", webhook_delivery_id)
