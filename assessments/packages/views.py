"""Pages of packages: the tenant's, and what an engagement's auditors see of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from assessments.engagements.views.base import AuditRequest, audits
from assessments.models import Package
from assessments.packages import services
from assessments.packages.forms import PackageForm
from assessments.packages.models import PackageState
from assessments.packages.preview import Preview, preview_scope

MAKING = {PackageState.WAITING, PackageState.BUILDING}


@require_safe
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_LIST)
def package_list(request: TenantRequest) -> HttpResponse:
    """The tenant's packages, newest first."""
    packages = services.list_packages()
    record(Act.PACKAGE_LIST, object_type="page", object_id="packages")
    return render(request, "assessments/packages/list.html", {"packages": packages})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_PREVIEW, step_up=True)
def package_new(request: TenantRequest) -> HttpResponse:
    """What the package shall hold: shown first as it would be, then asked for."""
    form, preview = PackageForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            if "preview" not in request.POST:
                package = services.request_package(wanted=form.wanted(), person=request.user)
                return redirect("package-detail", package_id=package.pk)
            preview = _preview(form)
        except InvalidInput as error:
            form.add_error(_field(error.field), str(error))
    record(Act.PACKAGE_PREVIEW, object_type="page", object_id="packages", shown=preview is not None)
    return render(request, "assessments/packages/new.html", {"form": form, "preview": preview})


def _preview(form: PackageForm) -> Preview:
    package = services.plan_package(form.wanted())
    return preview_scope(package.scope(), package.withheld)


def _field(name: str | None) -> str | None:
    return "more_withheld" if name == "withheld" else name


@require_safe
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_READ)
def package_detail(request: TenantRequest, package_id: UUID) -> HttpResponse:
    """One package: how far it is; once ready what is in it and, for who asked for it, its link."""
    package = services.find_package(package_id)
    record(Act.PACKAGE_READ, object_type="package", object_id=package_id)
    return render(request, "assessments/packages/detail.html", _shown(request, package))


def _shown(request: TenantRequest, package: Package) -> dict[str, object]:
    now = timezone.now()
    mine = package.requested_by_id == request.user.pk
    link = ""
    if mine and package.is_open_to_links(now):
        path = reverse("package-download", args=[services.link_token(package)])
        link = request.build_absolute_uri(path)
    shown_link = bool(link)
    return {
        "package": package,
        "mine": mine,
        "link": link,
        "open": shown_link,
        "making": package.state in MAKING,
        "keys": proofs.keys(),
    }


@require_safe
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_READ)
def package_progress(request: TenantRequest, package_id: UUID) -> HttpResponse:
    """How far a package is, polled by its page; one that is made loads the page anew."""
    package = services.find_package(package_id)
    record(Act.PACKAGE_READ, object_type="package", object_id=package_id)
    if package.state not in MAKING:
        return HttpResponse(headers={"HX-Redirect": reverse("package-detail", args=[package_id])})
    return render(request, "assessments/packages/progress.html", {"package": package})


@require_POST
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_LINK, step_up=True)
def package_link(request: TenantRequest, package_id: UUID) -> HttpResponse:
    """A new link for 24 hours."""
    services.renew_link(package_id=package_id, person=request.user)
    messages.success(request, "The new link works for 24 hours. The one before has ended.")
    return redirect("package-detail", package_id=package_id)


@require_POST
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_REMOVE)
def package_remove(request: TenantRequest, package_id: UUID) -> HttpResponse:
    """Ends the package's link at once; its bytes follow."""
    services.remove_package(package_id=package_id, person=request.user)
    messages.success(
        request, "The package is taken back. Copies that were downloaded remain with their readers."
    )
    return redirect("package-list")


@require_safe
@requires(Permission.PACKAGE_CREATE, act=Act.PACKAGE_DOWNLOAD)
def package_download(request: TenantRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """The ZIP, for who asked for the package."""
    return stream_package(*services.open_download(token=token, person=request.user))


@require_safe
@audits(Act.PACKAGE_LIST)
def engagement_packages(request: AuditRequest) -> HttpResponse:
    """The engagement's packages that are ready, with links where they are open."""
    now = timezone.now()
    rows = [
        (package, services.link_token(package) if package.is_open_to_links(now) else "")
        for package in services.packages_for(request.engagement)
    ]
    record(Act.PACKAGE_LIST, object_type="engagement", object_id=request.engagement.pk)
    return render(
        request, "assessments/packages/shared.html", {"engagement": request.engagement, "rows": rows}
    )


@require_safe
@audits(Act.PACKAGE_DOWNLOAD)
def engagement_package_download(request: AuditRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """The ZIP, for an auditor of the engagement that it was made for."""
    return stream_package(
        *services.open_download(token=token, person=request.user, engagement=request.engagement)
    )


def stream_package(package: Package, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """The ZIP as a file."""
    # The first piece now: what is missing or broken is said by a page, not by a download that breaks off.
    first = next(pieces, b"")
    response = StreamingHttpResponse(chain([first], pieces), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{package.file_name}"'
    response["Content-Length"] = str(package.size)
    response["X-Content-Type-Options"] = "nosniff"
    return response
