"""Addresses of the calendar, under `calendar/`."""

from __future__ import annotations

from django.urls import path

from assessments.duties import views

urlpatterns = [
    path("", views.calendar, name="calendar"),
    path("links/", views.feed_list, name="calendar-feeds"),
    path("links/new/", views.feed_create, name="calendar-feed-new"),
    path("links/<uuid:calendar_feed_id>/revoke/", views.feed_revoke, name="calendar-feed-revoke"),
    path("feed/<str:token>.ics", views.feed, name="calendar-feed"),
]
