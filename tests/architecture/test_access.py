"""Who gets in where: every address of the portal, with every method, for every kind of actor.

The table says what each address needs, in words of its own: a new address, or a view whose declaration was changed,
fails here until somebody has thought about who may reach it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access import Gate
from accounts.models import Membership, Tenant
from accounts.permissions import MEMBER_ROLES, Permission, Role, allows
from accounts.services.people import disable_person
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import PASSWORD, make_ready_person, post_password, sign_in
from tests.architecture.everything import methods_for
from tests.engagements.factories import make_engagement
from tests.factories import make_member, make_tenant

READ, WRITE, BOTH = frozenset({"GET"}), frozenset({"POST"}), frozenset({"GET", "POST"})
CHANGE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
POSTURE, EVIDENCE, EXPORT = Permission.POSTURE_READ, Permission.EVIDENCE_READ, Permission.EVIDENCE_EXPORT
CONNECTIONS, CONNECT, COLLECT = (
    Permission.CONNECTION_READ,
    Permission.CONNECTION_CHANGE,
    Permission.COLLECTION_START,
)
ENGAGEMENTS, ENGAGE, ANSWER, AUDIT = (
    Permission.ENGAGEMENT_READ,
    Permission.ENGAGEMENT_CHANGE,
    Permission.ENGAGEMENT_ANSWER,
    Permission.ENGAGEMENT_AUDIT,
)

RECEIVED = "questionnaires/received/<uuid:received_questionnaire_id>/"
SENT = "questionnaires/<uuid:questionnaire_id>/"

TABLE: dict[str, tuple[Permission | Gate, frozenset[str]]] = {
    "": (POSTURE, READ),
    "healthz": (Gate.PUBLIC, READ),
    "sign-in/": (Gate.PUBLIC, BOTH),
    "sign-in/code/": (Gate.PASSWORD, BOTH),
    "sign-in/set-up/": (Gate.PASSWORD, BOTH),
    "sign-in/forgotten/": (Gate.PUBLIC, BOTH),
    "sign-in/forgotten/<str:token>/": (Gate.PUBLIC, BOTH),
    "profile/email/": (Gate.VERIFIED, BOTH),
    "profile/email/confirm/<str:token>/": (Gate.VERIFIED, BOTH),
    "email/undo/<str:token>/": (Gate.PUBLIC, BOTH),
    "sign-in/passkey/": (Gate.PUBLIC, WRITE),
    "sign-in/passkey/options/": (Gate.PUBLIC, WRITE),
    "sign-in/passkey/needed/": (Gate.VERIFIED, BOTH),
    "passkeys/confirm/options/": (Gate.PASSWORD, WRITE),
    "passkeys/new/options/": (Gate.PASSWORD, WRITE),
    "sign-out/": (Gate.PUBLIC, WRITE),
    "step-up/": (Gate.VERIFIED, BOTH),
    "step-up/continue/": (Gate.VERIFIED, READ),
    "session/status/": (Gate.PUBLIC, READ),
    "session/extend/": (Gate.VERIFIED, WRITE),
    "invitations/<str:token>/": (Gate.PUBLIC, BOTH),
    "tenants/": (Gate.VERIFIED, READ),
    "tenants/switch/": (Gate.VERIFIED, WRITE),
    "profile/": (Gate.VERIFIED, READ),
    "profile/name/": (Gate.VERIFIED, WRITE),
    "profile/theme/": (Gate.VERIFIED, WRITE),
    "profile/password/": (Gate.VERIFIED, BOTH),
    "profile/second-factor/": (Gate.VERIFIED, BOTH),
    "profile/second-factor/remove/": (Gate.VERIFIED, WRITE),
    "profile/passkeys/new/": (Gate.VERIFIED, BOTH),
    "profile/passkeys/<slug:passkey>/remove/": (Gate.VERIFIED, WRITE),
    "profile/recovery-codes/": (Gate.VERIFIED, BOTH),
    "profile/sessions/end-others/": (Gate.VERIFIED, WRITE),
    "profile/sessions/<slug:handle>/end/": (Gate.VERIFIED, WRITE),
    "members/": (Permission.MEMBER_READ, READ),
    "members/invite/": (Permission.MEMBER_CHANGE, WRITE),
    "members/<uuid:membership_id>/role/": (Permission.MEMBER_CHANGE, WRITE),
    "members/<uuid:membership_id>/remove/": (Permission.MEMBER_CHANGE, WRITE),
    "members/invitations/<uuid:invitation_id>/revoke/": (Permission.MEMBER_CHANGE, WRITE),
    "settings/sign-in/": (Permission.TENANT_CHANGE, BOTH),
    "sign-in/organisation/": (Gate.PUBLIC, BOTH),
    "sso/step-up/": (Gate.VERIFIED, READ),
    "sso/step-up/code/": (Gate.VERIFIED, BOTH),
    "sso/<uuid:entrance>/start/": (Gate.PUBLIC, READ),
    "sso/<uuid:entrance>/callback/": (Gate.PUBLIC, READ),
    "sso/<uuid:entrance>/acs/": (Gate.PUBLIC, WRITE),
    "sso/<uuid:entrance>/finish/": (Gate.PUBLIC, READ),
    "sso/<uuid:entrance>/metadata/": (Gate.PUBLIC, READ),
    "single-sign-on/": (Permission.TENANT_CHANGE, READ),
    "single-sign-on/require/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/domains/add/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/domains/<uuid:domain_id>/check/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/domains/<uuid:domain_id>/remove/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/break-glass/add/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/break-glass/<uuid:break_glass_id>/remove/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/add/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/": (Permission.TENANT_CHANGE, READ),
    "single-sign-on/providers/<uuid:provider_id>/set-up/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/rules/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/test/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/enable/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/remove/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/providers/<uuid:provider_id>/groups/add/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/groups/<uuid:group_id>/remove/": (Permission.TENANT_CHANGE, WRITE),
    "single-sign-on/links/<uuid:identity_id>/remove/": (Permission.TENANT_CHANGE, WRITE),
    "provisioning/": (Permission.TENANT_CHANGE, READ),
    "provisioning/tokens/": (Permission.TENANT_CHANGE, WRITE),
    "provisioning/tokens/<uuid:token_id>/revoke/": (Permission.TENANT_CHANGE, WRITE),
    "provisioning/role/": (Permission.TENANT_CHANGE, WRITE),
    "provisioning/groups/<uuid:scim_group_id>/role/": (Permission.TENANT_CHANGE, WRITE),
    "operator-access/": (Permission.TENANT_CHANGE, READ),
    "operator-access/emergency/": (Permission.TENANT_CHANGE, WRITE),
    "operator-access/<uuid:window_id>/grant/": (Permission.TENANT_CHANGE, WRITE),
    "operator-access/<uuid:window_id>/close/": (Permission.TENANT_CHANGE, WRITE),
    "operator/": (Gate.OPERATOR, READ),
    "operator/ask/": (Gate.OPERATOR, WRITE),
    "operator/leave/": (Gate.OPERATOR, WRITE),
    "operator/join/<uuid:operator_id>/<str:token>/": (Gate.PUBLIC, BOTH),
    "operator/windows/<uuid:window_id>/approve/": (Gate.OPERATOR, WRITE),
    "operator/windows/<uuid:window_id>/enter/": (Gate.OPERATOR, WRITE),
    "audit/": (Permission.AUDIT_READ, READ),
    "business-associates/": (Permission.PARTNER_READ, READ),
    "business-associates/charts/": (Permission.PARTNER_READ, READ),
    "business-associates/new/": (Permission.PARTNER_CHANGE, BOTH),
    "business-associates/export.csv": (Permission.PARTNER_READ, READ),
    "business-associates/export.xlsx": (Permission.PARTNER_READ, READ),
    "business-associates/import/": (Permission.PARTNER_CHANGE, BOTH),
    "business-associates/import/<uuid:import_id>/": (Permission.PARTNER_CHANGE, READ),
    "business-associates/import/<uuid:import_id>/confirm/": (Permission.PARTNER_CHANGE, WRITE),
    "verifications/": (Permission.PARTNER_READ, READ),
    "verifications/new/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/": (Permission.PARTNER_READ, READ),
    "verifications/<uuid:packet_id>/change/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/refresh/": (Permission.PARTNER_CHANGE, WRITE),
    "verifications/<uuid:packet_id>/sections/<uuid:section_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/for/<uuid:partnership_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/deliver/<uuid:partnership_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/review/": (Permission.PARTNER_CHANGE, BOTH),
    "verifications/<uuid:packet_id>/certify/": (Permission.VERIFICATION_CERTIFY, BOTH),
    "verifications/<uuid:packet_id>/document.pdf": (Permission.PARTNER_READ, READ),
    "verifications/<uuid:packet_id>/package.zip": (Permission.PARTNER_READ, READ),
    "verifications/received/<uuid:delivery_id>/": (Permission.PARTNER_READ, READ),
    "verifications/received/<uuid:delivery_id>/answer/": (Permission.PARTNER_CHANGE, WRITE),
    "verifications/received/<uuid:delivery_id>/document.pdf": (Permission.PARTNER_READ, READ),
    "verifications/received/<uuid:delivery_id>/package.zip": (Permission.PARTNER_READ, READ),
    "exits/": (Permission.PARTNER_READ, READ),
    "exits/new/<uuid:associate_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/<uuid:exit_id>/": (Permission.PARTNER_READ, READ),
    "exits/<uuid:exit_id>/items/<slug:item>/review/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/<uuid:exit_id>/items/<slug:item>/record/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/<uuid:exit_id>/paper/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/<uuid:exit_id>/paper/<uuid:paper_id>/document/": (Permission.PARTNER_READ, READ),
    "exits/<uuid:exit_id>/close/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/received/<uuid:received_exit_id>/": (Permission.PARTNER_READ, READ),
    "exits/received/<uuid:received_exit_id>/items/<slug:item>/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/received/<uuid:received_exit_id>/resources/": (Permission.PARTNER_CHANGE, BOTH),
    "exits/received/<uuid:received_exit_id>/resources/<uuid:resource_id>/remove/": (
        Permission.PARTNER_CHANGE,
        WRITE,
    ),
    "exits/received/<uuid:received_exit_id>/told/": (Permission.SHARING_CHANGE, WRITE),
    "exits/received/<uuid:received_exit_id>/look/": (Permission.PARTNER_CHANGE, WRITE),
    "exits/received/<uuid:received_exit_id>/certify/": (Permission.VERIFICATION_CERTIFY, BOTH),
    "exits/certificates/<uuid:certificate_id>/document.pdf": (Permission.PARTNER_READ, READ),
    "exits/certificates/<uuid:certificate_id>/package.zip": (Permission.PARTNER_READ, READ),
    "business-associates/<uuid:associate_id>/": (Permission.PARTNER_READ, READ),
    "business-associates/<uuid:associate_id>/<slug:tab>/": (Permission.PARTNER_READ, READ),
    "business-associates/<uuid:associate_id>/change/": (Permission.PARTNER_CHANGE, BOTH),
    "business-associates/<uuid:associate_id>/end/": (Permission.PARTNER_CHANGE, WRITE),
    "agreements/": (Permission.PARTNER_READ, READ),
    "agreements/new/<uuid:associate_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "agreements/<uuid:agreement_id>/": (Permission.PARTNER_READ, READ),
    "agreements/<uuid:agreement_id>/versions/new/": (Permission.PARTNER_CHANGE, BOTH),
    "agreements/<uuid:agreement_id>/stage/": (Permission.PARTNER_CHANGE, WRITE),
    "agreements/<uuid:agreement_id>/terminate/": (Permission.PARTNER_CHANGE, BOTH),
    "agreements/<uuid:agreement_id>/clauses/": (Permission.PARTNER_CHANGE, WRITE),
    "agreements/<uuid:agreement_id>/gap-letter.pdf": (Permission.PARTNER_READ, READ),
    "agreements/<uuid:agreement_id>/versions/<uuid:agreement_version_id>/document/": (
        Permission.PARTNER_READ,
        READ,
    ),
    "shared-with-us/<uuid:grant_id>/": (Permission.PARTNER_READ, READ),
    "sharing/partnerships/<uuid:partnership_id>/grant/": (Permission.SHARING_CHANGE, BOTH),
    "sharing/grants/<uuid:own_grant_id>/": (Permission.PARTNER_READ, READ),
    "sharing/grants/<uuid:own_grant_id>/revoke/": (Permission.SHARING_CHANGE, WRITE),
    "subcontractors/": (Permission.PARTNER_READ, READ),
    "subcontractors/<uuid:partnership_id>/": (Permission.PARTNER_READ, READ),
    "subcontractors/<uuid:partnership_id>/<uuid:associate_id>/": (Permission.PARTNER_CHANGE, BOTH),
    "subcontractors/<uuid:partnership_id>/<uuid:associate_id>/name/": (Permission.PARTNER_CHANGE, BOTH),
    "subcontractors/<uuid:partnership_id>/<uuid:associate_id>/mask/": (Permission.PARTNER_CHANGE, WRITE),
    "subcontractors/<uuid:partnership_id>/<uuid:associate_id>/stop/": (Permission.PARTNER_CHANGE, WRITE),
    "notices/": (Permission.PARTNER_READ, READ),
    "notices/new/<slug:notice_kind>/": (Permission.NOTICE_SEND, BOTH),
    "notices/recipients/": (Permission.NOTICE_SEND, BOTH),
    "notices/recipients/<uuid:recipient_id>/remove/": (Permission.NOTICE_SEND, WRITE),
    "notices/breaches/new/": (Permission.NOTICE_SEND, BOTH),
    "notices/link/<str:token>/": (Gate.PUBLIC, BOTH),
    "notices/received/<uuid:notice_id>/": (Permission.PARTNER_READ, READ),
    "notices/received/<uuid:notice_id>/acknowledge/": (Permission.PARTNER_CHANGE, WRITE),
    "notices/timelines/<uuid:timeline_id>/timeline.pdf": (Permission.PARTNER_READ, READ),
    "notices/timelines/<uuid:timeline_id>/signature.txt": (Permission.PARTNER_READ, READ),
    "notices/<uuid:occurrence_id>/": (Permission.PARTNER_READ, READ),
    "notices/<uuid:occurrence_id>/clock/": (Permission.PARTNER_READ, READ),
    "notices/<uuid:occurrence_id>/update/": (Permission.NOTICE_SEND, WRITE),
    "notices/<uuid:occurrence_id>/assess/": (Permission.NOTICE_SEND, BOTH),
    "notices/<uuid:occurrence_id>/steps/<slug:duty>/": (Permission.NOTICE_SEND, WRITE),
    "notices/<uuid:occurrence_id>/timeline/": (Permission.NOTICE_SEND, WRITE),
    "business-associates/<uuid:associate_id>/invite/": (Permission.PARTNER_CHANGE, BOTH),
    "business-associates/<uuid:associate_id>/invitations/<uuid:offer_id>/revoke/": (
        Permission.PARTNER_CHANGE,
        WRITE,
    ),
    "business-associates/<uuid:associate_id>/partnership/end/": (Permission.PARTNER_CHANGE, BOTH),
    "covered-entities/": (Permission.PARTNER_READ, READ),
    "covered-entities/<uuid:partnership_id>/": (Permission.PARTNER_READ, READ),
    "covered-entities/<uuid:partnership_id>/leave/": (Permission.PARTNER_CHANGE, BOTH),
    "partnerships/invitations/<str:token>/": (Gate.PUBLIC, BOTH),
    "calendar/": (Permission.PARTNER_READ, READ),
    "calendar/links/": (Permission.PARTNER_READ, READ),
    "calendar/links/new/": (Permission.PARTNER_READ, WRITE),
    "calendar/links/<uuid:calendar_feed_id>/revoke/": (Permission.PARTNER_READ, WRITE),
    "calendar/feed/<str:token>.ics": (Gate.PUBLIC, READ),
    "questionnaires/": (Permission.PARTNER_READ, READ),
    "questionnaires/send/": (Permission.PARTNER_CHANGE, BOTH),
    "questionnaires/templates/": (Permission.PARTNER_READ, READ),
    "questionnaires/templates/copy/": (Permission.PARTNER_CHANGE, BOTH),
    "questionnaires/templates/shipped/<slug:key>/": (Permission.PARTNER_READ, READ),
    "questionnaires/templates/<uuid:template_id>/": (Permission.PARTNER_READ, READ),
    "questionnaires/templates/<uuid:template_id>/rename/": (Permission.PARTNER_CHANGE, BOTH),
    "questionnaires/templates/<uuid:template_id>/questions/new/": (Permission.PARTNER_CHANGE, BOTH),
    "questionnaires/templates/<uuid:template_id>/questions/<slug:key>/": (Permission.PARTNER_CHANGE, BOTH),
    "questionnaires/templates/<uuid:template_id>/questions/<slug:key>/remove/": (
        Permission.PARTNER_CHANGE,
        WRITE,
    ),
    "questionnaires/received/": (Permission.PARTNER_READ, READ),
    f"{RECEIVED}": (Permission.PARTNER_READ, READ),
    f"{RECEIVED}sections/<slug:section_key>/": (Permission.QUESTIONNAIRE_ANSWER, BOTH),
    f"{RECEIVED}evidence/": (Permission.QUESTIONNAIRE_ANSWER, WRITE),
    f"{RECEIVED}hand-in/": (Permission.QUESTIONNAIRE_ANSWER, WRITE),
    f"{RECEIVED}workbook.xlsx": (Permission.QUESTIONNAIRE_ANSWER, READ),
    f"{RECEIVED}workbook/": (Permission.QUESTIONNAIRE_ANSWER, BOTH),
    f"{RECEIVED}workbook/<uuid:workbook_id>/": (Permission.QUESTIONNAIRE_ANSWER, READ),
    f"{RECEIVED}workbook/<uuid:workbook_id>/confirm/": (Permission.QUESTIONNAIRE_ANSWER, WRITE),
    "questionnaires/guest/<str:token>/": (Gate.PUBLIC, READ),
    "questionnaires/guest/<str:token>/hand-in/": (Gate.PUBLIC, WRITE),
    "questionnaires/guest/<str:token>/sections/<slug:section_key>/": (Gate.PUBLIC, BOTH),
    f"{SENT}": (Permission.PARTNER_READ, READ),
    f"{SENT}sections/<slug:section_key>/": (Permission.PARTNER_READ, READ),
    f"{SENT}sections/<slug:section_key>/review/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}send-back/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}accept/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}withdraw/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}link/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}link/end/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}hand-in/": (Permission.PARTNER_CHANGE, WRITE),
    f"{SENT}workbook.xlsx": (Permission.PARTNER_CHANGE, READ),
    f"{SENT}workbook/": (Permission.PARTNER_CHANGE, BOTH),
    f"{SENT}workbook/<uuid:workbook_id>/": (Permission.PARTNER_CHANGE, READ),
    f"{SENT}workbook/<uuid:workbook_id>/confirm/": (Permission.PARTNER_CHANGE, WRITE),
    "audit/entries/<uuid:entry_id>/": (Permission.AUDIT_READ, READ),
    "webhooks/": (Permission.WEBHOOK_CHANGE, READ),
    "webhooks/new/": (Permission.WEBHOOK_CHANGE, BOTH),
    "webhooks/<uuid:endpoint_id>/": (Permission.WEBHOOK_CHANGE, READ),
    "webhooks/<uuid:endpoint_id>/edit/": (Permission.WEBHOOK_CHANGE, BOTH),
    "webhooks/<uuid:endpoint_id>/change/": (Permission.WEBHOOK_CHANGE, WRITE),
    "webhooks/<uuid:endpoint_id>/test/": (Permission.WEBHOOK_CHANGE, WRITE),
    "webhooks/<uuid:endpoint_id>/replay/": (Permission.WEBHOOK_CHANGE, WRITE),
    "webhooks/deliveries/<uuid:webhook_delivery_id>/": (Permission.WEBHOOK_CHANGE, READ),
    "webhooks/deliveries/<uuid:webhook_delivery_id>/outcome/": (Permission.WEBHOOK_CHANGE, READ),
    "webhooks/deliveries/<uuid:webhook_delivery_id>/replay/": (Permission.WEBHOOK_CHANGE, WRITE),
    "audit/streams/": (Permission.STREAM_CHANGE, READ),
    "audit/streams/new/": (Permission.STREAM_CHANGE, WRITE),
    "audit/streams/<uuid:stream_id>/change/": (Permission.STREAM_CHANGE, WRITE),
    "audit/export/": (Permission.AUDIT_EXPORT, BOTH),
    "safeguards/": (POSTURE, READ),
    "safeguards/<str:citation>/": (POSTURE, READ),
    "findings/": (POSTURE, READ),
    "findings/checks/<slug:check_id>/": (POSTURE, READ),
    "findings/<uuid:finding_id>/": (POSTURE, READ),
    "findings/submitted/<uuid:submitted_check_id>/": (POSTURE, READ),
    "connections/": (CONNECTIONS, READ),
    "connections/new/": (CONNECT, BOTH),
    "connections/<uuid:connection_id>/": (CONNECTIONS, READ),
    "connections/<uuid:connection_id>/grant/": (CONNECT, READ),
    "connections/<uuid:connection_id>/grant/role.json": (CONNECT, READ),
    "connections/<uuid:connection_id>/grant/role.tf": (CONNECT, READ),
    "connections/<uuid:connection_id>/verify/": (CONNECT, WRITE),
    "connections/<uuid:connection_id>/verify/progress/": (CONNECTIONS, READ),
    "connections/<uuid:connection_id>/collect/": (COLLECT, WRITE),
    "connections/<uuid:connection_id>/remove/": (CONNECT, BOTH),
    "connections/<uuid:connection_id>/runs/<uuid:run_id>/progress/": (CONNECTIONS, READ),
    "evidence/": (EVIDENCE, READ),
    "evidence/<uuid:snapshot_id>/": (EVIDENCE, READ),
    "evidence/<uuid:snapshot_id>/download/": (EXPORT, READ),
    "evidence/<uuid:snapshot_id>/verify/": (EVIDENCE, WRITE),
    "packages/": (Permission.PACKAGE_CREATE, READ),
    "packages/new/": (Permission.PACKAGE_CREATE, BOTH),
    "packages/download/<str:token>/": (Permission.PACKAGE_CREATE, READ),
    "packages/<uuid:package_id>/": (Permission.PACKAGE_CREATE, READ),
    "packages/<uuid:package_id>/progress/": (Permission.PACKAGE_CREATE, READ),
    "packages/<uuid:package_id>/link/": (Permission.PACKAGE_CREATE, WRITE),
    "packages/<uuid:package_id>/remove/": (Permission.PACKAGE_CREATE, WRITE),
    "auditor/<uuid:engagement_id>/packages/": (Permission.ENGAGEMENT_AUDIT, READ),
    "auditor/<uuid:engagement_id>/packages/<str:token>/": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/oauth/token": (Gate.PUBLIC, WRITE),
    "api/v1/oauth/nonce": (Gate.PUBLIC, WRITE),
    "api/v1/schema": (Gate.PUBLIC, READ),
    "api/v1/safeguards": (POSTURE, READ),
    "api/v1/safeguards/<str:citation>": (POSTURE, READ),
    "api/v1/findings": (POSTURE, READ),
    "api/v1/findings/<uuid:finding_id>": (POSTURE, READ),
    "api/v1/evidence": (EVIDENCE, READ),
    "api/v1/evidence/<uuid:snapshot_id>": (EVIDENCE, READ),
    "api/v1/evidence/<uuid:snapshot_id>/content": (EXPORT, READ),
    "api/v1/connections": (CONNECTIONS, BOTH),
    "api/v1/connections/<uuid:connection_id>/verify": (CONNECT, WRITE),
    "api/v1/connections/<uuid:connection_id>/remove": (CONNECT, WRITE),
    "api/v1/partners/<uuid:associate_id>/end": (Permission.PARTNER_CHANGE, WRITE),
    "api/v1/packages/<uuid:package_id>/content": (Permission.PACKAGE_CREATE, READ),
    "api/v1/connections/<uuid:connection_id>": (CONNECTIONS, READ),
    "api/v1/connections/<uuid:connection_id>/runs": (COLLECT, WRITE),
    "api/v1/runs": (EVIDENCE, READ),
    "api/v1/runs/<uuid:run_id>": (EVIDENCE, READ),
    "api/v1/runs/<uuid:run_id>/document": (EVIDENCE, READ),
    "api/v1/partners": (Permission.PARTNER_READ, BOTH),
    "api/v1/partners/<uuid:associate_id>": (Permission.PARTNER_READ, BOTH),
    "api/v1/grants": (Permission.PARTNER_READ, READ),
    "api/v1/engagement": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/safeguards": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/safeguards/<str:citation>": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/findings": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/findings/<uuid:finding_id>": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/evidence": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/evidence/<uuid:snapshot_id>": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/evidence/<uuid:snapshot_id>/content": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/submissions": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/submissions/<uuid:document_id>": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/submissions/<uuid:document_id>/content": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/requests": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagement/requests/<uuid:request_id>": (Permission.ENGAGEMENT_AUDIT, READ),
    "api/v1/engagements": (ENGAGEMENTS, READ),
    "api/v1/engagements/<uuid:engagement_id>": (ENGAGEMENTS, READ),
    "api/v1/engagements/<uuid:engagement_id>/requests": (ENGAGEMENTS, READ),
    "api/v1/engagements/<uuid:engagement_id>/requests/<uuid:request_id>": (ENGAGEMENTS, READ),
    "api/v1/packages": (Permission.PACKAGE_CREATE, BOTH),
    "api/v1/packages/<uuid:package_id>": (Permission.PACKAGE_CREATE, READ),
    "api/v1/audit-entries": (Permission.AUDIT_READ, READ),
    "submissions/": (EVIDENCE, READ),
    "submissions/send/": (Permission.SUBMISSION_SEND, BOTH),
    "submissions/<uuid:submission_id>/": (EVIDENCE, READ),
    "submissions/<uuid:submission_id>/findings/": (EVIDENCE, READ),
    "submissions/<uuid:submission_id>/download/": (EXPORT, READ),
    "submissions/<uuid:submission_id>/release/": (Permission.SUBMISSION_RELEASE, BOTH),
    "submissions/<uuid:submission_id>/delete/": (Permission.SUBMISSION_RELEASE, BOTH),
    "submissions/mappings/": (EVIDENCE, READ),
    "submissions/mappings/new/": (Permission.MAPPING_CHANGE, BOTH),
    "submissions/mappings/<uuid:mapping_id>/": (EVIDENCE, READ),
    "submissions/mappings/<uuid:mapping_id>/retire/": (Permission.MAPPING_CHANGE, WRITE),
    "api/v1/mappings": (EVIDENCE, READ),
    "api/v1/submissions": (Permission.EVIDENCE_READ, BOTH),
    "api/v1/submissions/<uuid:submission_id>": (Permission.EVIDENCE_READ, frozenset({"GET", "DELETE"})),
    "api/v1/submissions/<uuid:submission_id>/receipt": (Permission.EVIDENCE_READ, READ),
    "api/v1/receipt-keys": (Gate.PUBLIC, READ),
    "api/v1/grants/<uuid:own_grant_id>": (Permission.PARTNER_READ, READ),
    "api/v1/grants/<uuid:own_grant_id>/revoke": (Permission.SHARING_CHANGE, WRITE),
    "api/v1/partnerships": (Permission.PARTNER_READ, READ),
    "api/v1/shared-postures": (Permission.PARTNER_READ, READ),
    "api/v1/shared-postures/<uuid:grant_id>": (Permission.PARTNER_READ, READ),
    "api/v1/chain": (Permission.PARTNER_READ, READ),
    "api/v1/duties": (Permission.PARTNER_READ, READ),
    "api/v1/agreements": (Permission.PARTNER_READ, READ),
    "api/v1/agreements/<uuid:agreement_id>": (Permission.PARTNER_READ, READ),
    "api/v1/agreement-terms": (Permission.PARTNER_READ, READ),
    "api/v1/verifications": (Permission.PARTNER_READ, READ),
    "api/v1/verifications/<uuid:packet_id>": (Permission.PARTNER_READ, READ),
    "api/v1/verification-deliveries": (Permission.PARTNER_READ, READ),
    "api/v1/verification-deliveries/<uuid:delivery_id>": (Permission.PARTNER_READ, READ),
    "api/v1/notices": (Permission.PARTNER_READ, READ),
    "api/v1/notices/<uuid:notice_id>": (Permission.PARTNER_READ, READ),
    "api/v1/questionnaires": (Permission.PARTNER_READ, READ),
    "api/v1/questionnaires/<uuid:questionnaire_id>": (Permission.PARTNER_READ, READ),
    "api/v1/exits": (Permission.PARTNER_READ, READ),
    "api/v1/exits/<uuid:exit_id>": (Permission.PARTNER_READ, READ),
    "api/v1/notices/<uuid:notice_id>/acknowledge": (Permission.PARTNER_CHANGE, WRITE),
    "api/v1/webhooks": (Permission.WEBHOOK_CHANGE, BOTH),
    "api/v1/webhooks/<uuid:endpoint_id>": (Permission.WEBHOOK_CHANGE, BOTH),
    "api/v1/webhooks/<uuid:endpoint_id>/secret": (Permission.WEBHOOK_CHANGE, WRITE),
    "api/v1/webhooks/<uuid:endpoint_id>/test": (Permission.WEBHOOK_CHANGE, WRITE),
    "api/v1/webhooks/<uuid:endpoint_id>/remove": (Permission.WEBHOOK_CHANGE, WRITE),
    "api/v1/webhook-deliveries": (Permission.WEBHOOK_CHANGE, READ),
    "api/v1/webhook-deliveries/<uuid:webhook_delivery_id>": (Permission.WEBHOOK_CHANGE, READ),
    "api/v1/webhook-deliveries/<uuid:webhook_delivery_id>/replay": (Permission.WEBHOOK_CHANGE, WRITE),
    "api-clients/reference/": (POSTURE, READ),
    "api-clients/": (Permission.API_CLIENT_CHANGE, READ),
    "api-clients/new/": (Permission.API_CLIENT_CHANGE, BOTH),
    "api-clients/<uuid:api_client_id>/": (Permission.API_CLIENT_CHANGE, READ),
    "api-clients/<uuid:api_client_id>/revoke/": (Permission.API_CLIENT_CHANGE, WRITE),
    "api-clients/<uuid:api_client_id>/secrets/": (Permission.API_CLIENT_CHANGE, WRITE),
    "api-clients/<uuid:api_client_id>/trusts/aws/": (Permission.API_CLIENT_CHANGE, BOTH),
    "api-clients/<uuid:api_client_id>/trusts/ci/": (Permission.API_CLIENT_CHANGE, BOTH),
    "api-clients/<uuid:api_client_id>/trusts/<uuid:trust_id>/": (Permission.API_CLIENT_CHANGE, READ),
    "api-clients/<uuid:api_client_id>/trusts/<uuid:trust_id>/revoke/": (Permission.API_CLIENT_CHANGE, WRITE),
    "api-clients/<uuid:api_client_id>/secrets/<uuid:secret_id>/revoke/": (
        Permission.API_CLIENT_CHANGE,
        WRITE,
    ),
    "scim/v2/": (Gate.MACHINE, frozenset()),
    "scim/v2/<path:rest>": (Gate.MACHINE, frozenset()),
    "scim/v2/.search": (Gate.MACHINE, WRITE),
    "scim/v2/Users": (Gate.MACHINE, BOTH),
    "scim/v2/Users/.search": (Gate.MACHINE, WRITE),
    "scim/v2/Users/<uuid:scim_user_id>": (Gate.MACHINE, CHANGE),
    "scim/v2/Groups": (Gate.MACHINE, BOTH),
    "scim/v2/Groups/.search": (Gate.MACHINE, WRITE),
    "scim/v2/Groups/<uuid:scim_group_id>": (Gate.MACHINE, CHANGE),
    "scim/v2/ServiceProviderConfig": (Gate.MACHINE, READ),
    "scim/v2/Schemas": (Gate.MACHINE, READ),
    "scim/v2/Schemas/<str:wanted>": (Gate.MACHINE, READ),
    "scim/v2/ResourceTypes": (Gate.MACHINE, READ),
    "scim/v2/ResourceTypes/<str:wanted>": (Gate.MACHINE, READ),
    "auditor/": (AUDIT, READ),
    "auditor/help/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/safeguards/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/safeguards/<str:citation>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/safeguards/<str:citation>/comment/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/safeguards/<str:citation>/conclude/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/checks/<slug:check_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/tools/<uuid:submitted_check_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/documents/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/documents/<uuid:document_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/documents/<uuid:document_id>/download/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/findings/<uuid:finding_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/evidence/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/evidence/<uuid:snapshot_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/evidence/<uuid:snapshot_id>/download/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/evidence/<uuid:snapshot_id>/verify/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/requests/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/requests/new/": (AUDIT, BOTH),
    "auditor/<uuid:engagement_id>/requests/<uuid:request_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/requests/<uuid:request_id>/say/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/samples/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/samples/new/": (AUDIT, BOTH),
    "auditor/<uuid:engagement_id>/samples/<uuid:sample_id>/": (AUDIT, READ),
    "auditor/<uuid:engagement_id>/samples/<uuid:sample_id>/draw/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/samples/<uuid:sample_id>/items/<uuid:item_id>/replace/": (AUDIT, WRITE),
    "auditor/<uuid:engagement_id>/samples/<uuid:sample_id>/items/<uuid:item_id>/result/": (AUDIT, WRITE),
    "engagements/": (ENGAGEMENTS, READ),
    "engagements/new/": (ENGAGE, BOTH),
    "engagements/<uuid:engagement_id>/": (ENGAGEMENTS, READ),
    "engagements/<uuid:engagement_id>/edit/": (ENGAGE, BOTH),
    "engagements/<uuid:engagement_id>/end/": (ENGAGE, WRITE),
    "engagements/<uuid:engagement_id>/auditors/add/": (ENGAGE, WRITE),
    "engagements/<uuid:engagement_id>/auditors/<uuid:auditor_id>/remove/": (ENGAGE, WRITE),
    "engagements/<uuid:engagement_id>/requests/<uuid:request_id>/": (ENGAGEMENTS, READ),
    "engagements/<uuid:engagement_id>/requests/<uuid:request_id>/say/": (ANSWER, WRITE),
    "engagements/<uuid:engagement_id>/requests/<uuid:request_id>/assign/": (ENGAGE, WRITE),
    "engagements/<uuid:engagement_id>/samples/<uuid:sample_id>/": (ENGAGEMENTS, READ),
    "engagements/<uuid:engagement_id>/safeguards/<str:citation>/": (ENGAGEMENTS, READ),
    "engagements/<uuid:engagement_id>/safeguards/<str:citation>/comment/": (ANSWER, WRITE),
}
"""Each address as its route says it, with what it needs and the methods it answers (HEAD goes with GET)."""

WRITING: dict[str, Permission] = {
    "api/v1/connections": CONNECT,
    "api/v1/partners": Permission.PARTNER_CHANGE,
    "api/v1/partners/<uuid:associate_id>": Permission.PARTNER_CHANGE,
    "api/v1/submissions": Permission.SUBMISSION_SEND,
    "api/v1/submissions/<uuid:submission_id>": Permission.SUBMISSION_RELEASE,
}
"""What changing needs at an address of which reading needs less."""

SENT_BY_PROVIDERS = frozenset({"sso/<uuid:entrance>/acs/", "api/v1/oauth/token", "api/v1/oauth/nonce"})
"""Forms that another site or a machine sends: they prove themselves by a signature and a state of ours, or a secret, or
(a nonce) change nothing."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAMPLES = {
    "uuid": lambda: str(uuid4()),
    "slug": lambda: "no-such-thing",
    "str": lambda: "no-such-thing",
    "path": lambda: "no/such/thing",
    "int": lambda: "1",
}

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Actor:
    """Somebody in front of the portal, and how far they have come."""

    name: str
    client: Client
    gates: frozenset[Gate]
    role: Role | None = None
    missing: str = "/sign-in/"
    """Where they are sent when they haven't come far enough."""


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route, pattern


