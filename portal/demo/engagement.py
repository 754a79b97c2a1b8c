"""The demonstration's engagement: an outside auditor at the hospital, with requests, a sample and a conclusion."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Membership
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.engagements import services
from assessments.engagements.models import Extent, Judgement, Side
from assessments.engagements.services.populations import Source
from assessments.models import Engagement

TITLE = "Security Rule examination"
VERSIONS, KEYS = "164.312(c)(1)", "164.312(a)(2)(iv)"


def seed_engagement(tenant_id: UUID, auditor_email: str) -> None:
    """Makes the engagement where there is none. The tenant was assessed before, so that there is evidence."""
    with open_tenant(tenant_id):
        if Engagement.objects.filter(title=TITLE).exists():
            return
        official = Membership.objects.get(role=Role.SECURITY_OFFICIAL)
        engagement = services.create_engagement(terms=_terms(), by=official)
        named = services.name_auditor(
            engagement=engagement, email=auditor_email, name="Amir Haddad", by=official
        )
        auditor_id = named.auditor.person_id
        if auditor_id is None:
            raise LookupError(f"{auditor_email} is no auditor of the demonstration's tenant")
        _work(engagement, auditor_id, official.person_id)


def _terms() -> services.EngagementTerms:
    today = timezone.now().date()
    midnight = datetime.combine(today, time.min, UTC)
    return services.EngagementTerms(
        title=TITLE, firm="Haddad & Partners", period_from=today - timedelta(days=180), period_to=today + timedelta(days=30),
        opens_at=midnight, closes_at=midnight + timedelta(days=60),
    )  # fmt: skip


def _work(engagement: Engagement, auditor: UUID, official: UUID) -> None:
    due = timezone.now().date() + timedelta(days=10)
    versions = services.ask(
        engagement=engagement, citation=VERSIONS, title="Versions of the imaging buckets", due_on=due, by=auditor,
        text="Which buckets hold images, and are earlier versions of their objects kept?",
    )  # fmt: skip
    services.say(
        request=versions, act=services.RequestAct.ANSWER, side=Side.TENANT, by=official,
        text="The newest answer of S3 lists every bucket with its versioning.",
    )  # fmt: skip
    services.ask(
        engagement=engagement, citation=KEYS, title="Who may use the keys of the record system", due_on=due, by=auditor,
        text="Show who may decrypt with the keys that protect the record system, and when that was last reviewed.",
    )  # fmt: skip
    services.comment(
        engagement=engagement, citation=VERSIONS, side=Side.AUDITOR, by=auditor,
        text="Backup buckets count as well: an overwritten backup is no backup.",
    )  # fmt: skip
    sample = services.freeze_population(
        engagement=engagement, citation=VERSIONS, title="Buckets that keep versions", extent=Extent.FEW,
        source=Source.RESOURCES, subject="s3_bucket_versioning", by=auditor,
    )  # fmt: skip
    services.draw_sample(sample=sample, seed="dice 4 2 6 1", size=min(3, len(sample.population)), by=auditor)
    services.conclude(
        engagement=engagement, citation=VERSIONS, judgement=Judgement.NOT_CONCLUDED, shared=True, by=auditor,
        reasons="Waiting for the reasons why some buckets keep no versions.",
    )  # fmt: skip
