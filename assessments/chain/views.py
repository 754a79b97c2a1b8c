"""Pages of a business associate: what each of its covered entities is told of its subcontractors."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.chain import services
from assessments.chain.forms import HandlingForm, NamingForm, SearchForm
from assessments.chain.graph import Seen
from assessments.chain.models import ChainConsent
from assessments.chain.planning import Line
from assessments.chain.received import count_told
from assessments.chain.tab import chain_context, mirror_context
from assessments.chain.telling import preview
from assessments.chain.words import Break, LinkAgreement, Service, Telling
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.partnerships.services import working_partnerships

MOST_FOUND = 50


@requires(Permission.PARTNER_READ)
@require_safe
def upstreams(request: TenantRequest) -> HttpResponse:
    parties = list(working_partnerships().order_by("upstream_name", "pk"))
    consents = ChainConsent.objects.values_list("partnership_id", "telling")
    told = Counter((partnership_id, telling != Telling.NOTHING) for partnership_id, telling in consents)
    rows = [(party, told[party.pk, True] + told[party.pk, False], told[party.pk, True]) for party in parties]
    below = count_told(most=MOST_FOUND)
    record(Act.CHAIN_READ, object_type="page", object_id="subcontractors", shown=len(rows) + len(below))
    for partnership, known, _broken in below:
        tell_sharer(
            partnership.viewer_id, Act.CHAIN_READ, reader=request.tenant.name, object_type="partnership",
            object_id=partnership.pk, shown=known,
        )  # fmt: skip
    return TemplateResponse(request, "chain/upstreams.html", {"rows": rows, "below": below})


@requires(Permission.PARTNER_READ)
@require_safe
def upstream(request: TenantRequest, partnership_id: UUID) -> HttpResponse:
    partnership = services.find_upstream(partnership_id=partnership_id)
    form = SearchForm(request.GET)
    text = form.cleaned_data["text"].strip() if form.is_valid() else ""
    consents = list(
        ChainConsent.objects.filter(partnership_id=partnership.pk)
        .select_related("associate")
        .order_by("associate__name", "pk")
    )
    record(Act.CHAIN_READ, object_type="partnership", object_id=partnership.pk)
    return TemplateResponse(
        request, "chain/upstream.html",
        {**mirror_context(partnership), "form": form, "text": text, "consents": [_row(each) for each in consents],
         "others": _others({each.associate_id for each in consents}, text),
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE, act=Act.CHAIN_CONSENT, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: TenantRequest, partnership_id: UUID, associate_id: UUID) -> HttpResponse:
    partnership, consent = _found(partnership_id, associate_id)
    told = consent.telling != Telling.NOTHING
    given = {"service": consent.service or Service.OTHER, "tell": told}
    form = HandlingForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        services.decide_handling(
            consent=consent, service=Service(wanted["service"]), tell=wanted["tell"], by=request.user
        )
        say(request, f"Kept. {_sentence(partnership, consent)}")
        return redirect("chain-upstream", partnership_id)
    consent.service = consent.service or Service.OTHER
    telling = Telling(consent.telling) if told else Telling.MASKED
    return form_page(
        request, "chain/decide.html", form, **_previewed(partnership, consent, telling)
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE, act=Act.CHAIN_NAME, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def name(request: TenantRequest, partnership_id: UUID, associate_id: UUID) -> HttpResponse:
    partnership, consent = _found(partnership_id, associate_id)
    form = NamingForm(
        request.POST if request.method == "POST" else None,
        initial={"below": consent.telling == Telling.NAMED_BELOW},
    )
    if request.method == "POST" and form.is_valid():
        services.consent_to_name(consent=consent, below=form.cleaned_data["below"], by=request.user)
        say(request, f"Kept. {_sentence(partnership, consent)}")
        return redirect("chain-upstream", partnership_id)
    if consent.telling == Telling.NOTHING:
        raise Conflict("Agree first that the subcontractor is told of, then that it is named.")
    return form_page(
        request, "chain/name.html", form, **_previewed(partnership, consent, Telling.NAMED_BELOW)
    )


@requires(Permission.PARTNER_CHANGE, act=Act.CHAIN_REVOKE)
@require_POST
def mask(request: TenantRequest, partnership_id: UUID, associate_id: UUID) -> HttpResponse:
    partnership, consent = _found(partnership_id, associate_id)
    services.take_back_name(consent=consent, by=request.user)
    say(request, _sentence(partnership, consent))
    return redirect("chain-upstream", partnership_id)


@requires(Permission.PARTNER_CHANGE, act=Act.CHAIN_REVOKE)
@require_POST
def stop(request: TenantRequest, partnership_id: UUID, associate_id: UUID) -> HttpResponse:
    partnership, consent = _found(partnership_id, associate_id)
    services.take_back(consent=consent, by=request.user)
    say(request, _sentence(partnership, consent))
    return redirect("chain-upstream", partnership_id)


def _found(partnership_id: UUID, associate_id: UUID) -> tuple[Partnership, ChainConsent]:
    partnership = services.find_upstream(partnership_id=partnership_id)
    return partnership, services.find_consent(partnership=partnership, associate_id=associate_id)


def _sentence(partnership: Partnership, consent: ChainConsent) -> str:
    upstream, name = partnership.upstream_name, consent.associate.name
    return {
        Telling.NOTHING: f"{upstream} is told nothing of {name}.",
        Telling.MASKED: f"{upstream} is told of {name} without its name.",
        Telling.NAMED: f"{upstream} is told the name of {name}.",
        Telling.NAMED_BELOW: f"{upstream} is told the name of {name}, and names that it gives you.",
    }[Telling(consent.telling)]


def _row(consent: ChainConsent) -> dict[str, Any]:
    telling = Telling(consent.telling)
    return {
        "associate": consent.associate,
        "service": Service(consent.service).label,
        "told": telling is not Telling.NOTHING,
        "named": telling.names_it,
        "below": telling is Telling.NAMED_BELOW,
        "decided_at": consent.decided_at,
    }


def _others(decided: set[UUID], text: str) -> list[BusinessAssociate]:
    found = BusinessAssociate.objects.filter(ended_at=None).exclude(pk__in=decided)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(reference__iexact=text))
    return list(found.order_by("name", "pk")[:MOST_FOUND])


def _previewed(partnership: Partnership, consent: ChainConsent, telling: Telling) -> dict[str, Any]:
    """All that the party would see with this much consent."""
    before = consent.telling
    lines = preview(consent, telling).values()
    consent.telling = before
    return {
        "partnership": partnership, "associate": consent.associate,
        **chain_context(partnership.downstream_name, [_seen(line) for line in lines], role="you"),
    }  # fmt: skip


def _seen(line: Line) -> Seen:
    return Seen(
        path=line.path, service=Service(line.service), agreement=LinkAgreement(line.agreement),
        verified_at=line.verified_at, broken=tuple(map(Break, line.broken)), name=line.name,
    )  # fmt: skip