ROUTES = dict(_routes(get_resolver().url_patterns))


@pytest.fixture(scope="module")
def actors(django_db_setup, django_db_blocker) -> list[Actor]:
    with django_db_blocker.unblock():
        return list(_make_actors())


def _make_actors() -> Iterator[Actor]:
    everything = frozenset(Gate)
    tenant = make_tenant()
    yield Actor("anonymous", Client(), frozenset({Gate.PUBLIC}))
    half = Client()
    post_password(half, make_ready_person(tenant=tenant))
    yield Actor("password only", half, frozenset({Gate.PUBLIC, Gate.PASSWORD}), missing="/sign-in/code/")
    for role in MEMBER_ROLES:
        yield Actor(role.label, sign_in(make_ready_person(role, tenant)), everything, role)
    named = make_ready_person(Role.AUDITOR, tenant)
    make_engagement(tenant, named)
    yield Actor("auditor with an engagement", sign_in(named), everything, Role.AUDITOR)
    yield Actor("owner of another tenant", sign_in(make_ready_person()), everything, Role.OWNER)
    gone = make_ready_person(tenant=tenant)
    disabled = sign_in(gone)
    disable_person(person=gone)
    yield Actor("disabled", disabled, frozenset({Gate.PUBLIC}))


def _path(route: str) -> str:
    return "/" + re.sub(r"<(\w+):\w+>", lambda match: SAMPLES[match[1]](), route)


