"""A portal that is pushed to: its web and worker processes, senders, and what must hold in the end."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import kit

OUTCOMES = {"PASS": 1, "FAIL": 3, "MANUAL": 2}
BEGAN = 1_780_000_000


class Finding(NamedTuple):
    """One statement of a document."""

    check: str
    resource: str
    status: str
    at: int
    citations: tuple[str, ...] = ("164.312(b)",)

    def as_ocsf(self) -> dict[str, Any]:
        """About as long as prowler writes them (3 KB)."""
        remark = f"{self.check} was looked at on {self.resource}: {self.status}. "
        return {
            "message": remark, "class_uid": 2003, "severity_id": 4, "severity": "High", "time": self.at,
            "time_dt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at)),
            "status_code": self.status, "status_detail": remark, "status": "New", "status_id": 1, "activity_id": 1, "category_uid": 2, "type_uid": 200301,
            "metadata": {
                "version": "1.5.0", "event_code": self.check, "tenant_uid": "",
                "product": {"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.46.0"},
            },
            "finding_info": {
                "uid": f"prowler-aws-{self.check}-111122223333-us-east-1-{self.resource}",
                "title": f"Check {self.check}", "desc": f"What {self.check} is about. " * 12, "types": ["Software"],
                "created_time": self.at,
            },
            "unmapped": {
                "categories": ["encryption", "logging"], "related_url": "https://docs.example.org/" + self.check,
                "compliance": {
                    "HIPAA": [each.replace(".", "_").replace("(", "_").replace(")", "") for each in self.citations],
                    "CIS-1.5": ["3.4", "3.7"], "NIST-800-53-Revision-5": ["au_2", "au_12", "sc_13"],
                },
            },
            "resources": [{
                "uid": self.resource, "name": self.resource.rpartition(":")[2], "type": "AwsS3Bucket",
                "region": "us-east-1", "group": {"name": "s3"}, "labels": ["team:records"],
                "data": {"details": "", "metadata": {"versioning": False, "policy": "x" * 400}},
            }],
            "cloud": {"account": {"uid": "111122223333", "type": "AWS Account"}, "region": "us-east-1", "provider": "aws"},
            "remediation": {"desc": "Switch it on. " * 30, "references": ["https://docs.example.org/how"]},
            "risk_details": f"Without {self.check} nobody knows. " * 10,
        }  # fmt: skip


def document(findings: Sequence[Finding]) -> bytes:
    """A list of findings, as `prowler -M json-ocsf` writes it."""
    return json.dumps([each.as_ocsf() for each in findings]).encode()


@dataclass
class Portal:
    """Processes of a portal over a state, which can be killed, and are started again at once."""

    state: Path
    port: int
    client_id: str
    secret: str
    tenant: Any
    threads: int = 8
    environment: dict[str, str] = field(default_factory=lambda: {"SWEEP_SECONDS": "1"})
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def up(self, *names: str) -> Iterator[Portal]:
        """Runs the processes until the end."""
        for name in names:
            self._start(name)
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        try:
            self._await_web()
            yield self
        finally:
            self._ended.set()
            keeper.join()
            for process in self._running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def kill(self, name: str) -> None:
        """SIGKILL to the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running[name].pid, signal.SIGKILL)

    def pid(self, name: str) -> int:
        """Of the process's group."""
        return self._running[name].pid

    def _keep(self) -> None:
        while not self._ended.wait(0.05):
            for name, process in list(self._running.items()):
                if process.poll() is not None and not self._ended.is_set():
                    self._start(name)

    def _start(self, name: str) -> None:
        from portal.embedded.commands import SEALER, WEB, WORKER

        child = {"web": WEB, "worker": WORKER, "sealer": SEALER}[name].child()
        argv = [*child.argv]
        if name == "worker":
            argv += ["--beat", "--scheduler", "celery.beat:Scheduler"]
        log = (self.state / f"{name}.log").open("ab")
        environment = kit.clean_environment(
            self.state, **child.env, API_REQUESTS_PER_MINUTE="100000000", **self.environment,
            GUNICORN_CMD_ARGS=f"--bind 127.0.0.1:{self.port} --workers 1 --threads {self.threads}",
        )  # fmt: skip
        self._running[name] = subprocess.Popen(
            argv, cwd=kit.CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip

    def _await_web(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        sys.exit(f"the web process doesn't answer: see {self.state}/web.log")

    def token(self) -> str:
        """A token for a quarter of an hour."""
        basic = b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", "/api/v1/oauth/token", "grant_type=client_credentials", headers)
            token: str = json.loads(connection.getresponse().read())["access_token"]
            return token


def make_portal(state: Path, tenant: Any = None) -> Portal:
    """A portal with a tenant (or the given one) and a client of all scopes, on a free port; nothing runs yet."""
    from accounts.clients.scopes import EVERYTHING, WORDS, Scope
    from accounts.clients.services import create_client
    from accounts.models import Membership, Person
    from accounts.permissions import Role
    from accounts.tenancy.scope import open_tenant

    tenant = tenant or kit.make_tenant("pushed-to")
    person, _made = Person.objects.get_or_create(email="owner@pushed.example", defaults={"name": "Owner"})
    with open_tenant(tenant):
        by, _made = Membership.objects.get_or_create(person=person, role=Role.OWNER)
        made = create_client(
            name="Scanner",
            scopes=frozenset(set(WORDS) - {Scope.ENGAGEMENT_AUDIT}),
            reach=EVERYTHING,
            networks=(),
            days=9,
            by=by,
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Portal(state, port, str(made.client.pk), made.text, tenant)


class Sender:
    """Sends documents until each has its answer, however often processes die."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._token, self._since = "", 0.0
        self._connection: http.client.HTTPConnection | None = None
        self.tries = 0

    def push(self, body: bytes, key: str, *, cut_after: float | None = None, **query: str) -> bytes:
        """The answer's bytes. With `cut_after` (seconds) the first try is cut that long after the body was sent."""
        path = f"/api/v1/submissions?{urllib.parse.urlencode(query)}"
        while True:
            self.tries += 1
            try:
                if cut_after is not None:
                    self._send_and_leave(body, key, path, cut_after)
                    cut_after = None
                    continue
                status, said = self._send(body, key, path)
            except (OSError, http.client.HTTPException):
                self._drop()
                time.sleep(0.05)
                continue
            if status == 201:
                return said
            if status == 401:
                self._token = ""
            elif status not in {409, 429, 503}:
                raise RuntimeError(f"{status}: {said[:300]!r}")
            time.sleep(0.05)

    def _send(self, body: bytes, key: str, path: str) -> tuple[int, bytes]:
        connection = self._open()
        connection.request("POST", path, body, self._headers(body, key))
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _send_and_leave(self, body: bytes, key: str, path: str, seconds: float) -> None:
        connection = self._open()
        connection.request("POST", path, body, self._headers(body, key))
        time.sleep(seconds)
        self._drop()

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        if not self._token or time.monotonic() - self._since > 600:
            self._token, self._since = self._portal.token(), time.monotonic()
        digest = b64encode(hashlib.sha256(body).digest()).decode()
        return {
            "Authorization": f"Bearer {self._token}", "Idempotency-Key": key, "Content-Type": "application/json",
            "Content-Digest": f"sha-256=:{digest}:",
        }  # fmt: skip

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._portal.port, timeout=120)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Document(NamedTuple):
    """One document of a storm."""

    number: int
    stream: str
    complete: bool
    at: int
    findings: tuple[Finding, ...]

    def query(self) -> dict[str, str]:
        """What the sender says of it."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))
        return {
            "stream": self.stream,
            **({"complete": "true", "effective_to": moment} if self.complete else {}),
        }


def make_documents(number: int, chance: random.Random, *, streams: int = 4) -> list[Document]:
    """Documents that contradict each other: few checks, few resources, times in no order."""
    made = []
    for index in range(number):
        at = BEGAN + chance.randrange(1_000_000)
        found = {}
        for _ in range(chance.randint(1, 4)):
            one = Finding(
                f"check_{chance.randrange(8)}", f"arn:aws:s3:::bucket-{chance.randrange(12)}",
                chance.choice(list(OUTCOMES)), BEGAN + chance.randrange(1_000_000),
            )  # fmt: skip
            found[one.check, one.resource] = one
        complete = chance.random() < 0.1
        made.append(
            Document(index, f"stream-{chance.randrange(streams)}", complete, at, tuple(found.values()))
        )
    return made


def expected(documents: Sequence[Document]) -> dict[tuple[str, str, str], tuple[str, bool]]:
    """By stream, check and resource: the outcome that must stand, and whether the finding is gone."""
    words: dict[tuple[str, str, str], tuple[int, int, str]] = {}
    complete_at: dict[str, int] = {}
    for each in documents:
        if each.complete:
            complete_at[each.stream] = max(each.at, complete_at.get(each.stream, 0))
        for one in each.findings:
            key = (each.stream, f"prowler:{one.check}", one.resource)
            word = (each.at if each.complete else one.at, OUTCOMES[one.status], one.status)
            words[key] = max(words.get(key, word), word)
    named = {"MANUAL": "UNKNOWN"}
    return {
        key: (named.get(word[2], word[2]), word[0] < complete_at.get(key[0], 0))
        for key, word in words.items()
    }
