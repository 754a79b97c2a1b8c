"""The downstream party's side: the covered entities that it works for, one in tabs, and leaving one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.duties.types import Duty
from assessments.partnerships import services
from assessments.partnerships.forms import LeaveForm
from assessments.partnerships.mirror import MIRRORS, Mirror
from assessments.partnerships.models import Partnership, PartnershipDeparture
from evidence.keyset import page_by_time


@requires(Permission.PARTNER_READ)
@require_safe
def covered_entities(request: TenantRequest) -> HttpResponse:
    found = Partnership.received.all()
    page = page_by_time(found, "began_at", request.GET.get("after", ""))
    record(
        Act.PARTNERSHIP_LIST, object_type="page", object_id="covered-entities", shown=len(page.rows),
        first_page=page.first,
    )  # fmt: skip
    rows = _lines(page.rows)
    for row in rows:
        if row["said"]:
            _tell(row["partnership"])
    return TemplateResponse(
        request, "partnerships/covered_entities.html",
        {"rows": rows, "next": page.next, "first": page.first, "count": found.count()},
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def covered_entity(request: TenantRequest, partnership_id: UUID) -> HttpResponse:
    """One covered entity under one of the tabs. Raises NotFound for a tab that there isn't."""
    partnership = services.find_received(partnership_id=partnership_id)
    wanted = request.GET.get("tab", "")
    tabs = [each for each in MIRRORS if request.may(each.needs)]
    chosen = next((each for each in tabs if each.slug == wanted), None)
    if wanted and chosen is None:
        raise NotFound("A covered entity's page has no such tab.")
    _record_reading(partnership, wanted)
    departure = services.own_departure(partnership.pk)
    if chosen:
        context = chosen.context(partnership)
    else:
        context = {
            "said": _said(partnership, tabs),
            "owed": _owed(partnership, tabs) if not departure else [],
        }
    return TemplateResponse(
        request, "partnerships/covered_entity.html",
        {**context, "partnership": partnership, "tab": chosen, "tabs": tabs, "departure": departure,
         "now": timezone.now(), "may_change": request.may(Permission.PARTNER_CHANGE),
         "may_share": departure is None and request.may(Permission.SHARING_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE, act=Act.PARTNERSHIP_LEAVE, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: TenantRequest, partnership_id: UUID) -> HttpResponse:
    partnership = services.find_received(partnership_id=partnership_id)
    form = LeaveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.leave_partnership(partnership_id=partnership_id, reason=form.cleaned_data["reason"])
        except Conflict as error:
            form.show(InvalidInput(str(error)))
        else:
            say(request, f"You have left {partnership.upstream_name}, and they are told.")
            return redirect("covered-entity", partnership_id)
    return form_page(request, "partnerships/leave.html", form, partnership=partnership)


def _lines(partnerships: Sequence[Partnership]) -> list[dict[str, Any]]:
    """Each with when it was left, if it was, and what the tabs say of it in a few words."""
    ids = [each.pk for each in partnerships]
    left = dict(
        PartnershipDeparture.objects.filter(partnership_id__in=ids).values_list("partnership_id", "left_at")
    )
    said = [(each, each.summaries(ids)) for each in MIRRORS if each.summaries]
    return [
        {"partnership": row, "left_at": left.get(row.pk),
         "said": [(mirror.title, words[row.pk]) for mirror, words in said if words.get(row.pk)]}
        for row in partnerships
    ]  # fmt: skip


def _said(partnership: Partnership, tabs: Sequence[Mirror]) -> list[tuple[Mirror, str]]:
    said = [
        (each, each.summaries([partnership.pk]).get(partnership.pk, "")) for each in tabs if each.summaries
    ]
    return [(mirror, words) for mirror, words in said if words]


def _owed(partnership: Partnership, tabs: Sequence[Mirror]) -> list[Duty]:
    found = [duty for each in tabs if each.owed for duty in each.owed(partnership)]
    return sorted(found, key=lambda duty: duty.at)


def _record_reading(partnership: Partnership, tab: str) -> None:
    record(Act.PARTNERSHIP_READ, object_type="partnership", object_id=partnership.pk, tab=tab)
    _tell(partnership)


def _tell(partnership: Partnership) -> None:
    tell_sharer(
        partnership.upstream_id, Act.PARTNERSHIP_READ, reader=partnership.downstream_name, object_type="partnership",
        object_id=partnership.pk,
    )  # fmt: skip
