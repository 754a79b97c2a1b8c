"""Addresses of questionnaires, under `questionnaires/`; a guest's link is shorter."""

from __future__ import annotations

from django.urls import path

from assessments.questionnaires.views import guest, received, sent, templates

_sent = "<uuid:questionnaire_id>/"
_received = "received/<uuid:received_questionnaire_id>/"
_template = "templates/<uuid:template_id>/"

urlpatterns = [
    path("", sent.sent_list, name="questionnaire-list"),
    path("send/", sent.send, name="questionnaire-send"),
    path("templates/", templates.template_list, name="questionnaire-templates"),
    path("templates/copy/", templates.copy, name="questionnaire-template-copy"),
    path("templates/shipped/<slug:key>/", templates.shipped_template, name="questionnaire-shipped"),
    path(_template, templates.template, name="questionnaire-template"),
    path(_template + "rename/", templates.rename, name="questionnaire-template-rename"),
    path(_template + "questions/new/", templates.question, name="questionnaire-question-new"),
    path(_template + "questions/<slug:key>/", templates.question, name="questionnaire-question"),
    path(
        _template + "questions/<slug:key>/remove/",
        templates.remove_question,
        name="questionnaire-question-remove",
    ),
    path("received/", received.received_list, name="questionnaire-received-list"),
    path(_received, received.received, name="questionnaire-received"),
    path(_received + "sections/<slug:section_key>/", received.section, name="questionnaire-section"),
    path(_received + "evidence/", received.evidence, name="questionnaire-evidence"),
    path(_received + "hand-in/", received.hand_in, name="questionnaire-hand-in"),
    path(_received + "workbook.xlsx", received.workbook_download, name="questionnaire-received-download"),
    path(_received + "workbook/", received.workbook_choose, name="questionnaire-received-workbook"),
    path(
        _received + "workbook/<uuid:workbook_id>/",
        received.workbook_preview,
        name="questionnaire-received-workbook-preview",
    ),
    path(
        _received + "workbook/<uuid:workbook_id>/confirm/",
        received.workbook_confirm,
        name="questionnaire-received-workbook-confirm",
    ),
    path("guest/<str:token>/", guest.home, name="questionnaire-guest"),
    path("guest/<str:token>/hand-in/", guest.hand_in, name="questionnaire-guest-hand-in"),
    path("guest/<str:token>/sections/<slug:section_key>/", guest.section, name="questionnaire-guest-section"),
    path(_sent, sent.review, name="questionnaire-review"),
    path(_sent + "sections/<slug:section_key>/", sent.review_section, name="questionnaire-review-section"),
    path(
        _sent + "sections/<slug:section_key>/review/",
        sent.review_answers,
        name="questionnaire-review-answers",
    ),
    path(_sent + "send-back/", sent.send_back, name="questionnaire-send-back"),
    path(_sent + "accept/", sent.accept, name="questionnaire-accept"),
    path(_sent + "withdraw/", sent.withdraw, name="questionnaire-withdraw"),
    path(_sent + "link/", sent.send_link, name="questionnaire-link"),
    path(_sent + "link/end/", sent.end_links, name="questionnaire-link-end"),
    path(_sent + "hand-in/", sent.hand_in, name="questionnaire-kept-hand-in"),
    path(_sent + "workbook.xlsx", sent.workbook_download, name="questionnaire-download"),
    path(_sent + "workbook/", sent.workbook_choose, name="questionnaire-workbook"),
    path(
        _sent + "workbook/<uuid:workbook_id>/", sent.workbook_preview, name="questionnaire-workbook-preview"
    ),
    path(
        _sent + "workbook/<uuid:workbook_id>/confirm/",
        sent.workbook_confirm,
        name="questionnaire-workbook-confirm",
    ),
]
