"""Addresses of what is told of subcontractors, under `subcontractors/`."""

from __future__ import annotations

from django.urls import path

from assessments.chain import views

_ONE = "<uuid:partnership_id>/<uuid:associate_id>/"

urlpatterns = [
    path("", views.upstreams, name="chain-upstreams"),
    path("<uuid:partnership_id>/", views.upstream, name="chain-upstream"),
    path(_ONE, views.decide, name="chain-decide"),
    path(f"{_ONE}name/", views.name, name="chain-name"),
    path(f"{_ONE}mask/", views.mask, name="chain-mask"),
    path(f"{_ONE}stop/", views.stop, name="chain-stop"),
]
