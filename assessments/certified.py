"""What a person certifies: frozen as canonical JSON and PDF/A, its digests in the log, signed as a ZIP that proves it.

The ZIP holds the document, the log's entry that certifies it, and what proves both offline (accounts.audit.package).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import rfc8785
from django.db import connections, models
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.package import PackageInfo, Part, stream_package
from accounts.audit.seals import Seal, is_anchored, place_of
from accounts.audit.segment import Segment, choose_segment, segment_parts
from accounts.errors import Unavailable
from accounts.tenancy.scope import current_database, open_tenant
from assessments.pdf import write_pdf
from evidence import vault
from evidence.vault import StreamKept

STIR_SECONDS = 5
ANCHOR_PATIENCE = timedelta(seconds=90)
"""How long a package waits for its entry in the log to be anchored; without an anchor its package says so."""


class KeptPackage(models.Model):
    """Where the signed ZIP lies in the vault, and what opens it. `package_sha256` is of the ZIP itself."""

    address = models.CharField(max_length=200, blank=True, default="")
    wrapped_key = models.BinaryField(default=b"")
    key_id = models.CharField(max_length=200, blank=True, default="")
    ciphertext_digest = models.CharField(max_length=64, blank=True, default="")
    stored_size = models.PositiveBigIntegerField(default=0)
    package_sha256 = models.CharField(max_length=64, blank=True, default="")
    package_size = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def kept(self) -> StreamKept:
        """Where the ciphertext lies."""
        return StreamKept(
            self.address, bytes(self.wrapped_key), self.key_id, self.ciphertext_digest, self.stored_size
        )


KEPT_FIELDS = tuple(field.name for field in KeptPackage._meta.fields)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed ZIP in the vault."""

    kept: StreamKept
    sha256: str
    size: int

    def columns(self) -> dict[str, Any]:
        """The values of `KEPT_FIELDS`."""
        return {**asdict(self.kept), "package_sha256": self.sha256, "package_size": self.size}


def canonical(content: Any) -> bytes:
    """The content in the form whose digest is certified (RFC 8785)."""
    return rfc8785.dumps(content)


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def sealed_as(seal: Seal | None) -> str:
    """What the log says that evidence was sealed as: its salted commitment, or its SHA-256; "" where it doesn't say."""
    details = json.loads(seal.body)["details"] if seal else {}
    return str(details.get("commitment") or details.get("sha256") or "")


def pdf_of(template: Path, content: Mapping[str, Any]) -> bytes:
    """The content as PDF/A-2b, its facts with `content_sha256`. Raises Unavailable where it can't be made.

    It is made inside the open tenant's transaction, which PostgreSQL ends when it is idle for 15 seconds: on a machine
    that is so busy, something is asked now and then.
    """
    facts = {**content, "content_sha256": sha256(canonical(content))}
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(write_pdf, template, facts)
        while True:
            try:
                return made.result(timeout=STIR_SECONDS)
            except TimeoutError:
                with connections[current_database()].cursor() as cursor:
                    cursor.execute("select 1")


def find_segment(*, tenant_id: UUID, act: Act, object_id: UUID, certified_at: datetime) -> Segment | None:
    """The log's stretch with the entry that certifies; None while it isn't sealed and, for a while, anchored."""
    with open_tenant(tenant_id):
        place = place_of(act, object_id)
    if place is None:
        return None
    try:
        segment = choose_segment(tenant_id=tenant_id, first=place, last=place)
    except Unavailable:
        return None
    with open_tenant(tenant_id):
        anchored = is_anchored(segment.checkpoint)
    return segment if anchored or timezone.now() > certified_at + ANCHOR_PATIENCE else None


def package_bytes(
    *, info: PackageInfo, files: Mapping[str, bytes], segment: Segment, act: Act, object_id: UUID
) -> bytes:
    """The ZIP, signed by the log's sealer; called outside of any transaction. Of the log, it shows one entry alone.

    Raises Unavailable when the sealer doesn't answer.
    """

    def withhold(entry: dict[str, Any]) -> bool:
        return bool(entry["act"] != act or entry["object"]["id"] != str(object_id))

    def parts() -> Iterator[Part]:
        yield from ((name, [data]) for name, data in files.items())
        yield from segment_parts(segment, withhold=withhold)

    return b"".join(stream_package(info=info, parts=parts()))


def keep_package(*, tenant_id: UUID, kind: str, object_id: UUID, context: str, made: bytes) -> Sealed:
    """Puts a signed ZIP into the vault, outside of any transaction. `kind` stands in its address."""
    address = f"{tenant_id}/{str(object_id)[-2:]}/{kind}-{object_id}-{uuid4().hex}"
    with vault.seal_stream(address=address, context=context) as sink:
        sink.write(made)
    return Sealed(sink.kept, sha256(made), len(made))
