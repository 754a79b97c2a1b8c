"""Every address of the portal."""

from __future__ import annotations

from django.urls import include, path

from portal import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("healthz", views.healthz, name="healthz"),
    path("", include("portal.api.urls")),
    path("", include("accounts.urls")),
    path("", include("evidence.urls")),
    path("", include("assessments.urls")),
    path("submissions/", include("assessments.submitted.urls")),
    path("", include("assessments.engagements.urls")),
    path("", include("assessments.packages.urls")),
    path("subcontractors/", include("assessments.chain.urls")),
    path("notices/", include("assessments.notices.urls")),
    path("", include("assessments.partnerships.urls")),
    path("verifications/", include("assessments.verifications.urls")),
    path("business-associates/", include("assessments.partners.urls")),
    path("agreements/", include("assessments.agreements.urls")),
    path("", include("assessments.sharing.urls")),
    path("calendar/", include("assessments.duties.urls")),
    path("exits/", include("assessments.exits.urls")),
    path("questionnaires/", include("assessments.questionnaires.urls")),
    # Last under this prefix: what isn't another page of a business associate is a tab of its page.
    path("business-associates/", include("assessments.portfolio.urls")),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.not_found
handler500 = views.server_error
