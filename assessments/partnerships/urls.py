"""Addresses of partnerships, on both sides."""

from __future__ import annotations

from django.urls import path

from assessments.partnerships.views import downstream, joining, upstream

_ENTRY = "business-associates/<uuid:associate_id>/"

urlpatterns = [
    path(f"{_ENTRY}invite/", upstream.invite, name="partnership-invite"),
    path(
        f"{_ENTRY}invitations/<uuid:offer_id>/revoke/", upstream.revoke, name="partnership-invitation-revoke"
    ),
    path(f"{_ENTRY}partnership/end/", upstream.end, name="partnership-end"),
    path("covered-entities/", downstream.covered_entities, name="covered-entity-list"),
    path("covered-entities/<uuid:partnership_id>/", downstream.covered_entity, name="covered-entity"),
    path("covered-entities/<uuid:partnership_id>/leave/", downstream.leave, name="partnership-leave"),
    path("partnerships/invitations/<str:token>/", joining.invitation, name="partnership-invitation"),
]
