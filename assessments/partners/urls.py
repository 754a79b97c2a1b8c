"""Addresses of the register of business associates, under `business-associates/`."""

from __future__ import annotations

from django.urls import path

from assessments.partners import views

urlpatterns = [
    path("new/", views.create, name="business-associate-create"),
    path("export.csv", views.export_csv, name="business-associate-export-csv"),
    path("export.xlsx", views.export_xlsx, name="business-associate-export-xlsx"),
    path("import/", views.choose_sheet, name="business-associate-import"),
    path("import/<uuid:import_id>/", views.preview, name="business-associate-import-preview"),
    path("import/<uuid:import_id>/confirm/", views.confirm, name="business-associate-import-confirm"),
    path("<uuid:associate_id>/change/", views.change, name="business-associate-change"),
    path("<uuid:associate_id>/end/", views.end, name="business-associate-end"),
]