def _not_signed_in(route: str) -> int:
    """A page sends to the sign-in; the API says what is missing."""
    return 401 if route.startswith(("api/", "scim/")) else 302


def _expected(  # noqa: PLR0911 (one line a rule)
    actor: Actor, route: str, need: Permission | Gate, methods: frozenset[str], method: str
) -> set[int]:
    """The statuses that the table allows. The sampled things don't exist, and the forms are empty."""
    if need is Gate.MACHINE:
        return {401}
    if need is Gate.OPERATOR and actor.role:
        return {404}
    if isinstance(need, Gate) and need not in actor.gates:
        return {302}
    if isinstance(need, Permission):
        if actor.role is None:
            return {_not_signed_in(route)}
        if not allows(actor.role, need):
            home = actor.role is Role.AUDITOR and route == "" and method in {"GET", "HEAD"}
            return {302} if home else {404} if actor.role is Role.AUDITOR else {403}
    if method == "HEAD" and "GET" in methods:
        return {200, 302, 400, 404, 405}
    if method not in methods:
        return {405}
    return {200, 204, 302, 400, 404, 409, 415, 422}


def test_every_address_is_in_the_table_and_the_table_has_no_other():
    assert set(ROUTES) == set(TABLE)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_the_view_declares_what_the_table_says(route):
    access = ROUTES[route].callback.access
    need = TABLE[route][0]
    assert (access.permission or access.gate) == need
    assert access.for_method("POST").permission == WRITING.get(route, access.permission)


