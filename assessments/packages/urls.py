"""Addresses of packages: `packages/` is the tenant's, those under an engagement the auditor's."""

from __future__ import annotations

from django.urls import path

from assessments.packages import views

_package = "packages/<uuid:package_id>/"
_engagement = "auditor/<uuid:engagement_id>/packages/"

urlpatterns = [
    path("packages/", views.package_list, name="package-list"),
    path("packages/new/", views.package_new, name="package-new"),
    path("packages/download/<str:token>/", views.package_download, name="package-download"),
    path(_package, views.package_detail, name="package-detail"),
    path(_package + "progress/", views.package_progress, name="package-progress"),
    path(_package + "link/", views.package_link, name="package-link"),
    path(_package + "remove/", views.package_remove, name="package-remove"),
    path(_engagement, views.engagement_packages, name="engagement-packages"),
    path(_engagement + "<str:token>/", views.engagement_package_download, name="engagement-package-download"),
]
