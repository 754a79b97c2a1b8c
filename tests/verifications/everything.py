"""One of each row of verifications, for the tests of isolation."""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from assessments.models import (
    VerificationDelivery,
    VerificationDocument,
    VerificationPacket,
    VerificationReceipt,
    VerificationRecipient,
    VerificationReminder,
    VerificationSection,
)
from evidence import vault
from tests.factories import make_onlooker, make_tenant

CITATION = "164.312(a)(1)"


def verification_rows(owner: Person, mark: str) -> dict[str, Any]:
    """Rows of the open tenant, as business associate and as covered entity."""
    now = timezone.now()
    packet = VerificationPacket.objects.create(
        title=f"{mark} packet"[:200], as_of=now, drafted_by=owner, covers=mark, additions=mark, snapshots=[]
    )
    facts = {
        "title": mark, "status_label": "gap", "level": "Required", "decided": 0, "total": 0, "citation": CITATION,
        "status": "not_satisfied", "why": mark, "oldest": "", "newest": "", "regions": [], "unseen": [],
    }  # fmt: skip
    section = VerificationSection.objects.create(
        packet=packet,
        position=0,
        citation=CITATION,
        status="not_satisfied",
        drafted=mark,
        analysis=mark,
        facts=facts,
    )
    VerificationRecipient.objects.create(
        packet=packet, partnership_id=new_id(), name=f"{mark} entity"[:200], scope=mark
    )
    frozen = VerificationPacket.objects.create(title=f"{mark} frozen"[:200], as_of=now, drafted_by=owner)
    VerificationDocument.objects.create(
        packet=frozen, content=f'"{mark}"', content_sha256="0" * 64, pdf=mark.encode(), pdf_sha256="0" * 64
    )
    VerificationReceipt.objects.create(
        viewer=make_onlooker(), partnership_id=new_id(), delivery_id=new_id(), answer="refused", reasons=mark,
        by_name=f"{mark} owner"[:200],
    )  # fmt: skip
    VerificationReminder.objects.create(partnership_id=new_id(), due_on=now.date(), stage="due", mails=1)
    _delivery(make_onlooker(), mark)
    return {"verification": packet, "section": section}


def received_delivery(tenant: Tenant, mark: str) -> VerificationDelivery:
    """What another tenant delivered to this one, with its package in the vault."""
    sender, package = make_tenant(), io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("verification.pdf", "%PDF-1.7")
    with open_tenant(sender.pk):
        delivery = _delivery(tenant, mark)
        with vault.seal_stream(address=f"verification-{delivery.pk}", context=delivery.context) as sink:
            sink.write(package.getvalue())
        kept = {field.name: getattr(sink.kept, field.name) for field in fields(sink.kept)}
        VerificationDelivery.objects.filter(pk=delivery.pk).update(**kept)
    return delivery


def _delivery(viewer: Tenant, mark: str) -> VerificationDelivery:
    return make_delivery(viewer, mark, partnership_id=new_id())


def make_delivery(viewer: Tenant, mark: str, **fields: Any) -> VerificationDelivery:
    """A row of the open tenant's, with no package."""
    now = timezone.now()
    usual = {"due_on": now.date() + timedelta(days=365), "certified_at": now}
    return VerificationDelivery.objects.create(
        **{**usual, **fields}, viewer=viewer, packet_id=new_id(), sender_name=f"{mark} sender"[:200],
        recipient_name=f"{mark} recipient"[:200], title=f"{mark} packet"[:200], scope=mark, rule_set="current",
        year=now.year, delivered_at=now, sha256="0" * 64,
        expert_name=f"{mark} expert"[:200], expert_qualification=mark[:400], officer_name=f"{mark} officer"[:200],
        officer_title="CIO", evidenced=1, gaps=1, not_evidenced=1,
    )  # fmt: skip