def test_the_public_addresses_are_few():
    public = {route for route, (need, _) in TABLE.items() if need is Gate.PUBLIC}
    sso = {"start", "callback", "acs", "finish", "metadata"}
    assert public == {
        "healthz", "sign-in/", "sign-in/passkey/", "sign-in/passkey/options/", "sign-out/", "session/status/",
        "api/v1/oauth/token", "api/v1/oauth/nonce", "api/v1/schema", "api/v1/receipt-keys", "invitations/<str:token>/", "sign-in/organisation/", "partnerships/invitations/<str:token>/",
        *(f"sso/<uuid:entrance>/{name}/" for name in sso),
        "sign-in/forgotten/", "sign-in/forgotten/<str:token>/", "email/undo/<str:token>/",
        "operator/join/<uuid:operator_id>/<str:token>/", "notices/link/<str:token>/", "calendar/feed/<str:token>.ics",
        *(f"questionnaires/guest/<str:token>/{rest}" for rest in ("", "hand-in/", "sections/<slug:section_key>/")),
    }  # fmt: skip


def test_only_machines_may_post_without_a_token_against_forgery():
    writing = {route for route, (_, methods) in TABLE.items() if methods - READ}
    exempt = {route for route in writing if getattr(ROUTES[route].callback, "csrf_exempt", False)}
    assert exempt == {route for route in writing if TABLE[route][0] is Gate.MACHINE} | SENT_BY_PROVIDERS


