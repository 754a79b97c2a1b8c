"""`manage.py demo` and `manage.py up`, whole, in a state directory of their own; nothing is left running after them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from portal.embedded import is_postgres_running, is_redis_running
from tests.commands.conftest import CHECKOUT
from tests.embedded.conftest import eventually, remove_state

SLOW = 900
pytestmark = pytest.mark.xdist_group("processes")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """Shared by these tests, since a first start makes and migrates a database."""
    folder = Path(tempfile.mkdtemp(prefix="surety-commands-"))
    yield folder
    remove_state(folder)


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env={**os.environ, "SURETY_STATE": str(state)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(process)
        return process

    yield begin
    for process in begun:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=180)


def left_behind(state: Path) -> list[str]:
    """Processes, of whatever parent, that were started for the state directory."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("SURETY_STATE", "")]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(str(state) in word for word in words):
            found.append(" ".join(words))
    return found


def assert_nothing_runs(state: Path) -> None:
    eventually(lambda: not left_behind(state))
    assert not is_postgres_running(state)
    assert not is_redis_running(state)


def demonstrate(start: Start) -> list[dict[str, Any]]:
    process = start("demo", "--once", "--format", "json")
    out, err = process.communicate(timeout=SLOW)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    tenants: list[dict[str, Any]] = json.loads(out)["tenants"]
    return tenants


def test_the_demonstration_assesses_both_tenants_and_finds_its_data_the_second_time(start, state):
    first = demonstrate(start)
    assert_nothing_runs(state)
    assert [each["tenant"]["slug"] for each in first] == ["mercy-lakes", "northwind"]
    for each in first:
        assert each["run"]["verdict"] in {"complete", "partial"}
        assert {row["status"] for row in each["safeguards"]} == {"satisfied", "not_satisfied", "undetermined"}
    second = demonstrate(start)
    assert_nothing_runs(state)
    assert [each["run"]["aws_account_id"] for each in second] == [
        each["run"]["aws_account_id"] for each in first
    ]
    for before, after in zip(first, second, strict=True):
        assert before["run"]["id"] != after["run"]["id"]
        assert verdicts(after) == verdicts(before)
        assert {f["since"] for f in after["findings"]} & {f["since"] for f in before["findings"]}


def verdicts(tenant: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (each["check_id"], each["resource_arn"], each["region"], each["outcome"])
        for each in tenant["findings"]
    ]


def test_up_serves_until_ctrl_c_ends_all_of_it(start, state):
    port = free_port()
    process = start("up", "--bind", f"127.0.0.1:{port}")
    eventually(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/healthz"), SLOW)
    assert process.poll() is None, process.communicate()
    names = {
        name for name in ("gunicorn", "worker", "beat") if any(name in words for words in left_behind(state))
    }
    assert names == {"gunicorn", "worker", "beat"}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert f"http://127.0.0.1:{port}/" in err
    assert_nothing_runs(state)
    assert not answers(f"http://127.0.0.1:{port}/healthz")


def test_up_on_an_address_that_is_none_says_so(start, state):
    process = start("up", "--bind", "nonsense")
    _, err = process.communicate(timeout=180)
    assert process.returncode == 2
    assert "nonsense" in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert_nothing_runs(state)


def test_up_on_a_port_that_is_taken_says_so(start, state):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("up", "--bind", f"127.0.0.1:{port}")
        _, err = process.communicate(timeout=180)
    assert process.returncode == 2
    assert str(port) in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert_nothing_runs(state)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False
