"""The interface's addresses, and the pages of its clients."""

from __future__ import annotations

from django.urls import path

from portal.api import client_pages, runs, token

urlpatterns = [
    path("api/v1/oauth/token", token.token, name="api-token"),
    path("api/v1/runs/<uuid:run_id>/", runs.run_document, name="api-run"),
    path("api-clients/", client_pages.client_list, name="api-client-list"),
    path("api-clients/new/", client_pages.client_new, name="api-client-new"),
    path("api-clients/<uuid:api_client_id>/", client_pages.client_detail, name="api-client"),
    path("api-clients/<uuid:api_client_id>/revoke/", client_pages.client_revoke, name="api-client-revoke"),
    path("api-clients/<uuid:api_client_id>/secrets/", client_pages.secret_new, name="api-client-secret-new"),
    path(
        "api-clients/<uuid:api_client_id>/secrets/<uuid:secret_id>/revoke/",
        client_pages.secret_revoke,
        name="api-client-secret-revoke",
    ),
]
