"""The downstream party certifies, and a worker signs: the document is frozen with the log's entry of its digests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.package import PackageFormat, PackageInfo
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound, Unavailable
from accounts.models import Person, Tenant
from accounts.tenancy.scope import open_tenant, savepoint
from accounts.webhooks.events import EventType
from assessments import certified
from assessments.exits import document
from assessments.exits.mail import tell_other
from assessments.exits.models import Exit, ExitCertificate, ExitPackage
from assessments.exits.reading import Picture, Standing, find_received, picture_of
from assessments.exits.services.evidence import refresh_evidence, resources_of
from assessments.exits.webhooks import emit_exit
from assessments.timers.services import set_timer
from evidence import vault
from evidence.queue import ring_after_commit

SIGNING = "exit.sign"
"""The timer that has a certificate signed; its row is the certificate."""
SIGN = "tasks.exits.sign_certificate"
SOON_SECONDS, PATIENT_SECONDS = 1.0, 30.0
AGAIN = timedelta(minutes=1)
LARGEST_PDF = 4 << 20
KEPT_YEARS = 6
PDF, JSON = "certificate.pdf", "certificate.json"


def certify_exit(
    *, exit_id: UUID, person: Person, tenant: Tenant, title: str, authority: str
) -> ExitCertificate:
    """The officer's certificate of what was answered; it is incomplete where something isn't gone, and says so.

    Raises NotFound; Conflict where items wait for an answer, or nothing changed since the last one; Unavailable where
    the document can't be made.
    """
    exit_ = find_received(exit_id=exit_id)
    if exit_.closed_at:
        raise Conflict("This exit is closed.")
    _refuse_unfit(picture_of(exit_))
    facts = refresh_evidence(exit_)
    if not facts and resources_of(exit_):
        raise Conflict("Choose first what the other side is told of the resources that you named.")
    officer = document.Officer(person.name, title, authority, timezone.now())
    row = _freeze(document.Certified(picture_of(exit_), facts, officer), tenant, person)
    said: dict[str, Any] = {
        "sha256": row.pdf_sha256,
        "content_sha256": row.content_sha256,
        "complete": row.complete,
    }
    record(Act.EXIT_CERTIFY, object_type="exit_certificate", object_id=row.pk, exit=str(exit_.pk), **said)
    tell_sharer(
        exit_.upstream_id, Act.EXIT_CERTIFY, reader=exit_.downstream_name, object_type="exit", object_id=exit_.pk,
        **said,
    )  # fmt: skip
    tell_other(
        exit_, subject="A certificate of return or destruction has come",
        text="A business associate has certified what became of your PHI.",
    )  # fmt: skip
    emit_exit(EventType.EXIT_CERTIFIED, exit_, key=row.pk, complete=row.complete)
    set_timer(SIGNING, row.pk, timezone.now())
    return row


def _refuse_unfit(picture: Picture) -> None:
    open_still = [each for each in picture.lines if each.standing in {Standing.WAITING, Standing.MORE}]
    if open_still:
        names = "; ".join(each.item.title for each in open_still)
        raise Conflict(f"These items need an answer first: {names}.")


def _freeze(said: document.Certified, tenant: Tenant, person: Person) -> ExitCertificate:
    exit_, officer, number = said.picture.exit, said.officer, len(said.picture.certificates) + 1
    content = document.content_of(said, number=number, tenant_name=tenant.name)
    text, pdf = certified.canonical(content), certified.pdf_of(document.TEMPLATE, content)
    if len(pdf) > LARGEST_PDF:
        raise InvalidInput("The document is too long. Shorten the answers, or tell counts alone.")
    at = officer.certified_at
    with savepoint():
        row: ExitCertificate = ExitCertificate.objects.create(
            viewer_id=exit_.upstream_id, exit_id=exit_.pk, number=number, upstream_name=exit_.upstream_name,
            downstream_name=exit_.downstream_name, officer_name=officer.name, officer_title=officer.title,
            authority=officer.authority, certified_by=person, certified_at=at, complete=not content["exceptions"],
            exceptions=len(content["exceptions"]), content=text.decode(), content_sha256=certified.sha256(text),
            pdf=pdf, pdf_sha256=certified.sha256(pdf), kept_until=document.six_years_after(at),
        )  # fmt: skip
    return row


def ring_signing(certificate_id: UUID, tenant_id: UUID) -> datetime | None:
    """Rings a worker for a certificate that isn't signed; when to look again, None where it is."""
    if ExitPackage.objects.filter(certificate_id=certificate_id).exists():
        return None
    ring_after_commit(SIGN, tenant_id, [certificate_id])
    return timezone.now() + AGAIN


