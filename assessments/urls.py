"""Addresses of safeguards and findings."""

from __future__ import annotations

from django.urls import path

from assessments import views

urlpatterns = [
    path("safeguards/", views.safeguard_list, name="safeguard-list"),
    path("safeguards/<str:citation>/", views.safeguard_detail, name="safeguard-detail"),
    path("findings/", views.finding_list, name="finding-list"),
    path("findings/checks/<slug:check_id>/", views.check_detail, name="check-detail"),
    path(
        "findings/submitted/<uuid:submitted_check_id>/",
        views.submitted_check_detail,
        name="submitted-check-detail",
    ),
    path("findings/<uuid:finding_id>/", views.finding_detail, name="finding-detail"),
]
