"""What can be done with evidence.

Functions that take a `tenant_id` open the tenant themselves, since they call AWS or the vault between their
transactions; the others work in the tenant that is open.
"""

from evidence.services.collection import collect_unit, list_unfinished_units, start_due_run, start_run
from evidence.services.connections import (
    create_connection,
    probe_connection,
    remove_connection,
    verify_connection,
)
from evidence.services.snapshots import (
    OpenedSnapshot,
    Verification,
    load_answers,
    open_snapshot,
    verify_snapshot,
)

__all__ = [
    "OpenedSnapshot",
    "Verification",
    "collect_unit",
    "create_connection",
    "list_unfinished_units",
    "load_answers",
    "open_snapshot",
    "probe_connection",
    "remove_connection",
    "start_due_run",
    "start_run",
    "verify_connection",
    "verify_snapshot",
]