@pytest.mark.parametrize(
    "route", sorted(route for route in TABLE if not route.startswith(("sign-in", "sign-out", "healthz")))
)
def test_everybody_gets_what_the_table_says(route, actors):
    need, methods = TABLE[route]
    wrong = []
    for position, actor in enumerate(actors):
        for method in methods_for(route, position):
            if (route, method) == ("profile/sessions/end-others/", "POST"):
                continue  # it works, and would end the sessions of the table's own actors
            answer = getattr(actor.client, method.lower())(_path(route))
            needed = need if method in {"GET", "HEAD", "OPTIONS"} else WRITING.get(route, need)
            if answer.status_code not in _expected(actor, route, needed, methods, method):
                wrong.append((actor.name, method, answer.status_code))
            if answer.status_code == 302 and actor.role is None and need is not Gate.PUBLIC:
                assert answer.url.startswith(actor.missing), (actor.name, answer.url)
    assert wrong == []


@pytest.mark.parametrize("method", METHODS)
def test_the_steps_of_signing_in_answer_their_methods_alone(method, actors):
    anonymous = actors[0].client
    for route in ("sign-in/", "sign-out/"):
        methods = TABLE[route][1]
        status = getattr(anonymous, method.lower())(f"/{route}").status_code
        assert (status == 405) == (("GET" if method == "HEAD" else method) not in methods), (
            route,
            method,
            status,
        )


