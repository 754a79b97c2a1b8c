"""A covered entity and its business associate at the end of their work, and what AWS answers of it run by run."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.tenancy.scope import open_tenant
from assessments.exits.items import item_of
from assessments.exits.services.certifying import sign_certificate
from assessments.models import Exit, ExitEvidence, Partnership
from assessments.timers.services import run_timer
from evidence import vault
from evidence.models import AwsConnection, CollectionUnit, Snapshot
from tasks.timers import HANDLERS
from tests.accounts.factories import make_ready_person
from tests.factories import make_connection, make_run, make_tenant
from tests.partnerships.factories import make_partnership

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
DEADLINE_SECONDS = 300
ENDED = {"runs_from": timezone.now().date().isoformat(), "reason": "The service was replaced.", "systems": ""}


@dataclass(frozen=True)
class Parties:
    """Two tenants with an owner each, and their partnership."""

    upstream: Tenant
    downstream: Tenant
    asker: Person
    officer: Person
    partnership: Partnership


def make_parties() -> Parties:
    upstream, downstream = make_tenant("Mercy Lakes"), make_tenant("Cloud Billing", kind="business_associate")
    asker, officer = make_ready_person(tenant=upstream), make_ready_person(tenant=downstream)
    return Parties(upstream, downstream, asker, officer, make_partnership(upstream, downstream))


def begin(parties: Parties, client: Any, **fields: str) -> Exit:
    """An exit that the covered entity began on its page."""
    answer = client.post(f"/exits/new/{parties.partnership.associate_id}/", {**ENDED, **fields})
    assert answer.status_code == 302, answer.content.decode()
    with open_tenant(parties.upstream.pk):
        return Exit.objects.get(closed_at=None)


def answer_all(exit_: Exit, client: Any, **instead: dict[str, str]) -> None:
    """Every item answered on the business associate's page: by the first answer that fits, unless told otherwise."""
    for item in map(item_of, exit_.items):
        said = {"said": item.answers[0], "on": ENDED["runs_from"], **instead.get(item.key, {})}
        answer = client.post(f"/exits/received/{exit_.pk}/items/{item.key}/", said)
        assert answer.status_code == 302, answer.content.decode()


def accept_all(exit_: Exit, client: Any) -> None:
    """Every item accepted on the covered entity's page."""
    for item in exit_.items:
        answer = client.post(f"/exits/{exit_.pk}/items/{item['key']}/review/", {"verdict": "accepted"})
        assert answer.status_code == 302


def collect(connection: AwsConnection, *payloads: dict[str, Any], missing: tuple[str, ...] = ()) -> None:
    """A finished run in which AWS answered so; `missing` collectors gave nothing."""
    tenant = Tenant(pk=connection.tenant_id)
    now = timezone.now()
    run = make_run(tenant, connection, state="finished", verdict="complete", started_at=now, finished_at=now)
    with open_tenant(tenant.pk):
        for payload in payloads:
            about = {"collector": payload["collector"], "region": payload["region"]}
            raw = json.dumps(
                {"account_id": connection.aws_account_id, "version": 1, "gaps": [], **payload}
            ).encode()
            blob = vault.seal(raw, tenant_id=tenant.pk, media_type="application/json").keep()
            snapshot, _ = Snapshot.objects.get_or_create(
                connection=connection, collector_version=1, blob=blob, **about,
                defaults={"run": run, "gap_count": 0, "aws_account_id": connection.aws_account_id, "provenance": {},
                          "collected_at": now, "sealed_at": now},
            )  # fmt: skip
            CollectionUnit.objects.create(
                run=run, state="done", snapshot=snapshot, collected_at=timezone.now(), **about
            )
        for collector in missing:
            region = "global" if collector == "s3" else "us-east-1"
            gap = {"operation": "*", "reason": "denied", "code": "AccessDenied", "message": "not authorized"}
            CollectionUnit.objects.create(
                run=run, collector=collector, region=region, state="done", gaps=[gap]
            )


def buckets(*names: str, **more: Any) -> dict[str, Any]:
    """What S3 answers."""
    listed = {"": {"response": {"Buckets": [{"Name": name} for name in names]}}}
    return {"collector": "s3", "region": "global", "calls": {"ListBuckets": listed}, **more}


def keys(state: str | None, **more: str) -> dict[str, Any]:
    """What KMS answers of the one key; None: it isn't listed."""
    described = {"KeyMetadata": {"KeyId": KEY, "KeyManager": "CUSTOMER", "KeyState": state, **more}}
    calls = {
        "ListKeys": {"": {"response": {"Keys": [{"KeyId": KEY}] if state else []}}},
        "ListAliases": {"": {"response": {"Aliases": [{"AliasName": "alias/claims", "TargetKeyId": KEY}]}}},
        "DescribeKey": {KEY: {"response": described}} if state else {},
    }
    return {"collector": "kms", "region": "us-east-1", "calls": calls}


def make_account(tenant: Tenant) -> AwsConnection:
    """A connection whose account lists two buckets and a key."""
    connection = make_connection(tenant)
    collect(connection, buckets("claims", "website"), keys("Enabled"))
    return connection


def name(exit_: Exit, client: Any, connection: AwsConnection, kind: str, *values: str) -> Any:
    """Resources named on the page that lists them."""
    path = f"/exits/received/{exit_.pk}/resources/?connection={connection.pk}&kind={kind}"
    return client.post(path, {"resource": list(values)})


def looks(exit_: Exit, client: Any) -> ExitEvidence:
    """What the covered entity is shown, after somebody looked again."""
    assert client.post(f"/exits/received/{exit_.pk}/look/").status_code == 302
    with open_tenant(exit_.upstream_id):
        return ExitEvidence.received.get(exit_id=exit_.pk)


def run_due(tenant: Tenant, kind: str, row_id: UUID) -> bool:
    """Lets a timer act now."""
    from assessments.models import Timer
    from assessments.timers.services import set_timer

    with open_tenant(tenant.pk):
        assert Timer.objects.filter(kind=kind, row_id=row_id, ring_at__isnull=False).exists()
        timer = set_timer(kind, row_id, timezone.now() - timedelta(seconds=1))
    return run_timer(tenant_id=tenant.pk, timer_id=timer.pk, handlers=HANDLERS)


def sign(tenant: Tenant, certificate_id: UUID) -> None:
    """Is the worker until nothing is left to do."""
    deadline = timezone.now() + timedelta(seconds=DEADLINE_SECONDS)
    while timezone.now() < deadline:
        if sign_certificate(tenant_id=tenant.pk, certificate_id=certificate_id) is None:
            return
        threading.Event().wait(0.05)
    raise AssertionError("the sealer did not sign")
