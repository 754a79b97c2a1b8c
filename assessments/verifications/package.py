"""The signed ZIP of a certified packet: the document, the log's entry that certifies it, what proves both offline."""

from __future__ import annotations

from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.package import PackageFormat, PackageInfo
from accounts.audit.segment import Segment
from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments import certified
from assessments.verifications.models import VerificationDocument, VerificationPacket


def package_bytes(*, tenant_id: UUID, packet_id: UUID, segment: Segment) -> bytes:
    """The ZIP, signed by the log's sealer; called outside of any transaction.

    Raises Unavailable when the sealer doesn't answer.
    """
    with open_tenant(tenant_id):
        packet = VerificationPacket.objects.get(pk=packet_id)
        document = VerificationDocument.objects.get(packet_id=packet_id)
        name = Tenant.objects.get(pk=tenant_id).name
    info = PackageInfo(
        PackageFormat.VERIFICATION, tenant_id, name, created_at=packet.certified_at or document.made_at,
        more={"packet": str(packet_id), "title": packet.title},
    )  # fmt: skip
    files = {"verification.pdf": bytes(document.pdf), "verification.json": document.content.encode()}
    return certified.package_bytes(
        info=info, files=files, segment=segment, act=Act.VERIFICATION_CERTIFY, object_id=packet_id
    )
