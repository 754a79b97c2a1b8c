"""What an engagement's auditor reads: the safeguards, evidence and findings in scope, as of the end of the period."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.permissions import Permission
from assessments.engagements import scope


@require_safe
@requires(Permission.ENGAGEMENT_AUDIT, act=Act.ENGAGEMENT_READ)
def home(request: TenantRequest) -> HttpResponse:
    """The auditor's engagements that are open."""
    engagements = list(scope.open_engagements(request.user.pk))
    record(Act.ENGAGEMENT_READ, object_type="page", object_id="engagements")
    return render(
        request, "engagements/auditor_home.html", {"engagements": engagements, "now": timezone.now()}
    )