def sign_certificate(*, tenant_id: UUID, certificate_id: UUID) -> float | None:
    """Signs a certificate, once; the seconds after which to look again, None where nothing is left."""
    with open_tenant(tenant_id):
        row = ExitCertificate.objects.filter(pk=certificate_id).first()
        if row is None or ExitPackage.objects.filter(certificate_id=certificate_id).exists():
            return None
        name = Tenant.objects.get(pk=tenant_id).name
    segment = certified.find_segment(
        tenant_id=tenant_id, act=Act.EXIT_CERTIFY, object_id=row.pk, certified_at=row.certified_at
    )
    if segment is None:
        return SOON_SECONDS
    info = PackageInfo(
        PackageFormat.EXIT, tenant_id, name, created_at=row.certified_at,
        more={"certificate": str(row.pk), "exit": str(row.exit_id)},
    )  # fmt: skip
    files = {PDF: bytes(row.pdf), JSON: row.content.encode()}
    try:
        made = certified.package_bytes(
            info=info, files=files, segment=segment, act=Act.EXIT_CERTIFY, object_id=row.pk
        )
    except Unavailable:
        return PATIENT_SECONDS
    _keep(tenant_id, row, made, segment.size)
    return None


def _keep(tenant_id: UUID, row: ExitCertificate, made: bytes, log_size: int) -> None:
    sealed = certified.keep_package(
        tenant_id=tenant_id, kind="exit", object_id=row.pk, context=row.package_context, made=made
    )
    with open_tenant(tenant_id):
        _package, first = ExitPackage.objects.get_or_create(
            certificate_id=row.pk, defaults={"viewer_id": row.viewer_id, **sealed.columns()}
        )
        if first:
            record(
                Act.EXIT_SIGN, object_type="exit_certificate", object_id=row.pk, sha256=sealed.sha256,
                size=sealed.size, log_size=log_size,
            )  # fmt: skip
    if not first:
        vault.remove_stream(sealed.kept.address)


def find_certificate(*, certificate_id: UUID) -> ExitCertificate:
    """One that the open tenant certified, or that was given to it about an exit of its own. Raises NotFound."""
    own: ExitCertificate | None = ExitCertificate.objects.filter(pk=certificate_id).first()
    if own is not None:
        return own
    found: ExitCertificate | None = ExitCertificate.received.filter(pk=certificate_id).first()
    exit_ = Exit.objects.filter(pk=found.exit_id).first() if found else None
    if found is None or exit_ is None or exit_.downstream_id != found.owner_id:
        raise NotFound("There is no such certificate.")
    return found


def package_of(row: ExitCertificate) -> ExitPackage | None:
    """Its signed ZIP, once there is one."""
    own = ExitPackage.objects.filter(certificate_id=row.pk).first()
    theirs = ExitPackage.received.filter(certificate_id=row.pk, tenant_id=row.owner_id).first()
    found: ExitPackage | None = own or theirs
    return found


def open_package(row: ExitCertificate) -> bytes:
    """The signed ZIP. Raises NotFound before it is signed, NotIntact where it isn't what was signed."""
    package = package_of(row)
    if package is None:
        raise NotFound("This certificate isn't signed yet.")
    return b"".join(vault.open_stream(package.kept, context=row.package_context))


def note_download(row: ExitCertificate, form: str) -> None:
    """Records a download, in the other party's log as well where it is the other's document."""
    record(
        Act.EXIT_DOWNLOAD, object_type="exit_certificate", object_id=row.pk, form=form, sha256=row.pdf_sha256
    )
    if Exit.objects.filter(pk=row.exit_id).exists():
        tell_sharer(
            row.owner_id,
            Act.EXIT_DOWNLOAD,
            reader=row.upstream_name,
            object_type="exit_certificate",
            object_id=row.pk,
        )
