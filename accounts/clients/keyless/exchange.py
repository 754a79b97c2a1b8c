"""Which way a proof goes, and what it is checked against: the client's own trusts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts.clients.keyless.aws import prove_caller
from accounts.clients.keyless.ci import prove_job
from accounts.clients.keyless.proofs import Proof, RefusedProof, Why
from accounts.models import ClientTrust, TrustKind


def prove(tenant_id: UUID, trusts: Sequence[ClientTrust], kind: TrustKind, token: str) -> Proof:
    """What the proof proves. Asks others by the network, with no transaction open. Raises RefusedProof."""
    mine = [trust for trust in trusts if trust.kind == kind]
    if not mine:
        raise RefusedProof(Why.NO_TRUST, "The client trusts no proof of this kind.", kind=kind)
    if kind == TrustKind.AWS:
        return prove_caller(mine, token)
    return prove_job(tenant_id, mine, token)
