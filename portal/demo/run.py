"""The demonstration: servers, stand-in for AWS, tenants with people, and the main job from end to end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

from django.urls import reverse

from accounts.errors import Conflict
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import tenant_by_slug
from assessments.models import Evaluation
from evidence.aws.policy import role_policy
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, UnitState
from evidence.services import create_connection, start_run, verify_connection
from portal import env
from portal.demo import hospital
from portal.demo.agreements import seed_agreements
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsControl
from portal.demo.chain import seed_chain
from portal.demo.engagement import seed_engagement
from portal.demo.exits import seed_exits
from portal.demo.notices import seed_notices
from portal.demo.partners import Parties, seed_business_associates, seed_partnerships
from portal.demo.people import (
    ALL,
    ASSESSED,
    MERCY_LAKES,
    Organisation,
    address_of,
    demo_password,
    make_organisation,
)
from portal.demo.questionnaires import seed_questionnaires
from portal.demo.sharing import seed_grant
from portal.demo.submissions import push_by_command, seed_submissions
from portal.demo.verifications import seed_verification
from portal.embedded import Child, Supervisor
from portal.embedded.commands import BEAT, MIGRATE, SEALER, WEB, WORKER
from portal.scan import Progress, document

PORT = 8000
PATIENCE_SECONDS = 300

Say = Callable[[str], None]
Bar = Callable[[str], AbstractContextManager[Progress]]


class DemonstrationFailed(RuntimeError):
    """Something took too long or ended; the message says where to look."""


def run_demo(*, once: bool, port: int = PORT, say: Say, bar: Bar) -> list[dict[str, Any]]:
    """Runs the demonstration: with `once` it returns each tenant's document, else it serves on `port` until a signal."""
    state = env.state()
    with Supervisor(
        state, postgres=env.uses_embedded_postgres(), redis=env.uses_embedded_redis()
    ) as supervisor:
        aws = AwsControl(f"http://127.0.0.1:{_free_port()}")
        _migrate()
        _start(supervisor, aws, None if once else port)
        _wait("the stand-in for AWS", partial(_answers, f"{aws.url}/_standin/calls"), state)
        if not once:
            _wait("the site", partial(_answers, f"http://127.0.0.1:{port}/healthz"), state)
            say(_welcome(state, port))
        found = [_assess(aws, organisation, say, bar) for organisation in ASSESSED]
        _seed_engagement(MERCY_LAKES)
        _seed_work()
        if not once:
            _push(f"http://127.0.0.1:{port}")
            say(
                f"\nEverything is collected and assessed. Open http://localhost:{port}/ - Ctrl-C ends it all.\n"
            )
            supervisor.wait()
        return found


def _migrate() -> None:
    child = MIGRATE.child()
    subprocess.run(
        [*child.argv, "--verbosity", "0"], env={**os.environ, **child.env}, check=True, cwd=env.CHECKOUT
    )


def _start(supervisor: Supervisor, aws: AwsControl, port: int | None) -> None:
    reaches_aws = {name: value for name, value in aws.environment().items() if name != "AWS_DEFAULT_REGION"}
    reaches_aws["AWS_PRINCIPAL_ARN"] = f"arn:aws:iam::{PORTAL_ACCOUNT_ID}:root"
    aws_port = aws.url.rpartition(":")[2]
    supervisor.start(Child("aws", (sys.executable, "-m", "portal.demo.aws", "--port", aws_port)))
    supervisor.start(WORKER.child(**reaches_aws))
    supervisor.start(BEAT.child(**reaches_aws))
    supervisor.start(SEALER.child())
    if port is not None:
        _require_free(port)
        site = {
            "SITE_URL": f"http://localhost:{port}",
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --workers 2",
        }
        supervisor.start(WEB.child(**site, **reaches_aws))


def _assess(aws: AwsControl, organisation: Organisation, say: Say, bar: Bar) -> dict[str, Any]:
    """Brings one organisation to the end of an evaluation by the worker; returns its document."""
    tenant_id = make_organisation(organisation)
    before = time.monotonic()
    connection_id, is_new = _connect(aws, tenant_id, organisation)
    say(f"{organisation.name}: AWS account {organisation.aws_account_id} stands ready.")
    with open_tenant(tenant_id):
        seed_business_associates(organisation.slug)
        seed_agreements(organisation.slug)
    with open_tenant(tenant_id):
        if is_new:
            verify_connection(connection_id=connection_id)
        else:
            _collect_again(connection_id)
    run_id = _watch(tenant_id, connection_id, organisation.name, bar)
    with open_tenant(tenant_id):
        found = document(CollectionRun.objects.select_related("connection").get(pk=run_id))
    say(_summary(found, time.monotonic() - before))
    return {"tenant": {"slug": organisation.slug, "name": organisation.name}, **found}


