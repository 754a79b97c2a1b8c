"""Documents that a client of the demonstration's hospital pushes: another tool's, a report's, and one to be held back.

prowler.ocsf.json is what prowler 5.46 wrote of the stand-in's account (`prowler aws -M json-ocsf`), cut down to some
checks of S3 and CloudTrail and to the members that are read. The two CSV files are made up, and so is the patient in
one of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from accounts.clients.scopes import Reach, Scope
from accounts.clients.services import SecretMade, create_client
from accounts.models import Membership
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import Submission
from evidence.submissions.mappings import save_mapping
from portal import env
from portal.demo.people import person_of

CLIENT = "Nightly scans of the clinical systems"
FOLDER = Path(__file__).parent / "pushed"
MAPPING = MappingProxyType(
    {
        "check": "rule", "title": "setting", "resource": "station", "result": "state", "severity": "weight",
        "results": {"set": "PASS", "not set": "FAIL", "offline": "UNKNOWN"}, "producer": "Work station report",
    }
)  # fmt: skip


class Push(NamedTuple):
    """A document, and what the client says of it, in the words of the interface's parameters."""

    path: Path
    said: Mapping[str, str]


Pusher = Callable[[SecretMade, Push], None]


def seed_submissions(tenant_id: UUID, push: Pusher) -> None:
    """Makes a client and lets it push each document, where no document of a client is there yet."""
    with open_tenant(tenant_id):
        if Submission.objects.filter(client__isnull=False).exists():
            return
        mapping = save_mapping(
            name="work-stations", content=dict(MAPPING), by=person_of(Role.SECURITY_OFFICIAL),
            description="The weekly report of the wards' work stations",
        )  # fmt: skip
        made = create_client(
            name=CLIENT, scopes=frozenset({Scope.SUBMISSIONS_PUSH, Scope.SUBMISSIONS_READ}),
            reach=Reach(frozenset(), frozenset()), networks=(), days=90,
            by=Membership.objects.filter(role=Role.OWNER)[0],
        )  # fmt: skip
    for each in pushes(mapping.pk):
        push(made, each)


def pushes(mapping_id: UUID) -> tuple[Push, ...]:
    """The documents; what prowler saw counts as seen now."""
    now = datetime.now(UTC).isoformat()
    return (
        Push(FOLDER / "prowler.ocsf.json", {"stream": "nightly", "complete": "true", "to": now}),
        Push(
            FOLDER / "work-stations.csv",
            {"format": "csv", "mapping": str(mapping_id), "for": "164.312(a)(2)(iii)", "complete": "true"},
        ),
        Push(FOLDER / "help-desk.csv", {"for": "164.308(a)(6)(ii)"}),
    )


def push_by_command(url: str, made: SecretMade, each: Push) -> None:
    """Pushes as a customer's machine does: by the command `surety`, over HTTP. Raises CalledProcessError."""
    options = [f"--{name}" if said == "true" else f"--{name}={said}" for name, said in each.said.items()]
    settings = {
        "SURETY_URL": url, "SURETY_CLIENT_ID": str(made.client.pk), "SURETY_CLIENT_SECRET": made.text,
        "PYTHONPATH": str(env.CHECKOUT / "clients" / "python" / "src"),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "surety", "push", "--no-wait", *options, str(each.path)],
        env={**os.environ, **settings}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
