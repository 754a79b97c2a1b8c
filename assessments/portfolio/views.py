"""Pages of the portfolio: the list, and one business associate in tabs."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from assessments.partners import services
from assessments.partners.models import BusinessAssociate
from assessments.portfolio.charts import portfolio_charts
from assessments.portfolio.forms import PortfolioFilterForm
from assessments.portfolio.overview import overview_context
from assessments.portfolio.services import read_portfolio
from assessments.portfolio.sources import PARTS
from assessments.portfolio.tabs import TABS, Tab

OVERVIEW = Tab("overview", "Overview", overview_context, "portfolio/_overview.html")


@requires(Permission.PARTNER_READ)
@require_safe
def portfolio(request: TenantRequest) -> HttpResponse:
    """The business associates, what needs doing first. Raises InvalidInput for a filter or page that there isn't."""
    form = PortfolioFilterForm(request.GET)
    if not form.is_valid():
        raise InvalidInput("A filter of the register can't be used. Clear the filters and try again.")
    shown = read_portfolio(form.wanted(), request.GET.get("after", ""), reader=request.tenant.name)
    record(
        Act.BUSINESS_ASSOCIATE_LIST,
        object_type="page",
        object_id="business-associates",
        shown=len(shown.rows),
        first_page=shown.first,
    )
    return TemplateResponse(
        request, "portfolio/list.html",
        {"form": form, "rows": shown.rows, "next": shown.next, "first": shown.first, "count": shown.found,
         "tiles": shown.tiles, "all": shown.all, "parts": PARTS, "filtered": any(form.cleaned_data.values()),
         "ended": form.cleaned_data["state"] == "ended", "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def charts(request: TenantRequest) -> HttpResponse:
    """Numbers over all active business associates."""
    drawn = portfolio_charts(timezone.now())
    record(Act.BUSINESS_ASSOCIATE_LIST, object_type="page", object_id="business-associate-charts")
    return TemplateResponse(request, "portfolio/charts.html", {"charts": drawn})


@requires(Permission.PARTNER_READ)
@require_safe
def associate_page(request: TenantRequest, associate_id: UUID, tab: str = OVERVIEW.slug) -> HttpResponse:
    """One business associate under one of its tabs. Raises NotFound for a tab that there isn't."""
    tabs = [each for each in (OVERVIEW, *TABS) if request.may(each.needs)]
    chosen = next((each for each in tabs if each.slug == tab), None)
    if chosen is None:
        raise NotFound("A business associate's page has no such tab.")
    associate = services.find_business_associate(associate_id=associate_id)
    record(Act.BUSINESS_ASSOCIATE_READ, object_type="business_associate", object_id=associate.pk, tab=tab)
    return TemplateResponse(
        request, "portfolio/associate.html",
        {**chosen.context(associate), "associate": associate, "tier": associate.explained_tier, "tab": chosen,
         "tabs": [(each, address_of(associate, each)) for each in tabs],
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


def address_of(associate: BusinessAssociate, tab: Tab) -> str:
    """The path of a tab."""
    if tab is OVERVIEW:
        return reverse("business-associate-detail", args=[associate.pk])
    return reverse("business-associate-tab", args=[associate.pk, tab.slug])
