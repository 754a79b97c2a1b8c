"""That a receipt stands in the sealed log is proven from any place in it, and a proof that lies is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest
from surety import ReceiptUnproven, verify_inclusion

from accounts.audit.keys import LocalSigner
from accounts.audit.notes import Checkpoint, encode_vkey, tenant_origin, write_note
from tests.accounts.audit import rfc9162
from tests.clients.portal import sign

SIGNER = LocalSigner("the key of a log under test")
KEY = encode_vkey(SIGNER.public_key)
TENANT = "0190b3f0-0000-7000-8000-000000000009"
RECEIPT = sign({"tenant": TENANT, "id": "x"})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def entry(receipt: str) -> bytes:
    digest = hashlib.sha256(receipt.encode()).hexdigest()
    return json.dumps({"act": "submission.receive", "details": {"receipt_sha256": digest}}).encode()


def answer(index: int, size: int, signer: LocalSigner = SIGNER, tenant: str = TENANT) -> dict:
    """What the portal answers where the receipt's entry is one of `size`."""
    leaves = [rfc9162.leaf(f"entry {number}".encode()) for number in range(size)]
    leaves[index] = rfc9162.leaf(entry(RECEIPT))
    at = datetime(2026, 3, 31, tzinfo=UTC)
    text = Checkpoint(tenant_origin(tenant), size, rfc9162.tree_head(leaves), 1, at).text()
    return {
        "receipt": RECEIPT,
        "proof": {
            "entry": b64(entry(RECEIPT)), "index": index, "size": size, "path": [b64(each) for each in rfc9162.path(index, leaves)],
            "checkpoint": write_note(text, signer.public_key, signer.sign), "key": KEY,
        },
    }  # fmt: skip


def test_every_entry_of_logs_of_every_shape_is_proven():
    for size in range(1, 18):
        for index in range(size):
            found = verify_inclusion(answer(index, size))
            assert (found.index, found.size, found.origin) == (index, size, f"surety/{TENANT}")
    fingerprint = hashlib.sha256(KEY.encode()).hexdigest()
    assert found.fingerprint == fingerprint
    assert verify_inclusion(answer(2, 5), fingerprint.upper()) == verify_inclusion(answer(2, 5))


def test_a_proof_that_lies_is_refused():
    right = answer(2, 5)
    other = LocalSigner("somebody else's")
    for lie in (
        {"index": 3}, {"index": -1}, {"index": 5}, {"size": 6}, {"path": []}, {"path": right["proof"]["path"][:-1]},
        {"path": [*right["proof"]["path"], b64(b"x" * 32)]}, {"path": [b64(b"x" * 31)] * 3}, {"path": [b64(b"x" * 32)] * 3},
        {"path": "x"}, {"entry": b64(entry("another receipt"))}, {"entry": b64(b"{}")}, {"entry": "?"}, {"entry": b64(b"[1]")},
        {"checkpoint": answer(2, 5, other)["proof"]["checkpoint"]}, {"checkpoint": answer(1, 4)["proof"]["checkpoint"]},
        {"checkpoint": right["proof"]["checkpoint"].replace("\n5\n", "\n6\n")}, {"checkpoint": ""}, {"checkpoint": "\n\n\n"},
        {"checkpoint": answer(2, 5, tenant="0190b3f0-0000-7000-8000-00000000000a")["proof"]["checkpoint"]},
        {"key": encode_vkey(other.public_key)}, {"key": "x"}, {"key": f"surety+x+{b64(bytes(33))}"},
    ):  # fmt: skip
        changed = {**right["proof"], **lie}
        assert changed != right["proof"], lie
        with pytest.raises(ReceiptUnproven):
            verify_inclusion({**right, "proof": changed})
    for less in (
        {"receipt": RECEIPT, "proof": None},
        {**right, "receipt": sign({"tenant": TENANT, "id": "y"})},
        {},
    ):
        with pytest.raises(ReceiptUnproven):
            verify_inclusion(less)
    with pytest.raises(ReceiptUnproven, match="another than the one that you named"):
        verify_inclusion(right, "00" * 32)
