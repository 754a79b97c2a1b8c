"""Addresses of submitted documents and of saved mappings."""

from __future__ import annotations

from django.urls import path

from assessments.submitted import deciding, views

_one = "<uuid:submission_id>/"

urlpatterns = [
    path("", views.submission_list, name="submission-list"),
    path("send/", views.submission_send, name="submission-send"),
    path(_one, views.submission_detail, name="submission"),
    path(_one + "findings/", views.submission_findings, name="submission-findings"),
    path(_one + "download/", views.submission_download, name="submission-download"),
    path(_one + "release/", deciding.submission_release, name="submission-release"),
    path(_one + "delete/", deciding.submission_delete, name="submission-delete"),
    path("mappings/", deciding.mapping_list, name="mapping-list"),
    path("mappings/new/", deciding.mapping_new, name="mapping-new"),
    path("mappings/<uuid:mapping_id>/", deciding.mapping_detail, name="mapping"),
    path("mappings/<uuid:mapping_id>/retire/", deciding.mapping_retire, name="mapping-retire"),
]
