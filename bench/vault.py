"""What sealing costs: MB/s of sealing and opening a snapshot into a file store, and what an unchanged one costs.

The content is the answers of the benchmark's account as they are sealed (canonical JSON), by size.
"""

from __future__ import annotations

import argparse
import json
from typing import Any
from uuid import UUID

import kit
import large_run
from aws_account import Size

MEGABYTE = 1_000_000


def contents(size: Size) -> dict[str, bytes]:
    """The smallest and the largest snapshot of the account, and one of 20 MB made of its volumes."""
    payloads = large_run.collected(size)
    sealed = sorted(
        (
            json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
            for payload in payloads.values()
        ),
        key=len,
    )
    everything = b"[" + b",".join(sealed) + b"]"
    return {
        "smallest": sealed[0],
        "largest": sealed[-1],
        "20 MB": everything * (20 * MEGABYTE // len(everything) + 1),
    }


def measure(tenant_id: UUID, name: str, content: bytes, rounds: int) -> dict[str, Any]:
    """Milliseconds and MB/s of plaintext."""
    from accounts.tenancy.scope import open_tenant
    from evidence import vault

    with open_tenant(tenant_id):
        blob = vault.seal(content, tenant_id=tenant_id, media_type="application/json").keep()

    def unchanged() -> None:
        with open_tenant(tenant_id):
            assert vault.find_blob(content) is not None

    taken = kit.time_each(
        {
            "seal": lambda: vault.seal(content, tenant_id=tenant_id, media_type="application/json"),
            "open": lambda: vault.open_blob(blob),
            "unchanged": unchanged,
        },
        rounds=rounds,
    )
    row: dict[str, Any] = {"snapshot": name, "bytes": len(content), "stored": blob.stored_size}
    for step, times in taken.items():
        best = kit.quantile(times, 0.1)
        row |= {
            f"{step} ms": round(kit.median(times), 2),
            f"{step} MB/s": round(len(content) / MEGABYTE / (best / 1000), 1),
        }
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small account, fewer rounds")
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    size, rounds = (Size.SMALL, 15) if arguments.quick else (Size.LARGE, arguments.rounds)
    with kit.own_state():
        kit.set_up_django()
        tenant_id = kit.make_tenant("bench-vault")
        rows = [measure(tenant_id, name, content, rounds) for name, content in contents(size).items()]
    kit.print_table("the vault (MB/s at the tenth percentile)", [*rows[0]], [[*row.values()] for row in rows])
    kit.print_json("vault", rounds=rounds, rows=rows)


if __name__ == "__main__":
    main()
