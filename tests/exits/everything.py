"""One of each row of exits, for the tests of isolation."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from assessments.exits.items import checklist
from assessments.models import (
    BusinessAssociate,
    Exit,
    ExitCertificate,
    ExitEvidence,
    ExitPackage,
    ExitPaper,
    ExitProof,
    ExitResource,
    ExitReview,
)
from evidence import vault
from evidence.models import AwsConnection
from tests.factories import make_onlooker, make_tenant


def exit_rows(owner: Person, connection: AwsConnection, received: Exit, mark: str) -> dict[str, Any]:
    """Rows of the open tenant on both sides: an exit by hand that it began, and what it says of a received one."""
    exit_ = _exit(Tenant(pk=connection.tenant_id), mark)
    content = f"%PDF-1.7 {mark} paper".encode()
    blob = vault.seal(content, tenant_id=connection.tenant_id, media_type="application/pdf").keep()
    paper = ExitPaper.objects.create(
        exit=exit_, certified_by=mark[:200], certified_on=timezone.now().date(), recorded_by=owner, blob=blob,
        file_name=f"{mark}.pdf"[:200], words=mark,
    )  # fmt: skip
    viewer = make_onlooker()
    about: dict[str, Any] = {"exit_id": received.pk, "viewer": viewer}
    # Also of an exit that is its own: by hand, it says all by itself.
    for exit_id in (received.pk, exit_.pk):
        said = {**about, "exit_id": exit_id}
        proof = ExitProof.objects.create(item="access", said="done", how=mark, by_name=mark[:200], **said)
        ExitReview.objects.create(
            proof_id=proof.pk, item="access", verdict="accepted", words=mark, by_name=mark[:200], **said
        )
    now = timezone.now()
    resource = ExitResource.objects.create(
        exit_id=received.pk, connection=connection, kind="bucket", region="global", identifier=mark[:512], seen_at=now,
        seen_digest="0" * 64, named_by=owner,
    )  # fmt: skip
    ExitEvidence.objects.create(disclosure="names", unknown=1, facts=[], looked_at=now, **about)
    certificate = ExitCertificate.objects.create(
        number=1, upstream_name=mark[:200], downstream_name=mark[:200], officer_name=mark[:200], officer_title="CIO",
        authority="Board", certified_by=owner, certified_at=now, complete=False, exceptions=1, content=f'"{mark}"',
        content_sha256="0" * 64, pdf=mark.encode(), pdf_sha256="0" * 64, kept_until=now.date(), **about,
    )  # fmt: skip
    with vault.seal_stream(address=f"exit-{certificate.pk}", context=certificate.package_context) as sink:
        sink.write(b"PK")
    ExitPackage.objects.create(
        certificate_id=certificate.pk, viewer=viewer, address=sink.kept.address, wrapped_key=sink.kept.wrapped_key,
        key_id=sink.kept.key_id, ciphertext_digest=sink.kept.ciphertext_digest, stored_size=sink.kept.stored_size,
    )  # fmt: skip
    return {"exit": exit_, "exit_paper": paper, "exit_resource": resource, "exit_certificate": certificate}


def received_exit(tenant: Tenant, mark: str) -> Exit:
    """What another tenant asks of this one."""
    upstream = make_tenant()
    with open_tenant(upstream.pk):
        return _exit(tenant, mark, partnership_id=new_id())


def _exit(viewer: Tenant, mark: str, **fields: Any) -> Exit:
    now = timezone.now()
    associate = BusinessAssociate.objects.create(reference=secrets.token_hex(4), name=f"{mark} leaver"[:200])
    return Exit.objects.create(
        associate=associate, viewer_id=viewer.pk, upstream_name=f"{mark} hospital"[:200],
        downstream_name=f"{mark} leaver"[:200], reason=mark[:1000], began_by_name=f"{mark} owner"[:200],
        items=[item.to_json() for item in checklist([])], runs_from=now.date(), return_days=60, days_why="assumed",
        due_at=now + timedelta(days=60), **fields,
    )  # fmt: skip
