"""Addresses of engagements: `engagements/` is the tenant's, `auditor/` the auditor's."""

from __future__ import annotations

from django.urls import path

from assessments.engagements.views import auditor

urlpatterns = [
    path("auditor/", auditor.home, name="auditor-home"),
]
