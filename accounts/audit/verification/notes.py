"""Signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), read and judged."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NoteFault(ValueError):
    """What is wrong with a note, as the end of a sentence that begins with what the note is."""


class Key(NamedTuple):
    """A key that may sign: the four bytes by which signatures name it."""

    name: str
    hash: bytes
    public: Ed25519PublicKey
    vkey: str


class Head(NamedTuple):
    """What a checkpoint says, and the text that says it."""

    origin: str
    size: int
    root: bytes
    epoch: int
    time: datetime
    text: bytes


class KeyRow(NamedTuple):
    """A row of the table of keys, oldest first."""

    key_id: str
    vkey: str
    public_key: bytes
    certificate: str | None


def read_key(vkey: str) -> Key:
    """A key of its line. Raises NoteFault."""
    try:
        name, named, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        digest = sha256(name.encode() + b"\n" + raw).digest()[:4]
        if raw[:1] != b"\x01" or digest.hex() != named:
            raise NoteFault("is not an Ed25519 key with the hash that it names")
        return Key(name, digest, Ed25519PublicKey.from_public_bytes(raw[1:]), vkey)
    except ValueError as error:
        raise NoteFault("is malformed") from error


def fingerprint(vkey: str) -> str:
    """By which people compare a key: SHA-256 of its line, in hex."""
    return sha256(vkey.encode()).hexdigest()


def signed_text(note: str, keys: Iterable[Key]) -> bytes:
    """The text that the note signs. Raises NoteFault unless one of the keys has signed it, and none wrongly."""
    text, gap, lines = note.rpartition("\n\n")
    signed = False
    by_name = {(key.name, key.hash): key for key in keys}
    for line in lines.splitlines() if gap else ():
        name, raw = _signature(line)
        key = by_name.get((name, raw[:4]))
        if key is not None:
            _verify(key, raw[4:], f"{text}\n".encode())
            signed = True
    if not signed:
        raise NoteFault("is not signed by a key of the log")
    return f"{text}\n".encode()


def _signature(line: str) -> tuple[str, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        if dash != "\N{EM DASH}":
            raise NoteFault("has a malformed signature")
        return name, base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NoteFault("has a malformed signature") from error


def _verify(key: Key, signature: bytes, text: bytes) -> None:
    try:
        key.public.verify(signature, text)
    except InvalidSignature as error:
        raise NoteFault("has a signature that does not belong to its text") from error


def read_head(note: str, keys: Iterable[Key]) -> Head:
    """The checkpoint that a note signs. Raises NoteFault."""
    text = signed_text(note, keys)
    try:
        origin, size, root, epoch, time, end = text.decode().split("\n")
        if end or not epoch.startswith("epoch ") or not time.startswith("time "):
            raise NoteFault("is not a checkpoint")
        digest = base64.b64decode(root, validate=True)
        return Head(origin, int(size), digest, int(epoch[6:]), datetime.fromisoformat(time[5:]), text)
    except ValueError as error:
        raise NoteFault("is not a checkpoint") from error


def judge_keys(rows: Iterable[KeyRow], pinned: str = "") -> tuple[list[Key], list[str]]:
    """The keys of the log, and what is wrong with them in sentences. `pinned`: a fingerprint that one must have."""
    keys: list[Key] = []
    faults: list[str] = []
    for row in rows:
        try:
            keys.append(_judge_key(row, keys, pinned))
        except NoteFault as fault:
            faults.append(f"the key {row.vkey} {fault}")
    if pinned and pinned not in {fingerprint(key.vkey) for key in keys}:
        faults.append(f"none of the log's keys has the fingerprint {pinned}")
    return keys, faults


def _judge_key(row: KeyRow, before: list[Key], pinned: str) -> Key:
    key = read_key(row.vkey)
    if key.public.public_bytes_raw() != row.public_key or key.hash.hex() != row.key_id:
        raise NoteFault("is not the public key in its row")
    # After the loss of a key its successor is certified by nobody: whoever pins it says that it is the one.
    if before and not (row.certificate is None and fingerprint(row.vkey) == pinned):
        if row.certificate is None:
            raise NoteFault("is not certified by the key before")
        try:
            text = signed_text(row.certificate, before[-1:])
        except NoteFault as fault:
            raise NoteFault(f"has a certificate that {fault}") from fault
        if text.decode().split("\n")[:2] != ["surety-key/1", row.vkey]:
            raise NoteFault("has the certificate of another key")
    return key
