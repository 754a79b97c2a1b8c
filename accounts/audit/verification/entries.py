"""Whether an entry is what was recorded: its MAC, its columns, its leaf. A million rows in some seconds."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any, NamedTuple
from uuid import UUID

from accounts.audit.verification.merkle import hash_leaf


class SealedRow(NamedTuple):
    """A leaf, and the entry of the same id; an entry that is missing has only None. Ids are 16 bytes."""

    leaf_index: int
    leaf_hash: bytes
    leaf_tenant: bytes
    id: bytes | None
    tenant: bytes
    body: bytes
    mac: bytes
    mac_key_id: str
    occurred_at: datetime
    act: str
    outcome: str
    object_type: str
    object_id: str
    actor_kind: str
    actor_id: str
    actor_name: str
    address: str | None
    request_id: str


COLUMNS = (
    "l.leaf_index, l.leaf_hash, l.tenant_id, e.id, e.tenant_id, e.body, e.mac, e.mac_key_id, e.occurred_at, e.act,"
    " e.outcome, e.object_type, e.object_id, e.actor_kind, e.actor_id, e.actor_name, host(e.address), e.request_id"
)
"""What a SealedRow is selected by, with `l` the leaf and `e` the entry."""


def find_fault(row: SealedRow, mac_keys: Mapping[str, bytes]) -> str | None:
    """What is wrong with the entry, as the end of a sentence that begins with it; None where nothing is."""
    if row.id is None:
        return "has a leaf, but is not there: it was deleted"
    key = mac_keys.get(row.mac_key_id)
    if key is None:
        return f"has a MAC of the unknown key {row.mac_key_id!r}"
    if not hmac.compare_digest(hmac.digest(key, row.body, "sha256"), row.mac):
        return "was changed or invented: its MAC is not that of its body"
    if hash_leaf(row.body) != row.leaf_hash:
        return "is not what was sealed: its leaf has the hash of another body"
    if row.tenant != row.leaf_tenant:
        return "was moved from the log of another tenant"
    return _find_difference(row, json.loads(row.body))


def _find_difference(row: SealedRow, said: dict[str, Any]) -> str | None:
    thing, actor = said["object"], said["actor"]
    body = (
        bytes.fromhex(said["id"].replace("-", "")), bytes.fromhex(said["tenant"].replace("-", "")), said["act"],
        said["outcome"], thing["type"], thing["id"], actor["kind"], actor["id"], actor["name"], said["request"],
        datetime.fromisoformat(said["at"]),
    )  # fmt: skip
    columns = (
        row.id, row.tenant, row.act, row.outcome, row.object_type, row.object_id, row.actor_kind, row.actor_id,
        row.actor_name, row.request_id, row.occurred_at,
    )  # fmt: skip
    if body != columns:
        different = [name for name, one, other in zip(_NAMES, body, columns, strict=True) if one != other]
        return f"has columns that were changed: {', '.join(different)} are not what its body says"
    if (row.address or "") != actor["address"] and not _same_address(row.address, actor["address"]):
        return "has columns that were changed: address is not what its body says"
    return None


_NAMES = (
    "id", "tenant", "act", "outcome", "object_type", "object_id", "actor_kind", "actor_id", "actor_name",
    "request_id", "occurred_at",
)  # fmt: skip


def _same_address(column: str | None, said: str) -> bool:
    """One address can be written in several ways."""
    try:
        return bool(column) and ip_address(column or "") == ip_address(said)
    except ValueError:
        return False


def name_id(raw: bytes) -> str:
    """An id for people."""
    return str(UUID(bytes=raw))
