"""Asks the sealer, who alone holds the private key, for a signature, and waits for it."""

from __future__ import annotations

import time
from uuid import UUID

from django.db import connection

from accounts.audit import proofs
from accounts.errors import Unavailable
from accounts.tenancy.scope import open_tenant

PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.2


def request_signature(*, tenant_id: UUID, text: str, patience: float = PATIENCE_SECONDS) -> str:
    """The signed note of the text, made at the sealer's next tick.

    Raises Unavailable when the sealer doesn't answer in `patience` seconds, and RuntimeError inside a transaction:
    the sealer sees the question only when it is committed.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a signature is asked for outside of any transaction")
    with open_tenant(tenant_id):
        asked = proofs.ask_signature(text)
    deadline = time.monotonic() + patience
    while True:
        with open_tenant(tenant_id):
            note = proofs.find_signature(asked)
        if note is not None:
            return note
        if time.monotonic() > deadline:
            raise Unavailable("The audit log's sealer doesn't answer; try again in a few minutes.")
        time.sleep(PAUSE_SECONDS)
