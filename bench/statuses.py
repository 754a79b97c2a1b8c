"""Time to derive the statuses of a tenant with 100,000 findings of its own: after a run, and after a document.

After a run our own checks' findings are counted; after a submitted document, which can't have changed these, how they
came out is taken from the statuses in force. Nothing has changed meanwhile.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from uuid import UUID

import kit
import overview
from aws_account import Size


def derive(tenant_id: UUID, *, counting: bool) -> Callable[[], int]:
    """What a run's end (counting) or a document's does last, in a transaction of its own."""
    from django.utils import timezone

    from accounts.tenancy.scope import open_tenant
    from assessments.statuses import count_outcomes, write_statuses

    def act() -> int:
        with open_tenant(tenant_id):
            return write_statuses(timezone.now(), count_outcomes() if counting else None)

    return act


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the small account in four regions")
    given = parser.parse_args()
    size, regions = (Size.SMALL, 4) if given.quick else (Size.LARGE, 28)
    with kit.own_state() as state:
        kit.set_up_django()
        tenant_id, findings = overview.fill(size, regions)
        overview.vacuum(state)
        acts = {
            "after a run": derive(tenant_id, counting=True), "after a document": derive(tenant_id, counting=False),
        }  # fmt: skip
        taken = kit.time_each(acts, rounds=40)
    rows = [[name, kit.median(each), kit.quantile(each, 0.95)] for name, each in taken.items()]
    kit.print_table(f"deriving statuses at {findings:,} findings, ms", ["", "median", "p95"], rows)
    kit.print_json("statuses", findings=findings, rows=rows)


if __name__ == "__main__":
    main()
