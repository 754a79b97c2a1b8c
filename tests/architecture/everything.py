"""A tenant with one of every kind of row, the portal's addresses with what their views ask for, and the proof that
a tenant's rows are as they were. Shared by the tests of isolation and of bad input."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

import psycopg
import pytest
from django.apps import apps
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.audit.streams.models import AuditStream
from accounts.models import (
    ApiClient,
    ApiSecret,
    BreakGlass,
    ClientTrust,
    ExternalIdentity,
    GroupRole,
    IdentityProvider,
    KeptAnswer,
    Membership,
    OperatorWindow,
    Person,
    ScimGroup,
    ScimGroupMember,
    ScimToken,
    ScimUser,
    SeenAssertion,
    Session,
    SsoFlow,
    Tenant,
    TotpDevice,
    VerifiedDomain,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookHandover,
    WebhookMessage,
)
from accounts.permissions import Role
from accounts.services.invitations import InvitationMade, invite
from accounts.sessions import session_digest
from accounts.sso.models import ProviderKind
from accounts.tenancy.models import TenantModel, new_id
from accounts.tenancy.scope import open_tenant
from assessments.checks.base import checks
from assessments.models import (
    Acknowledgement,
    Agreement,
    AgreementReminder,
    AgreementTerms,
    AgreementVersion,
    AnswerReview,
    Answers,
    AnswersDraft,
    AnswersImport,
    BreachAssessment,
    BreachStep,
    BusinessAssociate,
    BusinessAssociateImport,
    CalendarFeed,
    ChainAlert,
    ChainConsent,
    ChainNode,
    ChainState,
    ClauseMark,
    Conclusion,
    Engagement,
    EngagementAuditor,
    Evaluation,
    EvidenceRequest,
    Exit,
    ExitCertificate,
    ExitPaper,
    ExitResource,
    Finding,
    FindingPeriod,
    GuestLink,
    Notice,
    NoticeEvent,
    NoticeReceived,
    NoticeTimeline,
    NoticeTold,
    NoticeUpdate,
    Occurrence,
    OutsideNotice,
    OutsideRecipient,
    Package,
    Partnership,
    PartnershipDeparture,
    PartnershipInvitation,
    Questionnaire,
    QuestionnaireTemplate,
    RequestEvidence,
    RequestMessage,
    SafeguardComment,
    SafeguardStatus,
    Sample,
    SampleDraw,
    SampleItem,
    SampleResult,
    SharedPosture,
    SharedPosturePoint,
    SharingGrant,
    SubmittedCheck,
    TemplateVersion,
    Timer,
    VerificationDelivery,
    VerificationPacket,
    VerificationSection,
)
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms, make_grant
from evidence import vault
from evidence.models import (
    AwsConnection,
    CollectionRun,
    CollectionUnit,
    ReleaseDecision,
    Snapshot,
    Submission,
    SubmissionMapping,
    SubmissionStream,
)
from tests.accounts.factories import make_operator, make_ready_person, sign_in
from tests.conftest import superuser_dsn
from tests.exits.everything import exit_rows, received_exit
from tests.factories import make_connection, make_member, make_onlooker, make_run, make_tenant
from tests.partnerships.factories import make_partnership
from tests.verifications.everything import received_delivery, verification_rows

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
RARE_METHODS = tuple(method for method in METHODS if method not in {"GET", "POST"})
CHECK = "s3_bucket_versioning"
CITATION = "164.312(a)(1)"
SEALED = {"auditleaf", "audittile", "auditcheckpoint", "auditsignature"}
"""Tables that the audit log's sealer writes: tests/accounts/audit/test_rights.py has their isolation."""
TENANT_MODELS = [
    model
    for model in apps.get_models()
    if issubclass(model, TenantModel) and model._meta.model_name not in SEALED
]


