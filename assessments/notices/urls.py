"""Addresses of notices, under `notices/`."""

from __future__ import annotations

from django.urls import path

from assessments.notices import views, views_received

urlpatterns = [
    path("", views.notice_list, name="notice-list"),
    path("new/<slug:notice_kind>/", views.new, name="notice-new"),
    path("recipients/", views.recipients, name="notice-recipients"),
    path("recipients/<uuid:recipient_id>/remove/", views.recipient_remove, name="notice-recipient-remove"),
    path("breaches/new/", views_received.own_breach, name="breach-new"),
    path("link/<str:token>/", views_received.link, name="notice-link"),
    path("received/<uuid:notice_id>/", views_received.received, name="notice-received"),
    path("received/<uuid:notice_id>/acknowledge/", views_received.acknowledge, name="notice-acknowledge"),
    path("timelines/<uuid:timeline_id>/timeline.pdf", views.timeline_pdf, name="notice-timeline-pdf"),
    path(
        "timelines/<uuid:timeline_id>/signature.txt",
        views.timeline_signature,
        name="notice-timeline-signature",
    ),
    path("<uuid:occurrence_id>/", views.detail, name="notice-detail"),
    path("<uuid:occurrence_id>/clock/", views.clock, name="notice-clock"),
    path("<uuid:occurrence_id>/update/", views.update, name="notice-update"),
    path("<uuid:occurrence_id>/assess/", views_received.assess, name="breach-assess"),
    path("<uuid:occurrence_id>/steps/<slug:duty>/", views.step, name="breach-step"),
    path("<uuid:occurrence_id>/timeline/", views.timeline_make, name="notice-timeline"),
]
