"""Addresses of sharing."""

from __future__ import annotations

from django.urls import path

from assessments.sharing import views

urlpatterns = [
    path("shared-with-us/<uuid:grant_id>/", views.shared_posture, name="shared-posture"),
    path("sharing/partnerships/<uuid:partnership_id>/grant/", views.grant_new, name="sharing-grant-new"),
    path("sharing/grants/<uuid:own_grant_id>/", views.grant_detail, name="sharing-grant"),
    path("sharing/grants/<uuid:own_grant_id>/revoke/", views.grant_revoke, name="sharing-grant-revoke"),
]
