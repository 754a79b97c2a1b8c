"""Addresses of connections and evidence."""

from __future__ import annotations

from django.urls import path

from evidence import views

_connection = "connections/<uuid:connection_id>/"
_snapshot = "evidence/<uuid:snapshot_id>/"

urlpatterns = [
    path("connections/", views.connection_list, name="connection-list"),
    path("connections/new/", views.connection_new, name="connection-new"),
    path(_connection, views.connection_detail, name="connection-detail"),
    path(_connection + "grant/", views.connection_grant, name="connection-grant"),
    path(_connection + "grant/role.json", views.connection_template, name="connection-template"),
    path(_connection + "grant/role.tf", views.connection_terraform, name="connection-terraform"),
    path(_connection + "verify/", views.connection_verify, name="connection-verify"),
    path(_connection + "verify/progress/", views.probe_progress, name="probe-progress"),
    path(_connection + "collect/", views.connection_collect, name="connection-collect"),
    path(_connection + "remove/", views.connection_remove, name="connection-remove"),
    path(_connection + "runs/<uuid:run_id>/progress/", views.run_progress, name="run-progress"),
    path("evidence/", views.evidence_list, name="evidence-list"),
    path(_snapshot, views.snapshot_detail, name="snapshot-detail"),
    path(_snapshot + "download/", views.snapshot_download, name="snapshot-download"),
    path(_snapshot + "verify/", views.snapshot_verify, name="snapshot-verify"),
]