def methods_for(route: str, position: int) -> tuple[str, ...]:
    """GET and POST, and at every third address one of the others: each actor meets each method.

    `position` is the actor's; the actors take turns, so that each address meets three or four of the other methods.
    All of them for everybody would take twice the time and find the same.
    """
    turn = crc32(route.encode()) + position
    return ("GET", "POST", RARE_METHODS[turn // 3 % len(RARE_METHODS)]) if turn % 3 == 0 else ("GET", "POST")


@dataclass(frozen=True)
class Everything:
    """One of every kind of row. Each name in it begins with `mark`, which no other tenant's page may show."""

    mark: str
    tenant: Tenant
    owner: Person
    client: Client
    membership: Membership
    invitation: InvitationMade
    connection: AwsConnection
    run: CollectionRun
    running: CollectionRun
    unit: CollectionUnit
    snapshot: Snapshot
    evaluation: Evaluation
    submission: Submission
    submitted_check: SubmittedCheck
    document: Submission
    mapping: SubmissionMapping
    finding: Finding
    period: FindingPeriod
    status: SafeguardStatus
    associate: BusinessAssociate
    agreement: Agreement
    agreement_version: AgreementVersion
    sheet: BusinessAssociateImport
    entry: AuditEntry
    engagement: Engagement
    package: Package
    scim_token: ScimToken
    api_secret: ApiSecret
    client_trust: ClientTrust
    scim_user: ScimUser
    scim_group: ScimGroup
    window: OperatorWindow
    provider: IdentityProvider
    domain: VerifiedDomain
    group: GroupRole
    identity: ExternalIdentity
    break_glass: BreakGlass
    flow: SsoFlow
    assertion: SeenAssertion
    auditor: EngagementAuditor
    asked: EvidenceRequest
    sample: Sample
    item: SampleItem
    stream: AuditStream
    endpoint: WebhookEndpoint
    webhook_delivery: WebhookDelivery
    occurrence: Occurrence
    notice: Notice
    outside: OutsideRecipient
    timeline: NoticeTimeline
    template: QuestionnaireTemplate
    questionnaire: Questionnaire
    workbook: AnswersImport
    received_questionnaire: Questionnaire
    grant: SharingGrant
    """What the tenant shows to an onlooker."""
    received_grant: UUID
    """The id of what another tenant shows to this one."""
    received_partnership: Partnership
    """In which this tenant is the downstream party."""
    offer: PartnershipInvitation
    verification: VerificationPacket
    section: VerificationSection
    delivery: VerificationDelivery
    calendar_feed: CalendarFeed
    exit: Exit
    exit_paper: ExitPaper
    exit_resource: ExitResource
    exit_certificate: ExitCertificate
    received_exit: Exit
    session: str
    """The digest by which the owner's session is named in addresses."""


def make_everything(mark: str = "", **client: Any) -> Everything:
    """A tenant whose owner is signed in. `mark` (random unless given) is hostile in some tests."""
    mark = mark or f"mark{secrets.token_hex(6)}"
    tenant = make_tenant(name=f"{mark} hospital")
    owner = make_ready_person(Role.OWNER, tenant)
    Person.objects.filter(pk=owner.pk).update(name=f"{mark} owner")
    browser = sign_in(owner, **client)
    aws = make_connection(tenant, name=f"{mark} account"[:100])
    finished = make_run(
        tenant, aws, state="finished", verdict="partial", finished_at=timezone.now(), units_total=1
    )
    received = make_partnership(
        downstream=tenant, upstream_name=f"{mark} upstream"[:200], downstream_name=f"{mark} hospital"[:200]
    )
    asked_of_it = _received_questionnaire(received, mark)
    grant_id = _received_grant(tenant, mark)
    delivered = received_delivery(tenant, mark)
    ended = received_exit(tenant, mark)
    with open_tenant(tenant.pk):
        membership = Membership.objects.get(person=owner)
        return Everything(
            mark=mark, tenant=tenant, owner=owner, client=browser, membership=membership, connection=aws, run=finished,
            running=make_run(tenant, aws, units_total=1), session=session_digest(browser.cookies["session"].value),
            invitation=invite(email=f"{secrets.token_hex(6)}@example.org", role=Role.VIEWER, by=membership),
            package=_package(owner, mark),
            stream=AuditStream.objects.create(name=f"{mark} stream"[:100], kind="syslog", target="127.0.0.1:9"),
            entry=AuditEntry.objects.order_by("-occurred_at")[0],
            received_partnership=received, received_questionnaire=asked_of_it,
            received_grant=grant_id, grant=_grant(owner, mark),
            delivery=delivered, **verification_rows(owner, mark),
            calendar_feed=CalendarFeed.objects.create(person=owner, token_digest=secrets.token_bytes(32)),
            received_exit=ended, **exit_rows(owner, aws, ended, mark),
            **_partners(owner, mark), **_questionnaires(owner, mark), **_single_sign_on(membership, mark),
            **_evidence(tenant, aws, finished, owner, mark), **_findings(aws, finished, mark), **_provisioned(owner, mark),
            **_engagement(owner, mark), **_notices(owner, mark), **_webhooks(mark),
        )  # fmt: skip


def _webhooks(mark: str) -> dict[str, Any]:
    endpoint = WebhookEndpoint.objects.create(
        description=f"{mark} tickets"[:200], url="https://127.0.0.1:9/", events=["run.finished"], secret=b"",
        disabled_at=timezone.now(),
    )  # fmt: skip
    message = WebhookMessage.objects.create(type="run.finished", key=mark[:200], data={"mark": mark})
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, message=message, state="dead", error=f"{mark} error"[:300], answer=mark
    )
    WebhookHandover.objects.create(
        type="run.finished", key=mark[:200], to_tenant_id=uuid4(), data={"mark": mark}
    )
    return {"endpoint": endpoint, "webhook_delivery": delivery}


def _partners(owner: Person, mark: str) -> dict[str, Any]:
    associate = BusinessAssociate.objects.create(reference=secrets.token_hex(4), name=f"{mark} billing"[:200])
    line = {
        "number": 2,
        "kind": "new",
        "reference": "1",
        "name": f"{mark} hosting",
        "values": {},
        "changes": {},
        "errors": {},
    }
    sheet = BusinessAssociateImport.objects.create(file_sha256="0" * 64, lines=[line], created_by=owner)
    Partnership.objects.create(
        associate=associate, viewer=make_onlooker(), upstream_name=f"{mark} hospital"[:200], downstream_name=f"{mark} billing"[:200]
    )  # fmt: skip
    now = timezone.now()
    offer = PartnershipInvitation.objects.create(
        associate=associate, email=f"{secrets.token_hex(6)}@example.org", token_digest=secrets.token_bytes(32), invited_by=owner,
        expires_at=now + timedelta(days=9),
    )  # fmt: skip
    _chain(associate, owner, mark)
    PartnershipDeparture.objects.create(
        viewer=make_onlooker(), partnership_id=uuid4(), downstream_name=f"{mark} hospital"[:200], reason=f"{mark} left"[:500]
    )  # fmt: skip
    Timer.objects.create(kind=mark[:64], row_id=associate.pk, due_at=now)
    return {"associate": associate, "sheet": sheet, "offer": offer, **_agreement(associate, owner, mark)}


def _agreement(associate: BusinessAssociate, owner: Person, mark: str) -> dict[str, Any]:
    today = timezone.now().date()
    said = {
        "other_party": f"{mark} billing"[:200],
        "signed_on": today,
        "effective_from": today,
        "breach_hours": 72,
    }
    agreement = Agreement.objects.create(associate=associate, stage="signed", clauses_missing=1, **said)
    blob = vault.seal(
        f"%PDF-1.7 {mark}".encode(), tenant_id=associate.tenant_id, media_type="application/pdf"
    ).keep()
    version = AgreementVersion.objects.create(
        agreement=agreement, number=1, kind="signed", summary=f"{mark} summary"[:500], blob=blob, file_name=f"{mark}.pdf"[:200],
        recorded_by=owner, **said,
    )  # fmt: skip
    ClauseMark.objects.create(
        version=version, clause="report", answer="missing", quote=f"{mark} quote"[:500], reason=f"{mark} reason"[:500],
        marked_by=owner,
    )  # fmt: skip
    AgreementReminder.objects.create(agreement=agreement, last_on=today, days=7, told={"own": 1, "theirs": 0})
    AgreementTerms.objects.create(
        partnership_id=new_id(), agreement_id=agreement.pk, viewer=make_onlooker(), version=1, stage="signed",
        upstream_name=f"{mark} hospital"[:200], downstream_name=f"{mark} billing"[:200], **said,
    )  # fmt: skip
    return {"agreement": agreement, "agreement_version": version}


CONTENT = {
    "sections": [
        {
            "key": "first",
            "title": "First",
            "questions": [{"key": "one", "kind": "yes_no", "prompt": "Is it?", "weight": 1}],
        }
    ]
}


def _questionnaires(owner: Person, mark: str) -> dict[str, Any]:
    template = QuestionnaireTemplate.objects.create(title=f"{mark} template"[:200], created_by=owner)
    TemplateVersion.objects.create(template=template, number=1, content={**CONTENT, "mark": mark})
    associate = BusinessAssociate.objects.create(reference=secrets.token_hex(4), name=f"{mark} answers"[:200])
    asked = _questionnaire(associate, make_onlooker(), owner, mark)
    said = {"questionnaire_id": asked.pk, "entries": {"one": {"value": "yes", "reason": mark}}}
    AnswersDraft.objects.create(**said)
    Answers.objects.create(
        **said, viewer=make_onlooker(), title=asked.title, upstream_name=asked.title, year=2026, round=1
    )
    AnswerReview.objects.create(
        questionnaire=asked, round=1, question="one", verdict="accept", comment=mark, author=owner
    )
    GuestLink.objects.create(
        questionnaire=asked, email=f"{secrets.token_hex(6)}@example.org", token_digest=secrets.token_bytes(32), created_by=owner,
        expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    workbook = AnswersImport.objects.create(
        questionnaire_id=asked.pk, file_sha256="0" * 64, lines=[], created_by=owner
    )
    return {"template": template, "questionnaire": asked, "workbook": workbook}


def _questionnaire(
    associate: BusinessAssociate, viewer: Tenant, by: Person, mark: str, **fields: Any
) -> Questionnaire:
    today = timezone.now().date()
    return Questionnaire.objects.create(
        associate=associate, viewer=viewer, title=f"{mark} questions"[:200], template="hipaa-security", version=1, year=today.year,
        content={**CONTENT, "mark": mark}, content_sha256="0" * 64, upstream_name=f"{mark} hospital"[:200],
        downstream_name=f"{mark} answers"[:200], due_on=today, sent_by=by, **fields,
    )  # fmt: skip


def _received_questionnaire(partnership: Partnership, mark: str) -> Questionnaire:
    """What another tenant asks of this one."""
    by = make_member(Tenant(id=partnership.tenant_id))
    with open_tenant(partnership.upstream_id):
        associate = BusinessAssociate.objects.get()
        return _questionnaire(associate, partnership.viewer, by, mark, partnership_id=partnership.pk)


def _received_grant(tenant: Tenant, mark: str) -> UUID:
    """What another tenant shows to this one, which is its upstream party."""
    downstream = make_tenant(kind="business_associate")
    by = make_member(downstream)
    with open_tenant(tenant.pk):
        associate = BusinessAssociate.objects.create(
            reference=secrets.token_hex(4), name=f"{mark} shows"[:200]
        )
        partnership = Partnership.objects.create(
            associate=associate, viewer=downstream, upstream_name=f"{mark} hospital"[:200], downstream_name=f"{mark} shows"[:200]
        )  # fmt: skip
    with open_tenant(downstream.pk):
        terms = Terms(level=Level.EVIDENCE, citations=(CITATION,))
        made: UUID = make_grant(partnership=partnership, terms=terms, by=by).pk
        return made


def _grant(owner: Person, mark: str) -> SharingGrant:
    """The onlooker is told nothing: it has no log that anybody reads."""
    names = {"upstream_name": f"{mark} onlooker"[:200], "downstream_name": f"{mark} hospital"[:200]}
    shown = {"viewer": make_onlooker(), "partnership_id": new_id()}
    grant = SharingGrant.objects.create(
        citations=[CITATION], level=1, version=1, granted_by=owner, **shown, **names
    )
    counts = {"evidenced": 0, "gaps": 1, "not_evidenced": 0, "undetermined": 0, "required_gaps": 0}
    about, now = {"grant_id": grant.pk, **shown, **counts}, timezone.now()
    statuses = [{"citation": CITATION, "status": "not_satisfied"}]
    SharedPosture.objects.create(
        level=1, as_of=now, published_at=now, digest="0" * 64, statuses=statuses, **about, **names
    )
    SharedPosturePoint.objects.create(at=now, **about)
    return grant


def _chain(associate: BusinessAssociate, owner: Person, mark: str) -> None:
    """A consent, what is told by it, and an alert."""
    onlooker, partnership_id, word = make_onlooker(), new_id(), mark[:32]
    ChainConsent.objects.create(
        associate=associate, partnership_id=partnership_id, upstream=onlooker, service="hosting", telling="named", decided_by=owner
    )  # fmt: skip
    ChainNode.objects.create(
        viewer=onlooker, partnership_id=partnership_id, pseudonym=word, path=[word], depth=1, service="hosting",
        agreement_state="in_force", broken=[], name=f"{mark} billing"[:200], subject=secrets.token_bytes(32),
    )  # fmt: skip
    ChainAlert.objects.create(
        associate=associate, partnership_id=new_id(), pseudonym=word, path=[word], service="hosting", reasons=["no_agreement"]
    )  # fmt: skip
    ChainState.objects.create(computed_at=timezone.now())


def _notices(owner: Person, mark: str) -> dict[str, Any]:
    now, viewer = timezone.now(), make_onlooker()
    occurrence = Occurrence.objects.create(
        title=f"{mark} outage"[:200],
        kind="breach",
        side="covered_entity",
        zone="UTC",
        discovered_at=now,
        sent_by=owner,
    )
    notice = Notice.objects.create(
        title=f"{mark} outage"[:200], occurrence=occurrence, viewer=viewer, partnership_id=new_id(), kind="breach", zone="UTC",
        sender_name=f"{mark} hospital"[:200], recipient_name="Onlooker", discovered_at=now, sent_at=now, due_at=now, revision=2,
    )  # fmt: skip
    NoticeUpdate.objects.create(notice=notice, viewer=viewer, number=1, text=mark, by_name=mark[:200])
    Acknowledgement.objects.create(
        by_name=mark[:200], notice_id=new_id(), partnership_id=new_id(), by=owner, viewer=viewer
    )
    NoticeReceived.objects.create(sender_name=mark[:200], notice_id=new_id())
    NoticeTold.objects.create(notice_id=new_id(), viewer=viewer, mailed_at=now)
    NoticeEvent.objects.create(occurrence=occurrence, kind="updated", text=f"{mark} says")
    outside = OutsideRecipient.objects.create(name=f"{mark} clinic"[:200], email="clinic@example.org")
    OutsideNotice.objects.create(
        occurrence=occurrence, recipient=outside, recipient_name=mark[:200], email="clinic@example.org", due_at=now,
        token_digest=secrets.token_bytes(32), expires_at=now,
    )  # fmt: skip
    BreachAssessment.objects.create(
        occurrence=occurrence, version=1, by=owner, low_probability=False, nature=mark, recipient=mark, acquired=mark, mitigated=mark
    )  # fmt: skip
    BreachStep.objects.create(
        occurrence=occurrence, step="media", done_on=now.date(), by=owner, note=mark[:300]
    )
    blob = vault.seal(mark.encode(), tenant_id=occurrence.tenant_id, media_type="application/pdf").keep()
    timeline = NoticeTimeline.objects.create(
        occurrence=occurrence, blob=blob, sha256="0" * 64, signature_id=new_id(), by_name=mark[:200]
    )
    return {"occurrence": occurrence, "notice": notice, "outside": outside, "timeline": timeline}


def _single_sign_on(membership: Membership, mark: str) -> dict[str, Any]:
    provider = IdentityProvider.objects.create(
        kind=ProviderKind.OIDC,
        name=f"{mark} provider"[:100],
        issuer=f"https://{secrets.token_hex(6)}.example",
    )
    now = timezone.now()
    return {
        "provider": provider,
        "domain": VerifiedDomain.objects.create(
            domain=f"{secrets.token_hex(6)}.example", challenge=mark[:64]
        ),
        "group": GroupRole.objects.create(provider=provider, group=f"{mark} group"[:255], role=Role.VIEWER),
        "identity": ExternalIdentity.objects.create(
            provider=provider,
            subject=f"{mark} subject"[:512],
            person=membership.person,
            email=membership.person.email,
        ),
        "flow": SsoFlow.objects.create(
            provider=provider,
            purpose="sign_in",
            handle=secrets.token_hex(16),
            browser=secrets.token_bytes(32),
            wanted=f"/{mark}",
            created_at=now,
            expires_at=now,
        ),
        "assertion": SeenAssertion.objects.create(
            provider=provider, digest=secrets.token_bytes(32), subject=f"{mark} subject"[:512], expires_at=now
        ),
        "break_glass": BreakGlass.objects.create(membership=membership, reason=f"{mark} reason"[:200]),
    }


def _evidence(
    tenant: Tenant, aws: AwsConnection, run: CollectionRun, owner: Person, mark: str
) -> dict[str, Any]:
    answers = {"ListBuckets": {"": {"response": {"Buckets": [{"Name": f"{mark} bucket"}]}}}}
    payload = {
        "collector": "s3",
        "version": 1,
        "account_id": aws.aws_account_id,
        "region": "global",
        "calls": answers,
        "gaps": [],
    }
    now = timezone.now()
    blob = vault.seal(json.dumps(payload).encode(), tenant_id=tenant.pk, media_type="application/json").keep()
    snapshot = Snapshot.objects.create(
        connection=aws, run=run, blob=blob, collector="s3", collector_version=1, region="global", gap_count=1,
        aws_account_id=aws.aws_account_id, provenance={"role_arn": aws.role_arn, "session_name": mark, "principal": mark, "request_ids": [], "api_calls": {}, "software": mark},
        collected_at=now, sealed_at=now,
    )  # fmt: skip
    gap = {
        "service": "s3",
        "operation": "GetBucketPolicy",
        "region": "global",
        "reason": "denied",
        "key": mark,
        "code": "AccessDenied",
        "message": mark,
        "action": "s3:GetBucketPolicy",
    }
    unit = CollectionUnit.objects.create(
        run=run,
        collector="s3",
        region="global",
        state="done",
        snapshot=snapshot,
        gaps=[gap],
        collected_at=now,
    )
    return {"snapshot": snapshot, "unit": unit, **_submitted(owner, mark)}


def _submitted(owner: Person, mark: str) -> dict[str, Any]:
    rows = _submission(mark)
    ReleaseDecision.objects.create(
        submission=rows["submission"], person=owner, person_name=mark[:150], reason=mark
    )
    content = {"check": mark, "result": "state", "results": {}}
    mapping = SubmissionMapping.objects.create(
        name=mark[:100], version=1, description=mark[:200], content=content, created_by=owner
    )
    return {**rows, "mapping": mapping, "document": _document(mark)}


def _document(mark: str) -> Submission:
    """One that is evidence, without bytes."""
    now = timezone.now()
    return Submission.objects.create(
        sequence=2, sender=mark[:150], receipt=mark, received_at=now, digest="00" * 32, size=3,
        name=mark[:255], media_type="text/plain", address=f"document-{mark}"[:200], wrapped_key=b"", key_id="1",
        ciphertext_digest="", stored_size=0, state="accepted", found=[], format="csv", producer=mark[:200],
        citations=["164.312(b)"], processed_at=now, counts={"outcomes": 1},
    )  # fmt: skip


def _submission(mark: str) -> dict[str, Any]:
    """A document that was refused, with a check of its stream."""
    stream = SubmissionStream.objects.create(producer=mark[:64], name=mark[:100])
    check = SubmittedCheck.objects.create(
        stream=stream, check_id=f"{mark}:check"[:300], title=mark[:300], severity="high", failed=1, weighing=1,
        citations=["164.312(b)"],
    )  # fmt: skip
    submission = Submission.objects.create(
        sequence=1, sender=mark[:150], receipt=mark, received_at=timezone.now(), digest="00" * 32, size=3,
        name=mark[:255], media_type="text/plain", address=f"submission-{mark}"[:200], wrapped_key=b"", key_id="1",
        ciphertext_digest="", stored_size=0, state="refused", problem=mark, found=[], stream=stream, format="csv",
        producer=mark[:200], header={"title": mark, "notes": [mark]}, stream_name=mark[:100],
    )  # fmt: skip
    return {"submission": submission, "submitted_check": check}


def _package(owner: Person, mark: str) -> Package:
    today = timezone.now().date()
    return Package.objects.create(
        period_from=today, period_to=today, requested_by=owner, withheld=[mark[:300]], withheld_reason=mark
    )


def _findings(aws: AwsConnection, run: CollectionRun, mark: str) -> dict[str, Any]:
    now = timezone.now()
    evaluation = Evaluation.objects.create(run=run, connection=aws, at=now, finished_at=now)
    finding = Finding.objects.create(
        connection=aws, check_id=CHECK, resource_key=secrets.token_hex(16), resource_arn=f"arn:aws:s3:::{mark}",
        resource_name=f"{mark} bucket", resource_kind="AWS::S3::Bucket", region="us-east-1", scope="global",
        severity=str(checks()[CHECK].severity), outcome="FAIL", observed=f"{mark} versioning is off", first_seen_at=now, since=now,
    )  # fmt: skip
    period = FindingPeriod.objects.create(
        finding=finding, outcome="FAIL", observed=finding.observed, valid_from=now
    )
    status = SafeguardStatus.objects.create(
        citation=CITATION, status="not_satisfied", valid_from=now, coverage={"decided": 1, "total": 1},
        reasons={"why": f"{mark} says why", "needs": [], "checks": [{"check_id": CHECK, "failed": 1}]},
    )  # fmt: skip
    return {"evaluation": evaluation, "finding": finding, "period": period, "status": status}


def _provisioned(owner: Person, mark: str) -> dict[str, Any]:
    user = ScimUser.objects.create(
        person=owner, user_name=f"{mark} user"[:254], user_name_key=f"{mark} user"[:254]
    )
    group = ScimGroup.objects.create(display_name=f"{mark} group"[:254])
    ScimGroupMember.objects.create(group=group, user=user)
    token = ScimToken.objects.create(
        name=f"{mark} token"[:100], token_digest=secrets.token_bytes(32), created_by=owner, expires_at=timezone.now() + timedelta(days=1)
    )  # fmt: skip
    window = OperatorWindow.objects.create(
        asked_by=make_operator(), reason=f"{mark} reason"[:500], ticket="T-1", hours=1
    )
    client = ApiClient.objects.create(
        name=f"{mark} scanner"[:100], scopes=["findings:read"], created_by=owner, expires_at=timezone.now() + timedelta(days=9)
    )  # fmt: skip
    secret = ApiSecret.objects.create(
        client=client, secret_digest=secrets.token_bytes(32), ending=mark[-4:], created_by=owner
    )
    trust = ClientTrust.objects.create(
        client=client, kind="aws", account="111122223333", arn=f"arn:aws:iam::111122223333:role/{mark}"[:512], created_by=owner
    )  # fmt: skip
    KeptAnswer.objects.create(
        caller=str(client.pk), key=mark[:255], asked_digest=b"0" * 32, status=201, sealed_body=b"0"
    )
    return {
        "scim_user": user, "scim_group": group, "scim_token": token, "window": window, "api_secret": secret,
        "client_trust": trust,
    }  # fmt: skip


def _engagement(owner: Person, mark: str) -> dict[str, Any]:
    now = timezone.now()
    engagement = Engagement.objects.create(
        title=f"{mark} examination"[:200], firm=f"{mark} firm"[:200], period_from=now.date(), period_to=now.date(), opens_at=now,
        closes_at=now + timedelta(days=9), created_by=owner,
    )  # fmt: skip
    auditor = EngagementAuditor.objects.create(
        engagement=engagement, email=f"{secrets.token_hex(6)}@example.org", name=f"{mark} auditor"[:200]
    )
    asked = EvidenceRequest.objects.create(
        engagement=engagement,
        citation=CITATION,
        title=f"{mark} request"[:200],
        due_on=now.date(),
        asked_by=owner,
    )
    message = RequestMessage.objects.create(
        request=asked, number=1, side="auditor", author=owner, act="ask", state="asked", text=f"{mark} asks"
    )
    for snapshot in Snapshot.objects.all():
        RequestEvidence.objects.create(message=message, snapshot=snapshot, digest="00")
    for document in Submission.objects.filter(state="accepted"):
        RequestEvidence.objects.create(message=message, submission=document, digest="00")
    said = {"engagement": engagement, "citation": CITATION, "author": owner}
    SafeguardComment.objects.create(side="auditor", text=f"{mark} says", **said)
    Conclusion.objects.create(
        version=1, judgement="effective", reasons=f"{mark} reasons", shared=True, **said
    )
    sample = Sample.objects.create(
        engagement=engagement, citation=CITATION, title=f"{mark} sample"[:200], extent="one", source="runs",
        population=[mark.replace("\n", " ")], population_sha256="00", frozen_by=owner,
    )  # fmt: skip
    SampleDraw.objects.create(sample=sample, seed=mark[:128], size=1, drawn_by=owner)
    item = SampleItem.objects.create(sample=sample, position=0, item=mark)
    SampleResult.objects.create(item=item, version=1, result="effective", note=f"{mark} note", author=owner)
    return {"engagement": engagement, "auditor": auditor, "asked": asked, "sample": sample, "item": item}


def cursor_before(row_id: object, at: datetime | None = None) -> str:
    """A key of a page (evidence.keyset) that follows a row."""
    return f"{(at or timezone.now()).isoformat()}_{row_id}"


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route, pattern


ROUTES = dict(_routes(get_resolver("portal.urls").url_patterns))
"""Every address by its route, such as "connections/<uuid:connection_id>/"."""


def _watched(given: QueryDict, asked: set[str]) -> QueryDict:
    class Watched(QueryDict):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return super().get(key, default)

        def getlist(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return super().getlist(key, default)

        def __getitem__(self, key: str) -> Any:
            asked.add(key)
            return super().__getitem__(key)

    return Watched(given.urlencode(), mutable=True)


@contextmanager
def names_asked() -> Iterator[set[str]]:
    """The names of query and form fields that views ask for inside."""
    asked: set[str] = set()
    django: Any = WSGIRequest
    form = django._get_post

    def post(request: Any) -> Any:
        if not hasattr(request, "_watched"):
            form(request)
            request._watched = _watched(request._post, asked)
        return request._watched

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            WSGIRequest,
            "GET",
            property(lambda self: _watched(QueryDict(self.META.get("QUERY_STRING", "")), asked)),
        )
        patch.setattr(WSGIRequest, "POST", property(post, django._set_post))
        yield asked


class TenantDigests:
    """The number and the digest of a tenant's rows, and of its owner's, in every table, as the superuser sees them."""

    def __init__(self, its: Everything, *, without: frozenset[str] = frozenset()) -> None:
        self._its = {"tenant": its.tenant.pk, "person": its.owner.pk}
        self._without = without
        self._database = psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True)

    def close(self) -> None:
        self._database.close()

    def read(self) -> dict[str, tuple[int, str]]:
        parts = [self._part(model._meta.db_table, "t.tenant_id = %(tenant)s") for model in TENANT_MODELS]
        parts.append(self._part("accounts_tenant", "t.id = %(tenant)s"))
        parts.append(self._part(Person._meta.db_table, "t.id = %(person)s"))
        parts.append(self._part(Session._meta.db_table, "t.person_id = %(person)s"))
        parts.append(self._part(TotpDevice._meta.db_table, "t.user_id = %(person)s"))
        statement = " union all ".join(part for part in parts if part)
        rows = self._database.execute(statement, self._its).fetchall()
        return {table: (number, digest) for table, number, digest in rows}

    def _part(self, table: str, mine: str) -> str:
        if table in self._without:
            return ""
        return f"select '{table}', count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t where {mine}"
