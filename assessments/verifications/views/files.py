"""Answers that are a document."""

from __future__ import annotations

from django.http import HttpResponse


def pdf_answer(data: bytes, name: str) -> HttpResponse:
    """A PDF to be kept."""
    return _answer(data, name, "application/pdf")


def zip_answer(data: bytes, name: str) -> HttpResponse:
    """A ZIP to be kept."""
    return _answer(data, name, "application/zip")


def _answer(data: bytes, name: str, media_type: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
