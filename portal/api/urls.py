"""The interface's addresses, and the pages of its clients."""

from __future__ import annotations

from django.urls import include, path

from portal.api import client_pages, docs, token, trust_pages
from portal.api.resources import (
    agreements,
    audits,
    connections,
    evidence,
    exits,
    findings,
    notices,
    partners,
    questionnaires,
    relations,
    safeguards,
    submissions,
    verifications,
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
    path("partners/<uuid:associate_id>/end", partners.PartnerEnd.as_view(), name="api-partner-end"),
    path(
        "connections/<uuid:connection_id>/verify",
        connections.ConnectionVerify.as_view(),
        name="api-connection-verify",
    ),
    path(
        "connections/<uuid:connection_id>/remove",
        connections.ConnectionRemove.as_view(),
        name="api-connection-remove",
    ),
    path("packages/<uuid:package_id>/content", audits.PackageContent.as_view(), name="api-package-content"),
    path("grants/<uuid:own_grant_id>", partners.GrantDetail.as_view(), name="api-grant"),
    path("grants/<uuid:own_grant_id>/revoke", partners.GrantRevoke.as_view(), name="api-grant-revoke"),
    path("partnerships", relations.PartnershipList.as_view(), name="api-partnerships"),
    path("shared-postures", relations.PostureList.as_view(), name="api-shared-postures"),
    path("shared-postures/<uuid:grant_id>", relations.PostureDetail.as_view(), name="api-shared-posture"),
    path("chain", relations.NodeList.as_view(), name="api-chain"),
    path("duties", relations.DutyList.as_view(), name="api-duties"),
    path("agreements", agreements.AgreementList.as_view(), name="api-agreements"),
    path("agreements/<uuid:agreement_id>", agreements.AgreementDetail.as_view(), name="api-agreement"),
    path("agreement-terms", agreements.ShownTermsList.as_view(), name="api-agreement-terms"),
    path("verifications", verifications.PacketList.as_view(), name="api-verifications"),
    path("verifications/<uuid:packet_id>", verifications.PacketDetail.as_view(), name="api-verification"),
    path("verification-deliveries", verifications.DeliveryList.as_view(), name="api-verification-deliveries"),
    path(
        "verification-deliveries/<uuid:delivery_id>",
        verifications.DeliveryDetail.as_view(),
        name="api-verification-delivery",
    ),
    path("notices", notices.NoticeList.as_view(), name="api-notices"),
    path("notices/<uuid:notice_id>", notices.NoticeDetail.as_view(), name="api-notice"),
    path(
        "notices/<uuid:notice_id>/acknowledge",
        notices.NoticeAcknowledge.as_view(),
        name="api-notice-acknowledge",
    ),
    path("questionnaires", questionnaires.QuestionnaireList.as_view(), name="api-questionnaires"),
    path(
        "questionnaires/<uuid:questionnaire_id>",
        questionnaires.QuestionnaireDetail.as_view(),
        name="api-questionnaire",
    ),
    path("exits", exits.ExitList.as_view(), name="api-exits"),
    path("exits/<uuid:exit_id>", exits.ExitDetail.as_view(), name="api-exit"),
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
