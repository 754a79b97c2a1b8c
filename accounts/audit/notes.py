"""Signed notes and checkpoints as C2SP writes them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), with Ed25519.

A note is a text that ends in a newline, an empty line, and signature lines. Leaf data of the global log is the text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_NAME = "surety"
GLOBAL_ORIGIN = "surety/checkpoints"
_ED25519 = b"\x01"
_DASH = "\N{EM DASH} "


class NoteError(ValueError):
    """The note is malformed, or none of the given keys has signed it."""


def tenant_origin(tenant_id: object) -> str:
    """The origin line of a tenant's checkpoints."""
    return f"surety/{tenant_id}"


def key_hash(public_key: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(KEY_NAME.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def encode_vkey(public_key: bytes) -> str:
    """A verifier key: name, hash and key in one line."""
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{KEY_NAME}+{key_hash(public_key).hex()}+{encoded}"


def write_note(text: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The signed note of a text that ends in a newline. `sign` is Ed25519 with the key's private half."""
    if not text.endswith("\n") or "\n\n" in text:
        raise NoteError("a note's text ends in a newline and has no empty line")
    line = base64.b64encode(key_hash(public_key) + sign(text.encode())).decode()
    return f"{text}\n{_DASH}{KEY_NAME} {line}\n"


def open_note(note: str, public_keys: Iterable[bytes]) -> str:
    """The text of a note that one of the keys has signed. Raises NoteError."""
    text = note_text(note)
    signatures = _signatures(note[len(text) + 1 :])
    for key in public_keys:
        signature = signatures.get(key_hash(key))
        if signature and _signed(key, signature, text.encode()):
            return text
    raise NoteError("no known key has signed the note")


def note_text(note: str) -> str:
    """The signed part of a note, its signatures unchecked. Raises NoteError."""
    text, empty, _signatures = note.rpartition("\n\n")
    if not empty:
        raise NoteError("the note has no signatures")
    return f"{text}\n"


def _signatures(lines: str) -> dict[bytes, bytes]:
    found = {}
    for line in lines.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH):
            raise NoteError("a signature line does not begin as one")
        if name == KEY_NAME:
            try:
                decoded = base64.b64decode(encoded, validate=True)
            except binascii.Error as error:
                raise NoteError("a signature is not base64") from error
            found[decoded[:4]] = decoded[4:]
    return found


def _signed(key: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the sealer signs of a tree: its size and root, with when and in which epoch of the database."""

    origin: str
    size: int
    root: bytes
    epoch: int
    time: datetime

    def text(self) -> str:
        """The lines that are signed."""
        return "\n".join(
            [
                self.origin, str(self.size), base64.b64encode(self.root).decode(), f"epoch {self.epoch}",
                f"time {rfc3339(self.time)}", "",
            ]
        )  # fmt: skip


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a text (a note's signed part). Raises NoteError."""
    try:
        origin, size, root, epoch, time, end = text.split("\n")
        digest = base64.b64decode(root, validate=True)
        found = Checkpoint(
            origin,
            int(size),
            digest,
            int(epoch.removeprefix("epoch ")),
            datetime.fromisoformat(time.removeprefix("time ")),
        )
    except ValueError as error:
        raise NoteError("not a checkpoint of this log") from error
    if end or found.text() != text:
        raise NoteError("not a checkpoint of this log as the sealer writes them")
    return found


def certificate_text(vkey: str, at: datetime) -> str:
    """What the key before signs of its successor."""
    return f"surety-key/1\n{vkey}\n{rfc3339(at)}\n"


def rfc3339(at: datetime) -> str:
    """A time in UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
