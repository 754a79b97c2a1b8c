"""A portal of its own, as `manage.py up` runs it, whose parts can be killed one by one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
import redis
from psycopg.rows import dict_row

from evidence.aws.policy import role_policy
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from portal.demo.hospital import NORTHWIND_ACCOUNT_ID, REGIONS, seed
from portal.embedded import (
    Role,
    ensure_postgres,
    ensure_redis,
    postgres,
    redis_address,
    running_servers,
    stop_redis,
)
from portal.embedded.commands import BEAT, MIGRATE, WORKER, Service

CHECKOUT = Path(__file__).parents[2]
ROLE_NAME = "SuretyReader"
FAST = {"COLLECT_LEASE_SECONDS": "4", "SWEEP_SECONDS": "1", "COLLECT_CONCURRENCY": "8"}
"""The lease is 30 s by default, and the sweeper looks every 15 s: what takes a minute then takes 8 s here."""


@dataclass(frozen=True)
class Customer:
    """A tenant that has connected the account."""

    tenant_id: str
    connection_id: str


@dataclass
class Portal:
    """Servers, worker and beat under one state directory; a driver stands for the web process."""

    state: Path
    aws: AwsStandIn
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    external_ids: list[str] = field(default_factory=list)
    _driver: subprocess.Popen[str] | None = None
    _reaper: subprocess.Popen[str] | None = None
    """Ends everything should the tests themselves be killed."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(running_servers(self.state, durable=False))
            stack.callback(self._end_processes)
            self._begin()
            self._stack = stack.pop_all()
        return self

    def _begin(self) -> None:
        self._reaper = subprocess.Popen(
            [sys.executable, "-m", "portal.embedded.reaper", str(self.state), "1"], cwd=CHECKOUT,
            stdin=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        migrate = MIGRATE.child()
        subprocess.run(
            [*migrate.argv, "--verbosity", "0"], env=self._environment(migrate.env), check=True, cwd=CHECKOUT
        )
        self._driver = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=self._environment({"SURETY_DATABASE_ROLE": Role.APP}),
        )  # fmt: skip
        self.run(BEAT)
        self.run(WORKER)

    def _end_processes(self) -> None:
        for name in list(self.processes):
            self.kill(name, signal.SIGKILL)
        for helper in (self._driver, self._reaper):
            if helper:
                helper.communicate()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _environment(self, more: Any) -> dict[str, str]:
        return {**os.environ, **self.aws.environment(), **FAST, "SURETY_STATE": str(self.state), **more}

    def run(self, service: Service) -> None:
        child = service.child()
        with (self.state / f"{child.name}.log").open("ab") as log:
            self.processes[child.name] = subprocess.Popen(
                child.argv, env=self._environment(child.env), cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._tell_reaper("+", self.processes[child.name].pid)

    def _tell_reaper(self, change: str, group: int) -> None:
        assert self._reaper
        assert self._reaper.stdin
        self._reaper.stdin.write(f"{change}{group}\n")
        self._reaper.stdin.flush()

    def kill(self, name: str, number: int) -> int:
        """Sends a signal to the process and its children and waits for the end."""
        process = self.processes.pop(name)
        os.killpg(process.pid, number)
        code = process.wait(60)
        self._tell_reaper("-", process.pid)
        return code

    def log(self, name: str) -> str:
        return (self.state / f"{name}.log").read_text(errors="replace")

    def order(self, do: str, **fields: Any) -> dict[str, Any]:
        assert self._driver
        assert self._driver.stdin
        assert self._driver.stdout
        self._driver.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._driver.stdin.flush()
        answer: dict[str, Any] = json.loads(self._driver.stdout.readline())
        return answer

    def connect(self, slug: str) -> Customer:
        """A new tenant with a verified connection to the account that all of them share."""
        made = self.order("connect", slug=slug, account_id=NORTHWIND_ACCOUNT_ID, regions=REGIONS[:1])
        self._let_in(made["external_id"])
        customer = Customer(made["tenant_id"], made["connection_id"])
        verified = self.order("verify", **vars(customer))
        assert verified["passed"], verified["steps"]
        return customer

    def _let_in(self, external_id: str) -> None:
        self.external_ids.append(external_id)
        if len(self.external_ids) == 1:
            seed(
                self.aws.url, account_id=NORTHWIND_ACCOUNT_ID, external_id=external_id, role_policy=role_policy(),
                portal_account_id=PORTAL_ACCOUNT_ID, role_name=ROLE_NAME,
            )  # fmt: skip
        iam = self.aws.admin("iam", NORTHWIND_ACCOUNT_ID)
        trust = iam.get_role(RoleName=ROLE_NAME)["Role"]["AssumeRolePolicyDocument"]
        trust["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": self.external_ids}}
        iam.update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(trust))

    def query(self, sql: Any, *arguments: Any) -> list[dict[str, Any]]:
        """Asked as the superuser, who sees all tenants."""
        dsn = postgres.postgres_address(self.state).dsn(Role.SUPERUSER)
        with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
            found = connection.execute(sql, arguments)
            return found.fetchall() if found.description else []

    def units(self, run_id: str) -> list[dict[str, Any]]:
        return self.query("select * from evidence_collectionunit where run_id = %s", run_id)

    def states(self, run_id: str) -> Counter[str]:
        return Counter(unit["state"] for unit in self.units(run_id))

    def is_evaluated(self, run_id: str) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.query("select 1 from assessments_evaluation where run_id = %s", run_id))
        return False

    def flush_redis(self) -> None:
        with redis.Redis.from_url(redis_address(self.state)) as client:
            client.flushall()

    def restart_postgres_at_once(self) -> None:
        """As after a loss of power: no process is asked."""
        postgres._pg_ctl(self.state, "stop", "-m", "immediate")
        ensure_postgres(self.state, durable=False)

    @contextlib.contextmanager
    def without_redis(self) -> Iterator[None]:
        stop_redis(self.state)
        try:
            yield
        finally:
            ensure_redis(self.state)
