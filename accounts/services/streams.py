"""Streams of the audit log to a tenant's own systems: set up, paused, moved back, ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.x509 import load_pem_x509_certificates
from django.db.models import F
from django.utils import timezone

from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.streams.models import AuditStream, StreamKind, StreamState
from accounts.audit.streams.senders import check_target, secret_place
from accounts.errors import InvalidInput, NotFound
from accounts.sealing import seal
from accounts.webhooks.signing import new_secret

MOST_STREAMS = 10


@dataclass(frozen=True, slots=True)
class StreamMade:
    """A stream and its secret, which is shown once; "" for syslog."""

    stream: AuditStream
    secret: str


def create_stream(
    *, name: str, kind: StreamKind, target: str, authority: str = "", from_start: bool = False
) -> StreamMade:
    """Sets up a stream from now on, or from the log's first entry. Raises InvalidInput."""
    check_target(kind, target)
    _check_authority(authority)
    if AuditStream.objects.count() >= MOST_STREAMS:
        raise InvalidInput(f"A tenant has at most {MOST_STREAMS} streams. Remove one first.")
    stream = AuditStream(
        name=name,
        kind=kind,
        target=target,
        authority=authority,
        position=0 if from_start else proofs.tree_size(),
    )
    secret = _renew_secret(stream) if kind is StreamKind.WEBHOOK else ""
    stream.save()
    record(
        Act.STREAM_CREATE, object_type="stream", object_id=stream.pk, name=name, kind=str(kind), target=target,
        position=stream.position,
    )  # fmt: skip
    return StreamMade(stream, secret)


def pause_stream(*, stream_id: UUID) -> None:
    """Sends nothing more until it is resumed; the position stays. Raises NotFound."""
    _change(stream_id, "pause", state=StreamState.PAUSED)


def resume_stream(*, stream_id: UUID) -> None:
    """Goes on, and tries at once. Raises NotFound."""
    _change(stream_id, "resume", state=StreamState.ACTIVE, failures=0, due_at=timezone.now())


def replay_stream(*, stream_id: UUID, position: int) -> None:
    """Sends again from a leaf's index. Raises NotFound, InvalidInput."""
    if not 0 <= position <= proofs.tree_size():
        raise InvalidInput("Give the number of an entry that is sealed.", field="position")
    _change(stream_id, "replay", position=position, due_at=timezone.now())


def rotate_stream_secret(*, stream_id: UUID) -> StreamMade:
    """Gives a webhook another secret; the old one ends at once. Raises NotFound, InvalidInput."""
    stream = _find(stream_id)
    if stream.kind != StreamKind.WEBHOOK:
        raise InvalidInput("Only a webhook has a secret.")
    secret = _renew_secret(stream)
    _change(stream_id, "secret", secret=stream.secret)
    return StreamMade(stream, secret)


def remove_stream(*, stream_id: UUID) -> None:
    """Ends a stream. Raises NotFound."""
    stream = _find(stream_id)
    record(
        Act.STREAM_REMOVE,
        object_type="stream",
        object_id=stream_id,
        name=stream.name,
        position=stream.position,
    )
    stream.delete()


def _change(stream_id: UUID, change: str, **fields: Any) -> None:
    stream = _find(stream_id)
    # A raised fence makes a delivery that is under way forget its result.
    AuditStream.objects.filter(pk=stream.pk).update(fence=F("fence") + 1, lease_until=None, **fields)
    record(
        Act.STREAM_CHANGE, object_type="stream", object_id=stream_id, change=change,
        position=fields.get("position", stream.position),
    )  # fmt: skip


def _find(stream_id: UUID) -> AuditStream:
    found: AuditStream | None = AuditStream.objects.select_for_update().filter(pk=stream_id).first()
    if found is None:
        raise NotFound("There is no such stream.")
    return found


def _renew_secret(stream: AuditStream) -> str:
    secret = new_secret()
    stream.secret = seal(secret.encode(), place=secret_place(stream))
    return secret


def _check_authority(pem: str) -> None:
    if not pem:
        return
    try:
        load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise InvalidInput("These are no certificates in PEM form.", field="authority") from error
