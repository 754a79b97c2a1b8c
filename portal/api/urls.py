"""The interface's addresses, and the pages of its clients."""

from __future__ import annotations

from django.urls import include, path

from portal.api import client_pages, docs, token, trust_pages
from portal.api.resources import (
    audits,
    connections,
    evidence,
    findings,
    partners,
    safeguards,
    submissions,
    webhooks,
)

v1 = [
    path("oauth/token", token.token, name="api-token"),
    path("oauth/nonce", token.nonce, name="api-nonce"),
    path("schema", docs.schema, name="api-schema"),
    path("safeguards", safeguards.SafeguardList.as_view(), name="api-safeguards"),
    path("safeguards/<str:citation>", safeguards.SafeguardDetail.as_view(), name="api-safeguard"),
    path("findings", findings.FindingList.as_view(), name="api-findings"),
    path("findings/<uuid:finding_id>", findings.FindingDetail.as_view(), name="api-finding"),
    path("evidence", evidence.EvidenceList.as_view(), name="api-evidence-list"),
    path("evidence/<uuid:snapshot_id>", evidence.EvidenceDetail.as_view(), name="api-evidence"),
    path(
        "evidence/<uuid:snapshot_id>/content", evidence.EvidenceContent.as_view(), name="api-evidence-content"
    ),
    path("connections", connections.ConnectionList.as_view(), name="api-connections"),
    path("connections/<uuid:connection_id>", connections.ConnectionDetail.as_view(), name="api-connection"),
    path("connections/<uuid:connection_id>/runs", connections.RunStart.as_view(), name="api-run-start"),
    path("runs", connections.RunList.as_view(), name="api-runs"),
    path("runs/<uuid:run_id>", connections.RunDetail.as_view(), name="api-run"),
    path("runs/<uuid:run_id>/document", connections.RunDocument.as_view(), name="api-run-document"),
    path("partners", partners.PartnerList.as_view(), name="api-partners"),
    path("partners/<uuid:associate_id>", partners.PartnerDetail.as_view(), name="api-partner"),
    path("grants", partners.GrantList.as_view(), name="api-grants"),
    path("engagements", audits.EngagementList.as_view(), name="api-engagements"),
    path("engagements/<uuid:engagement_id>", audits.EngagementDetail.as_view(), name="api-engagement"),
    path("packages", audits.PackageList.as_view(), name="api-packages"),
    path("packages/<uuid:package_id>", audits.PackageDetail.as_view(), name="api-package"),
    path("submissions", submissions.SubmissionList.as_view(), name="api-submissions"),
    path("submissions/<uuid:submission_id>", submissions.SubmissionDetail.as_view(), name="api-submission"),
    path(
        "submissions/<uuid:submission_id>/receipt",
        submissions.SubmissionReceipt.as_view(),
        name="api-submission-receipt",
    ),
    path("receipt-keys", docs.receipt_keys, name="api-receipt-keys"),
    path("audit-entries", audits.EntryList.as_view(), name="api-audit-entries"),
    path("webhooks", webhooks.WebhookList.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:endpoint_id>", webhooks.WebhookDetail.as_view(), name="api-webhook"),
    path("webhooks/<uuid:endpoint_id>/secret", webhooks.SecretNew.as_view(), name="api-webhook-secret"),
    path("webhooks/<uuid:endpoint_id>/test", webhooks.WebhookTest.as_view(), name="api-webhook-test"),
    path("webhooks/<uuid:endpoint_id>/remove", webhooks.WebhookRemove.as_view(), name="api-webhook-remove"),
    path("webhook-deliveries", webhooks.DeliveryList.as_view(), name="api-webhook-deliveries"),
    path(
        "webhook-deliveries/<uuid:webhook_delivery_id>",
        webhooks.DeliveryDetail.as_view(),
        name="api-webhook-delivery",
    ),
    path(
        "webhook-deliveries/<uuid:webhook_delivery_id>/replay",
        webhooks.DeliveryReplay.as_view(),
        name="api-webhook-delivery-replay",
    ),
]

urlpatterns = [
    path("api/v1/", include(v1)),
    path("api-clients/", client_pages.client_list, name="api-client-list"),
    path("api-clients/new/", client_pages.client_new, name="api-client-new"),
    path("api-clients/reference/", docs.reference, name="api-reference"),
    path("api-clients/<uuid:api_client_id>/", client_pages.client_detail, name="api-client"),
    path("api-clients/<uuid:api_client_id>/revoke/", client_pages.client_revoke, name="api-client-revoke"),
    path("api-clients/<uuid:api_client_id>/secrets/", client_pages.secret_new, name="api-client-secret-new"),
    path(
        "api-clients/<uuid:api_client_id>/trusts/aws/", trust_pages.trust_aws_new, name="api-client-trust-aws"
    ),
    path(
        "api-clients/<uuid:api_client_id>/trusts/ci/",
        trust_pages.trust_issuer_new,
        name="api-client-trust-ci",
    ),
    path(
        "api-clients/<uuid:api_client_id>/trusts/<uuid:trust_id>/",
        trust_pages.trust_detail,
        name="api-client-trust",
    ),
    path(
        "api-clients/<uuid:api_client_id>/trusts/<uuid:trust_id>/revoke/",
        trust_pages.trust_revoke,
        name="api-client-trust-revoke",
    ),
    path(
        "api-clients/<uuid:api_client_id>/secrets/<uuid:secret_id>/revoke/",
        client_pages.secret_revoke,
        name="api-client-secret-revoke",
    ),
]
