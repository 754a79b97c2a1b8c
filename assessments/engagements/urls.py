"""Addresses of engagements: `engagements/` is the tenant's, `auditor/` the auditor's."""

from __future__ import annotations

from django.urls import path

from assessments.engagements.views import auditor, auditor_documents, auditor_work, tenant

_auditor = "auditor/<uuid:engagement_id>/"
_asked = _auditor + "requests/<uuid:request_id>/"
_sample = _auditor + "samples/<uuid:sample_id>/"
_item = _sample + "items/<uuid:item_id>/"
_snapshot = _auditor + "evidence/<uuid:snapshot_id>/"
_document = _auditor + "documents/<uuid:document_id>/"
_safeguard = _auditor + "safeguards/<str:citation>/"
_tenant = "engagements/<uuid:engagement_id>/"

urlpatterns = [
    path("auditor/", auditor.home, name="auditor-home"),
    path("auditor/help/", auditor.help_page, name="auditor-help"),
    path(_auditor, auditor.engagement, name="auditor-engagement"),
    path(_auditor + "safeguards/", auditor.safeguard_list, name="auditor-safeguards"),
    path(_safeguard, auditor.safeguard_detail, name="auditor-safeguard"),
    path(_safeguard + "comment/", auditor_work.safeguard_comment, name="auditor-comment"),
    path(_safeguard + "conclude/", auditor_work.safeguard_conclude, name="auditor-conclude"),
    path(_auditor + "checks/<slug:check_id>/", auditor.check_detail, name="auditor-check"),
    path(_auditor + "tools/<uuid:submitted_check_id>/", auditor.tool_check_detail, name="auditor-tool-check"),
    path(_auditor + "findings/<uuid:finding_id>/", auditor.finding_detail, name="auditor-finding"),
    path(_auditor + "evidence/", auditor.evidence_list, name="auditor-evidence"),
    path(_snapshot, auditor.snapshot_detail, name="auditor-snapshot"),
    path(_snapshot + "download/", auditor.snapshot_download, name="auditor-download"),
    path(_snapshot + "verify/", auditor.snapshot_verify, name="auditor-verify"),
    path(_auditor + "documents/", auditor_documents.document_list, name="auditor-documents"),
    path(_document, auditor_documents.document_detail, name="auditor-document"),
    path(_document + "download/", auditor_documents.document_download, name="auditor-document-download"),
    path(_auditor + "requests/", auditor_work.request_list, name="auditor-requests"),
    path(_auditor + "requests/new/", auditor_work.request_new, name="auditor-request-new"),
    path(_asked, auditor_work.request_detail, name="auditor-request"),
    path(_asked + "say/", auditor_work.request_say, name="auditor-say"),
    path(_auditor + "samples/", auditor_work.sample_list, name="auditor-samples"),
    path(_auditor + "samples/new/", auditor_work.sample_new, name="auditor-sample-new"),
    path(_sample, auditor_work.sample_detail, name="auditor-sample"),
    path(_sample + "draw/", auditor_work.sample_draw, name="auditor-draw"),
    path(_item + "replace/", auditor_work.item_replace, name="auditor-replace"),
    path(_item + "result/", auditor_work.item_judge, name="auditor-judge"),
    path("engagements/", tenant.engagement_list, name="engagement-list"),
    path("engagements/new/", tenant.engagement_new, name="engagement-new"),
    path(_tenant, tenant.engagement, name="engagement"),
    path(_tenant + "edit/", tenant.engagement_edit, name="engagement-edit"),
    path(_tenant + "end/", tenant.engagement_end, name="engagement-end"),
    path(_tenant + "auditors/add/", tenant.auditor_add, name="engagement-auditor-add"),
    path(
        _tenant + "auditors/<uuid:auditor_id>/remove/",
        tenant.auditor_remove,
        name="engagement-auditor-remove",
    ),
    path(_tenant + "requests/<uuid:request_id>/", tenant.request_detail, name="engagement-request"),
    path(_tenant + "requests/<uuid:request_id>/say/", tenant.request_say, name="engagement-say"),
    path(_tenant + "requests/<uuid:request_id>/assign/", tenant.request_assign, name="engagement-assign"),
    path(_tenant + "samples/<uuid:sample_id>/", tenant.sample_detail, name="engagement-sample"),
    path(_tenant + "safeguards/<str:citation>/", tenant.safeguard_detail, name="engagement-safeguard"),
    path(_tenant + "safeguards/<str:citation>/comment/", tenant.safeguard_comment, name="engagement-comment"),
]
