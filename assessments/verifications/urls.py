"""Addresses of verifications; those under `received/` are the covered entity's."""

from __future__ import annotations

from django.urls import path

from assessments.verifications.views import recipient, sender

_packet = "<uuid:packet_id>/"
_received = "received/<uuid:delivery_id>/"

urlpatterns = [
    path("", sender.verification_list, name="verification-list"),
    path("new/", sender.packet_new, name="verification-new"),
    path(_packet, sender.packet_detail, name="verification-packet"),
    path(_packet + "change/", sender.packet_change, name="verification-change"),
    path(_packet + "refresh/", sender.packet_refresh, name="verification-refresh"),
    path(_packet + "sections/<uuid:section_id>/", sender.section_change, name="verification-section"),
    path(_packet + "for/<uuid:partnership_id>/", sender.recipient_change, name="verification-recipient"),
    path(_packet + "deliver/<uuid:partnership_id>/", sender.packet_deliver, name="verification-deliver"),
    path(_packet + "review/", sender.packet_review, name="verification-review"),
    path(_packet + "certify/", sender.packet_certify, name="verification-certify"),
    path(_packet + "document.pdf", sender.packet_pdf, name="verification-pdf"),
    path(_packet + "package.zip", sender.packet_zip, name="verification-zip"),
    path(_received, recipient.received, name="verification-received"),
    path(_received + "answer/", recipient.received_answer, name="verification-answer"),
    path(_received + "document.pdf", recipient.received_pdf, name="verification-received-pdf"),
    path(_received + "package.zip", recipient.received_zip, name="verification-received-zip"),
]
