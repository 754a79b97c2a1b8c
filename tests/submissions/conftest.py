"""A machine that pushes documents, and a worker's work done when a test asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.audit.log import acting
from accounts.tenancy.scope import open_tenant
from assessments.models import Finding, SafeguardStatus
from assessments.submitted.processing import process_submission
from evidence.models import Submission
from tasks.base import WORKER
from tests.api.kit import ApiMachine, make_machine


@dataclass
class Pusher:
    """What a client sends, and what the tenant has then."""

    machine: ApiMachine = field(default_factory=make_machine)

    @property
    def tenant_id(self) -> UUID:
        return self.machine.tenant.pk

    def post(self, body: bytes, *, key: str = "", headers: dict[str, str] | None = None, **query: str) -> Any:
        self.machine.token = self.machine.token or self.machine.fetch().json()["access_token"]
        named = {("for" if name == "citations" else name): value for name, value in query.items()}
        given = {"Authorization": f"Bearer {self.machine.token}", "Idempotency-Key": key or str(uuid4())}
        client = Client(
            REMOTE_ADDR=self.machine.address, raise_request_exception=False, enforce_csrf_checks=True
        )
        return client.generic(
            "POST", f"/api/v1/submissions?{urlencode(named)}", body,
            content_type="application/json", headers={**given, **(headers or {})},
        )  # fmt: skip

    def push(self, document: Any, **query: str) -> Submission:
        """Sends a document and lets a worker read it."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        answer = self.post(body, **query)
        assert answer.status_code == 201, answer.content
        return self.work(answer.json()["id"])

    def work(self, submission_id: str) -> Submission:
        with acting(WORKER):
            process_submission(tenant_id=self.tenant_id, submission_id=UUID(submission_id))
        with open_tenant(self.tenant_id):
            return Submission.objects.get(pk=submission_id)

    def findings(self) -> dict[tuple[str, str], tuple[str, str, bool]]:
        """What stands: (check, resource) -> (outcome, observed, gone)."""
        with open_tenant(self.tenant_id):
            rows = Finding.objects.exclude(stream=None)
            return {
                (row.check_id, row.resource_arn): (row.outcome, row.observed, row.gone_at is not None)
                for row in rows
            }

    def status(self, citation: str) -> str:
        with open_tenant(self.tenant_id):
            row = SafeguardStatus.objects.filter(citation=citation, valid_to=None).first()
            return row.status if row else "undetermined"


@pytest.fixture
def pusher(transactional_db: None) -> Pusher:
    return Pusher()


def ocsf(
    check: str, resource: str, status: str = "FAIL", *, at: int = 1_790_000_000, severity: int = 4,
    citations: tuple[str, ...] = ("164.312(b)",), message: str = "", account: str = "111122223333",
) -> dict[str, Any]:  # fmt: skip
    """A Compliance Finding, as prowler writes them."""
    return {
        "class_uid": 2003, "severity_id": severity, "status_code": status, "time": at,
        "message": message or f"{check} on {resource}",
        "metadata": {"version": "1.5.0", "product": {"name": "Prowler", "version": "5.46.0"}, "event_code": check},
        "finding_info": {"uid": f"{check}-{resource}", "title": f"About {check}"},
        "compliance": {"control": check, "requirements": list(citations)},
        "resources": [{"uid": resource, "name": resource, "region": "us-east-1", "type": "AwsS3Bucket"}],
        "cloud": {"account": {"uid": account}, "region": "us-east-1", "provider": "aws"},
    }  # fmt: skip