def _seed_engagement(organisation: Organisation) -> None:
    tenant_id = tenant_by_slug(organisation.slug)
    if tenant_id is not None:
        seed_engagement(tenant_id, address_of(Role.AUDITOR, organisation))


def _seed_work() -> None:
    """What the organisations do with each other."""
    reverse("overview")  # reads all addresses: no transaction shall wait for it, when the first link is made
    # The demonstration's people have no mailboxes, and its output is a document.
    with redirect_stdout(StringIO()):
        parties = Parties(*(make_organisation(each) for each in ALL))
        seed_partnerships(parties)
        seed_chain(parties.imaging)
        seed_grant(parties)
        seed_questionnaires(parties)
        seed_notices(parties)
        seed_verification(parties)
        seed_exits(parties)


def _push(url: str) -> None:
    """What machines send the hospital; it needs the site, so that a run without one has none of it."""
    tenant_id = tenant_by_slug(MERCY_LAKES.slug)
    if tenant_id is not None:
        seed_submissions(tenant_id, partial(push_by_command, url))


def _connect(aws: AwsControl, tenant_id: UUID, organisation: Organisation) -> tuple[UUID, bool]:
    with open_tenant(tenant_id):
        found = AwsConnection.objects.filter(
            aws_account_id=organisation.aws_account_id, removed_at=None
        ).first()
        made = found or create_connection(
            name="Clinical systems", aws_account_id=organisation.aws_account_id, regions=hospital.REGIONS
        )
        external_id, has_run = str(made.external_id), made.runs.exists()
    hospital.seed(
        aws.url, account_id=organisation.aws_account_id, external_id=external_id,
        portal_account_id=PORTAL_ACCOUNT_ID, role_policy=role_policy(),
    )  # fmt: skip
    return made.pk, not has_run


def _collect_again(connection_id: UUID) -> None:
    try:
        start_run(connection_id=connection_id, trigger="schedule")
    except Conflict:
        # A run that an earlier demonstration left unfinished goes on by itself: its rows are the queue.
        return


def _watch(tenant_id: UUID, connection_id: UUID, name: str, bar: Bar) -> UUID:
    """Shows the newest run's progress until it is evaluated; returns its id."""
    started = time.monotonic()
    shown: set[UUID] = set()
    with bar(name) as progress:
        while time.monotonic() - started < PATIENCE_SECONDS:
            with open_tenant(tenant_id):
                run = CollectionRun.objects.filter(connection=connection_id).order_by("-started_at").first()
                if run is not None:
                    _show(run, shown, progress)
                    if Evaluation.objects.filter(run=run).exists():
                        return run.pk
            time.sleep(0.3)
    raise DemonstrationFailed(f"{name} was not assessed in {PATIENCE_SECONDS} s; look into the worker's log.")


def _show(run: CollectionRun, shown: set[UUID], progress: Progress) -> None:
    for unit in CollectionUnit.objects.filter(run=run, state=UnitState.DONE).exclude(pk__in=shown):
        shown.add(unit.pk)
        progress(unit, len(shown), run.units_total)


def _summary(found: dict[str, Any], seconds: float) -> str:
    outcomes = [finding["outcome"] for finding in found["findings"]]
    statuses = [row["status"] for row in found["safeguards"]]
    run = found["run"]
    return (
        f"  {run['api_calls']} AWS calls, {len(run['gaps'])} gaps, in {seconds:.0f} s: "
        f"{outcomes.count('PASS')} passed, {outcomes.count('FAIL')} failed, {outcomes.count('UNKNOWN')} unknown.\n"
        f"  {len(statuses)} safeguards: {statuses.count('satisfied')} evidenced, "
        f"{statuses.count('not_satisfied')} with a gap, {statuses.count('undetermined')} without evidence yet."
    )


def _welcome(state: Path, port: int) -> str:
    lines = [f"\nThe site is at http://localhost:{port}/ - sign in as", ""]
    for organisation in ALL:
        lines += [f"  {organisation.name} ({organisation.kind.label.lower()})"]
        lines += [f"    {address_of(role, organisation):<40} {role.label}" for role in organisation.people]
    owner = address_of(Role.OWNER, MERCY_LAKES)
    return "\n".join(
        [
            *lines, "", f"  password, for all of them: {demo_password(state)}",
            f"  one-time code, at any time:  .venv/bin/python manage.py totp {owner}", "",
        ]
    )  # fmt: skip


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status < 500)
    except (URLError, ConnectionError, TimeoutError):
        return False


def _wait(what: str, ready: Callable[[], bool], state: Path) -> None:
    started = time.monotonic()
    while not ready():
        if time.monotonic() - started > 60:
            raise DemonstrationFailed(f"{what} does not answer; look into {state / 'log'}.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemonstrationFailed(
                f"Port {port} on 127.0.0.1 is in use: end what listens there."
            ) from error
