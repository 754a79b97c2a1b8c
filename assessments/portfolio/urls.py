"""Addresses of the portfolio, under `business-associates/`, after those of the register."""

from __future__ import annotations

from django.urls import path

from assessments.portfolio import views

urlpatterns = [
    path("", views.portfolio, name="business-associate-list"),
    path("charts/", views.charts, name="business-associate-charts"),
    path("<uuid:associate_id>/", views.associate_page, name="business-associate-detail"),
    path("<uuid:associate_id>/<slug:tab>/", views.associate_page, name="business-associate-tab"),
]
