"""Brings signed heads of the log of checkpoints to the anchor, oldest first; what fails stays queued."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from accounts.audit.anchor import NOTE, AnchorStore, anchor_name
from accounts.audit.epochs import BUNDLE
from accounts.audit.notes import note_text
from accounts.audit.rows import Connection

FORMAT = "surety-anchor/1"


class Waiting(NamedTuple):
    """A signed head that is not anchored yet."""

    size: int
    note: str
    created_at: datetime


def waiting_heads(connection: Connection) -> list[Waiting]:
    """The heads that are still to be anchored, oldest first."""
    found = connection.execute(
        "SELECT size, note, created_at FROM accounts_auditanchor WHERE anchored_at IS NULL ORDER BY size"
    )
    return [Waiting(*row) for row in found]


def anchor_waiting(connection: Connection, store: AnchorStore, epoch: int) -> int:
    """Anchors what waits, under the epoch's names; how many. Each is marked as soon as it is there.

    Repeating what was interrupted writes the same bytes.

    Raises AnchorUnavailableError, AnchorConflictError.
    """
    heads = waiting_heads(connection)
    for head in heads:
        name = anchor_name(epoch, head.size)
        store.put(name + BUNDLE, json.dumps(_bundle(connection, head), sort_keys=True).encode())
        location = store.put(name + NOTE, head.note.encode())
        connection.execute(
            "UPDATE accounts_auditanchor SET anchored_at = %s, location = %s WHERE size = %s",
            [datetime.now(UTC), location, head.size],
        )
    return len(heads)


def _bundle(connection: Connection, head: Waiting) -> dict[str, Any]:
    """What the head adds to the one anchored before: the leaves, and each tenant's newest checkpoint among them."""
    first, previous = _before(connection, head.size)
    leaves = connection.execute(
        "SELECT leaf_hash FROM accounts_auditgloballeaf WHERE index >= %s AND index < %s ORDER BY index",
        [first, head.size],
    )
    newest = connection.execute(
        "SELECT DISTINCT ON (tenant_id) global_index, note FROM accounts_auditcheckpoint"
        " WHERE global_index >= %s AND global_index < %s ORDER BY tenant_id, global_index DESC",
        [first, head.size],
    )
    keys = connection.execute(
        "SELECT vkey, certificate FROM accounts_auditkey WHERE created_at <= %s ORDER BY created_at",
        [head.created_at],
    )
    return {
        "format": FORMAT, "first": first, "size": head.size, "previous": previous,
        "leaves": [base64.b64encode(digest).decode() for (digest,) in leaves],
        "checkpoints": [{"index": index, "note": note, "text": note_text(note)} for index, note in newest],
        "keys": [{"vkey": vkey, "certificate": certificate} for vkey, certificate in keys],
    }  # fmt: skip


def _before(connection: Connection, size: int) -> tuple[int, str | None]:
    """The size and the name of the anchor before."""
    row = connection.execute(
        "SELECT size, location FROM accounts_auditanchor WHERE size < %s AND anchored_at IS NOT NULL"
        " ORDER BY size DESC LIMIT 1",
        [size],
    ).fetchone()
    if row is None:
        return 0, None
    return row[0], "/".join(row[1].removesuffix(NOTE).split("/")[-5:])