@pytest.fixture(scope="module")
def newcomer(django_db_setup, django_db_blocker) -> Client:
    """Somebody who signs in for the first time."""
    client = Client()
    with django_db_blocker.unblock():
        post_password(client, make_member(make_tenant(), password=PASSWORD))
    return client


@pytest.mark.parametrize(
    "route", sorted(route for route, (need, _) in TABLE.items() if need not in {Gate.PUBLIC, Gate.PASSWORD})
)
def test_without_a_second_factor_nothing_but_its_set_up_is_reachable(route, newcomer):
    for method in methods_for(route, 0):
        answer = getattr(newcomer, method.lower())(_path(route))
        assert answer.status_code == _not_signed_in(route), method
        if answer.status_code == 302:
            assert answer.url.partition("?")[0] == "/sign-in/set-up/", method


def test_a_view_that_declares_nothing_is_refused(settings):
    settings.ROOT_URLCONF = "tests.architecture.extra_urls"
    client = sign_in(make_ready_person())
    answer = client.get("/undeclared/")
    assert answer.status_code == 404
    assert b"reached" not in answer.content


def test_another_tenants_thing_and_a_missing_one_get_the_same_answer():
    mine, theirs = make_tenant(), make_tenant()
    make_ready_person(tenant=theirs)
    with open_tenant(theirs.id):
        other = Membership.objects.get().pk
    client = sign_in(make_ready_person(tenant=mine))
    answers = []
    for wanted in (other, uuid4()):
        answer = client.post(f"/members/{wanted}/remove/")
        text = re.sub(rb"<code>[0-9a-f-]{36}</code>|value=\"[A-Za-z0-9]{64}\"", b"", answer.content)
        answers.append((answer.status_code, text))
    assert answers[0][0] == 404
    assert answers[0] == answers[1]
    with open_tenant(theirs.id):
        assert Membership.objects.filter(pk=other).exists()


@pytest.mark.parametrize(
    ("status", "kept"), [(200, True), (302, True), (400, False), (404, False), (422, False), (500, False)]
)
def test_an_answer_of_four_hundred_or_more_undoes_what_the_view_did(settings, status, kept):
    settings.ROOT_URLCONF = "tests.architecture.extra_urls"
    tenant = make_tenant("As it was")
    sign_in(make_ready_person(tenant=tenant)).get(f"/rename/{status}/")
    assert _name(tenant) == (f"renamed with {status}" if kept else "As it was")


def test_a_view_that_fails_undoes_what_it_did(settings):
    settings.ROOT_URLCONF = "tests.architecture.extra_urls"
    tenant = make_tenant("As it was")
    client = sign_in(make_ready_person(tenant=tenant))
    client.raise_request_exception = False
    assert client.get("/rename/fail/").status_code == 500
    assert _name(tenant) == "As it was"


def _name(tenant: Tenant) -> str:
    with open_tenant(tenant.id):
        return Tenant.objects.get().name
