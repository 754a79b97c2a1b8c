"""docs/api.md as it is written: its commands, run by a shell against a real server, and its tables."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.clients.scopes import WORDS
from accounts.tenancy.scope import open_tenant
from evidence.models import Submission
from tests.api.kit import ApiMachine, make_machine
from tests.collected import collect

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
COMMANDS = [textwrap.dedent(found) for found in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]


def test_the_commands_of_the_page_work_as_written(live_server, tmp_path):
    machine = make_machine()
    collected = collect(machine.tenant)
    script = "\n".join(COMMANDS).replace("https://YOUR-PORTAL", live_server.url)
    script = script.replace("submissions/ID", f"submissions/{_held(machine).pk}")
    script = script.replace("SURETY_CLIENT_ID=...", f"SURETY_CLIENT_ID={machine.made.client.pk}")
    script = script.replace("SURETY_CLIENT_SECRET=...", f"SURETY_CLIENT_SECRET={machine.made.text}")
    script = script.replace("connections/ID/runs", f"connections/{collected.connection.pk}/runs")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    answers, rest = [], done.stdout.strip()
    while rest:
        answer, end = json.JSONDecoder().raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].strip()
    safeguards, findings, receipt, pushed, run, deleted = answers
    assert safeguards["data"]
    assert set(safeguards["data"][0]) == {"citation", "title", "why"}
    assert all(row["outcome"] == "FAIL" for row in findings["data"])
    assert (receipt["state"], receipt["size"]) == ("received", (tmp_path / "report.xml").stat().st_size)
    assert pushed["data"] == [{"state": "received", "problem": "", "counts": {}}]
    assert (run["state"], run["trigger"]) == ("running", "client")
    assert (deleted["state"], deleted["sender"]) == ("deleted", "Scanner")


def _held(machine: ApiMachine) -> Submission:
    """A document of the client's that waits for a decision."""
    with open_tenant(machine.tenant.pk):
        return Submission.objects.create(
            sequence=1, client=machine.made.client, sender="Scanner", receipt="r", received_at=timezone.now(),
            digest="00" * 32, size=3, media_type="text/plain", address="held", wrapped_key=b"k", key_id="1",
            ciphertext_digest="00" * 32, stored_size=3, state="quarantined",
        )  # fmt: skip


def test_every_scope_is_on_the_page():
    assert [scope for scope in WORDS if f"`{scope}`" not in PAGE] == []


@pytest.mark.parametrize(
    "module",
    [
        "accounts.errors",
        "portal.api.errors",
        "portal.api.query",
        "portal.api.idempotency",
        "portal.api.wire",
        "portal.api.resources.submissions",
        "evidence.submissions.receiving",
    ],
)
def test_every_problem_that_the_interface_has_is_on_the_page(module):
    import importlib

    from accounts.errors import PortalError

    named = {
        each.slug
        for each in vars(importlib.import_module(module)).values()
        if isinstance(each, type) and issubclass(each, PortalError) and each is not PortalError
    }
    assert [slug for slug in sorted(named) if f"| `{slug}` |" not in PAGE] == []
