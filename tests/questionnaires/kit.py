"""Two tenants that work together, and the acts of their people on questionnaires, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import (
    BusinessAssociate,
    Evaluation,
    Partnership,
    Questionnaire,
    SafeguardStatus,
)
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_connection, make_run, make_tenant
from tests.partnerships.factories import make_associate, make_partnership

SHIPPED = "hipaa-security"
DUE = timedelta(days=30)


def in_days(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


@dataclass(frozen=True)
class Parties:
    """A covered entity and its business associate, each with somebody signed in."""

    upstream: Tenant
    downstream: Tenant
    partnership: Partnership
    asks: Client
    answers: Client

    @property
    def associate_id(self) -> UUID:
        return self.partnership.associate_id

    def send(self, *, source: str = SHIPPED, year: int = 2026, **fields: Any) -> Questionnaire:
        answer = post_send(self.asks, [self.associate_id], source=source, year=year, **fields)
        assert answer.status_code == 302, answer.content
        return newest(self.upstream)

    def save(self, sent: Questionnaire, section: str, **values: str) -> Any:
        return self.answers.post(
            f"/questionnaires/received/{sent.pk}/sections/{section}/",
            {key.replace("_", "-"): value for key, value in values.items()},
        )

    def hand_in(self, sent: Questionnaire) -> Any:
        return self.answers.post(f"/questionnaires/received/{sent.pk}/hand-in/")

    def review(self, sent: Questionnaire, section: str, **values: str) -> Any:
        return self.asks.post(
            f"/questionnaires/{sent.pk}/sections/{section}/review/",
            {key.replace("_", "-"): value for key, value in values.items()},
        )


def make_parties() -> Parties:
    upstream, downstream = make_tenant(), make_tenant(kind="business_associate")
    return Parties(
        upstream,
        downstream,
        make_partnership(upstream, downstream),
        sign_in(make_ready_person(Role.SECURITY_OFFICIAL, upstream)),
        sign_in(make_ready_person(Role.CONTRIBUTOR, downstream)),
    )


def make_outsider(tenant: Tenant, **fields: Any) -> BusinessAssociate:
    """A business associate without a tenant."""
    return make_associate(tenant, name="Paper Shredding", contact_email="shred@example.org", **fields)


def post_send(
    client: Client, to: list[UUID], *, source: str = SHIPPED, year: int = 2026, **fields: Any
) -> Any:
    said = {
        "source": source,
        "due_on": str(in_days(30)),
        "year": year,
        "associates": [str(each) for each in to],
    }
    return client.post("/questionnaires/send/", {**said, **fields})


def newest(tenant: Tenant) -> Questionnaire:
    with open_tenant(tenant.pk):
        return Questionnaire.objects.order_by("-sent_at", "-id")[0]


def give_evidence(
    tenant: Tenant, citation: str, status: str, *checks: dict[str, Any], why: str = "It is so."
) -> None:
    """A safeguard's status in force, derived from an evaluation."""
    aws = make_connection(tenant)
    run = make_run(tenant, aws, state="finished", verdict="complete", finished_at=timezone.now())
    with open_tenant(tenant.pk):
        now = timezone.now()
        Evaluation.objects.create(run=run, connection=aws, at=now, finished_at=now)
        SafeguardStatus.objects.create(
            citation=citation, status=status, valid_from=now, coverage={"decided": 1, "total": 1},
            reasons={"why": why, "needs": [], "checks": list(checks)},
        )  # fmt: skip
