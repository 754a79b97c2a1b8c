"""How an auditor's view comes by its engagement: one that is open now, and in which the person is named."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.permissions import Permission
from assessments.engagements import scope
from assessments.models import Engagement


class AuditRequest(TenantRequest):
    """A request of an auditor, in an engagement."""

    engagement: Engagement


def audits(act: Act) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a view of an engagement's auditor; `request.engagement` is there. Any other answer is 404.

    `act` is what the audit log calls the request; the view records it with what it shows, or its service does.
    """

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @requires(Permission.ENGAGEMENT_AUDIT, act=act)
        @wraps(view)
        def inner(request: AuditRequest, engagement_id: UUID, **kwargs: Any) -> HttpResponseBase:
            request.engagement = scope.find_open_engagement(engagement_id, request.user.pk)
            answer: HttpResponseBase = view(request, **kwargs)
            return answer

        return inner

    return wrap
