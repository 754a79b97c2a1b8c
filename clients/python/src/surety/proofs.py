"""Whether a receipt stands in the sealed audit log (RFC 9162 section 2.1.3.2; C2SP tlog-checkpoint and signed-note).

It shares no code with the portal, so that it can disagree with it. docs/audit-log.md says what is signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surety.errors import ReceiptUnproven, SettingUnfit

ED25519 = b"\x01"
HASH_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Where in the log a receipt stands: `size` is how long the log was when it was signed, `key` by whom.

    `fingerprint` is the SHA-256 of the key's line, in hex: compare it with what you got by another way.
    """

    index: int
    size: int
    origin: str
    key: str
    fingerprint: str


def verify_inclusion(answer: Mapping[str, Any], fingerprint: str = "") -> Inclusion:
    """What the proof in `Client.receipt(id)` proves, by the log's key; `fingerprint` says which key that must be.

    Raises ReceiptUnproven, also where there is no proof yet; SettingUnfit without cryptography.
    """
    proof = answer.get("proof")
    if not isinstance(proof, Mapping):
        raise ReceiptUnproven("There is no proof yet: the log is sealed shortly. Ask again.")
    try:
        return _verified(str(answer["receipt"]), proof, fingerprint)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ReceiptUnproven(f"The proof can't be read: {error}") from None


def _verified(receipt: str, proof: Mapping[str, Any], fingerprint: str) -> Inclusion:
    key, index, size = str(proof["key"]), int(proof["index"]), int(proof["size"])
    found = hashlib.sha256(key.encode()).hexdigest()
    if fingerprint and fingerprint.lower() != found:
        raise ReceiptUnproven(f"The log's key is another than the one that you named: {found}")
    entry = base64.b64decode(proof["entry"], validate=True)
    details = json.loads(entry).get("details")
    if not isinstance(details, dict) or details.get("receipt_sha256") != _sha256(receipt.encode()).hex():
        raise ReceiptUnproven("The entry in the log is about another receipt.")
    origin, signed_size, signed_root = _read_checkpoint(str(proof["checkpoint"]), key)
    if origin != f"surety/{_tenant(receipt)}":
        raise ReceiptUnproven("The checkpoint is of another tenant's log.")
    path = [_hash(base64.b64decode(text, validate=True)) for text in proof["path"]]
    if signed_size != size or root_of(entry, index, size, path) != signed_root:
        raise ReceiptUnproven("The proof doesn't lead to what the log's key signed.")
    return Inclusion(index=index, size=size, origin=origin, key=key, fingerprint=found)


def root_of(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which the path leads from an entry, in a tree of `size` entries. Raises ReceiptUnproven."""
    if not 0 <= index < size:
        raise ReceiptUnproven(f"The log has no entry {index} of {size}.")
    last, root = size - 1, _sha256(b"\x00" + entry)
    for sibling in path:
        if last == 0:
            raise ReceiptUnproven("The proof is too long.")
        if index & 1 or index == last:
            root = _sha256(b"\x01" + sibling + root)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            root = _sha256(b"\x01" + root + sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ReceiptUnproven("The proof is too short.")
    return root


def _read_checkpoint(note: str, key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a note that the key signed. Raises ReceiptUnproven, ValueError."""
    text, _, signatures = note.rpartition("\n\n")
    body = f"{text}\n"
    if not any(_is_signature(line, body, key) for line in signatures.splitlines()):
        raise ReceiptUnproven("The log's checkpoint isn't signed by the log's key.")
    origin, size, root, *_ = body.split("\n")
    return origin, int(size), _hash(base64.b64decode(root, validate=True))


def _is_signature(line: str, body: str, key: str) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise SettingUnfit("To verify proofs install surety-client[verify].") from None
    name, _, encoded = key.split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if raw[:1] != ED25519:
        raise ReceiptUnproven("The log's key isn't of Ed25519.")
    named = _sha256(f"{name}\n".encode() + raw)[:4]
    dash, signer, signature = line.split(" ")
    signed = base64.b64decode(signature, validate=True)
    if (dash, signer, signed[:4]) != ("\N{EM DASH}", name, named):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signed[4:], body.encode())
    except InvalidSignature:
        return False
    return True


def _tenant(receipt: str) -> str:
    """Whom the receipt names; that it is signed is for surety.verify to say."""
    payload = receipt.split(".")[1]
    tenant: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["tenant"]
    return tenant


def _hash(data: bytes) -> bytes:
    if len(data) != HASH_SIZE:
        raise ValueError(f"{len(data)} bytes are no SHA-256")
    return data


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
