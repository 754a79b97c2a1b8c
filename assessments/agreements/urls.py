"""Addresses of business associate agreements, under `agreements/`."""

from __future__ import annotations

from django.urls import path

from assessments.agreements import views

urlpatterns = [
    path("", views.agreement_list, name="agreement-list"),
    path("new/<uuid:associate_id>/", views.create, name="agreement-create"),
    path("<uuid:agreement_id>/", views.detail, name="agreement-detail"),
    path("<uuid:agreement_id>/versions/new/", views.new_version, name="agreement-version-new"),
    path("<uuid:agreement_id>/stage/", views.stage, name="agreement-stage"),
    path("<uuid:agreement_id>/terminate/", views.terminate, name="agreement-terminate"),
    path("<uuid:agreement_id>/clauses/", views.clauses, name="agreement-clauses"),
    path("<uuid:agreement_id>/gap-letter.pdf", views.letter, name="agreement-letter"),
    path(
        "<uuid:agreement_id>/versions/<uuid:agreement_version_id>/document/",
        views.document,
        name="agreement-document",
    ),
]
