"""Pages of both sides: what is shared with us; what we share, previewed, granted, seen as they see it, revoked."""

from __future__ import annotations

from uuid import UUID

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.partnerships.models import Partnership
from assessments.sharing import reading, services
from assessments.sharing.forms import GrantForm
from assessments.sharing.mirror import looks_of, state_of
from assessments.sharing.models import SharedPosture, SharedPosturePoint
from assessments.sharing.services import Terms

PREVIEW_HOLDS = 3600
_previewed = signing.TimestampSigner(salt="previewed grant")


@require_safe
@requires(Permission.PARTNER_READ, act=Act.SHARED_POSTURE_READ)
def shared_posture(request: TenantRequest, grant_id: UUID) -> HttpResponse:
    """What a business associate shows to us."""
    posture = reading.open_shared(grant_id)
    points = reading.points_shown(posture)
    return TemplateResponse(
        request, "sharing/shared_posture.html", {"shown": _page(request, posture, points)}
    )


def _page(request: TenantRequest, posture: SharedPosture, points: list[SharedPosturePoint]) -> reading.Shown:
    part, after = request.GET.get("part", ""), request.GET.get("after", "")
    return reading.show(posture, part=part, after=after, points=points)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.SHARING_READ)
def grant_detail(request: TenantRequest, own_grant_id: UUID) -> HttpResponse:
    """One of our grants: its terms, what the other side sees by it, and who looked."""
    grant = services.find_grant(own_grant_id)
    record(Act.SHARING_READ, object_type="sharing_grant", object_id=grant.pk)
    posture = SharedPosture.objects.get(grant_id=grant.pk)
    shown = _page(request, posture, reading.own_points(grant.pk))
    return TemplateResponse(
        request, "sharing/grant.html",
        {"grant": grant, "state": state_of(grant), "shown": shown,
         "looks": looks_of(grant.viewer_id, [grant.pk]),
         "may_change": request.may(Permission.SHARING_CHANGE)},
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SHARING_CHANGE, act=Act.SHARING_PREVIEW, step_up=True)
def grant_new(request: TenantRequest, partnership_id: UUID) -> HttpResponse:
    """What shall be granted: first shown as the other side would see it, then granted as it was shown."""
    partnership = services.find_upstream(partnership_id)
    if request.method == "POST" and "previewed" in request.POST:
        return _grant(request, partnership)
    posted = request.method == "POST"
    standing = next(iter(services.list_grants(partnership.pk)), None)
    form = GrantForm(request.POST) if posted else GrantForm(initial=GrantForm.first_values(standing))
    if posted and form.is_valid():
        try:
            return _preview(request, partnership, form)
        except InvalidInput as error:
            form.show(error)
    record(Act.SHARING_READ, object_type="partnership", object_id=partnership.pk)
    return form_page(request, "sharing/grant_new.html", form, partnership=partnership, standing=standing)


def _preview(request: TenantRequest, partnership: Partnership, form: GrantForm) -> HttpResponse:
    terms = form.terms()
    posture = services.preview_grant(partnership=partnership, terms=terms)
    record(Act.SHARING_PREVIEW, object_type="partnership", object_id=partnership.pk, **terms.as_json())
    whole = [reading.show(posture, part=part.slug, whole=True) for part in reading.show(posture).parts]
    agreed = _previewed.sign_object([str(partnership.pk), str(request.user.pk), terms.as_json()])
    return form_page(
        request,
        "sharing/grant_new.html",
        form,
        partnership=partnership,
        previews=whole,
        previewed=agreed,
        terms=terms,
    )


def _grant(request: TenantRequest, partnership: Partnership) -> HttpResponse:
    try:
        of, person, said = _previewed.unsign_object(request.POST["previewed"], max_age=PREVIEW_HOLDS)
    except signing.BadSignature as error:
        raise InvalidInput("The preview is too old or not whole. Preview it again.") from error
    if (of, person) != (str(partnership.pk), str(request.user.pk)):
        raise InvalidInput("The preview was of something else. Preview it again.")
    grant = services.make_grant(partnership=partnership, terms=Terms.from_json(said), by=request.user)
    say(request, f"{grant.upstream_name} sees this from now on, until you revoke it or it ends.")
    return redirect("sharing-grant", grant.pk)


@require_POST
@requires(Permission.SHARING_CHANGE, act=Act.SHARING_REVOKE, step_up=True)
def grant_revoke(request: TenantRequest, own_grant_id: UUID) -> HttpResponse:
    """Ends a grant from the other side's next request on."""
    grant = services.revoke_grant(grant_id=own_grant_id)
    say(request, f"Revoked. {grant.upstream_name} sees nothing of it from its next request on.")
    return redirect("sharing-grant", grant.pk)
