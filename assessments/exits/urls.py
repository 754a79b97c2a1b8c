"""Addresses of exits; those under `received/` are the business associate's."""

from __future__ import annotations

from django.urls import path

from assessments.exits.views import downstream, shared, upstream

_exit = "<uuid:exit_id>/"
_received = "received/<uuid:received_exit_id>/"
_certificate = "certificates/<uuid:certificate_id>/"

urlpatterns = [
    path("", shared.exit_list, name="exit-list"),
    path("new/<uuid:associate_id>/", upstream.begin, name="exit-begin"),
    path(_exit, upstream.detail, name="exit-detail"),
    path(_exit + "items/<slug:item>/review/", upstream.review, name="exit-review"),
    path(_exit + "items/<slug:item>/record/", upstream.record_item, name="exit-record"),
    path(_exit + "paper/", upstream.paper, name="exit-paper"),
    path(_exit + "paper/<uuid:paper_id>/document/", upstream.paper_document, name="exit-paper-document"),
    path(_exit + "close/", upstream.close, name="exit-close"),
    path(_received, downstream.received, name="exit-received"),
    path(_received + "items/<slug:item>/", downstream.answer, name="exit-answer"),
    path(_received + "resources/", downstream.resources, name="exit-resources"),
    path(
        _received + "resources/<uuid:resource_id>/remove/",
        downstream.resource_remove,
        name="exit-resource-remove",
    ),
    path(_received + "told/", downstream.disclose, name="exit-disclose"),
    path(_received + "look/", downstream.look, name="exit-look"),
    path(_received + "certify/", downstream.certify, name="exit-certify"),
    path(_certificate + "document.pdf", shared.certificate_pdf, name="exit-certificate-pdf"),
    path(_certificate + "package.zip", shared.certificate_zip, name="exit-certificate-zip"),
]
