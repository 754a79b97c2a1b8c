import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psutil
import pytest

from portal.embedded import Supervisor, is_postgres_running, is_redis_running
from tests.embedded.conftest import eventually

CHECKOUT = Path(__file__).parents[2]
SUPERVISE = """
import pathlib, sys
from portal.embedded import Child, EmbeddedError, Supervisor
state, servers, *children = sys.argv[1:]
try:
    with Supervisor(pathlib.Path(state), postgres=servers == "servers", redis=servers == "servers",
                    grace_seconds=3, first_pause_seconds=0.05) as supervisor:
        for number, code in enumerate(children):
            supervisor.start(Child(f"child{number}", (sys.executable, "-c", code), {"WHO": f"number {number}"}))
        print("up", flush=True)
        supervisor.wait()
except EmbeddedError as error:
    sys.exit(f"surety: {error}")
"""
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("family", child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn", flush=True)
while True: time.sleep(600)
"""


@pytest.fixture
def supervise(state: Path):
    begun = []

    def start(*children: str, servers: str = "none") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(state), servers, *children],
            cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=180)


def line_of(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline()


def log(state: Path, number: int = 0):
    path = state / "log" / f"child{number}.log"
    return path.read_text() if path.exists() else ""


def family(process: subprocess.Popen[str]):
    return [
        each for each in psutil.Process(process.pid).children(recursive=True) if each.status() != "zombie"
    ]


def all_gone(processes: list[psutil.Process]):
    return lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_a_childs_words_go_to_its_log_with_its_own_environment(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    supervise("import os; print(os.environ['WHO'])", "import time; time.sleep(600)")
    assert eventually(lambda: "number 0\n" in log(state))


def test_a_child_that_dies_is_started_again_and_the_terminal_told(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    process = supervise("import sys; print('again', flush=True); sys.exit(3)")
    eventually(lambda: log(state).count("again") >= 3)
    line = line_of(process.stderr)
    assert line.startswith("surety: child0 ended (exit code 3); see ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_children_with_their_own_children(
    supervise: Callable[..., subprocess.Popen[str]], state: Path, number: int
) -> None:
    process = supervise(FAMILY)
    eventually(lambda: "family" in log(state))
    everyone = family(process)
    assert len(everyone) == 3, everyone  # the reaper, the child and the child's own
    process.send_signal(number)
    assert process.wait(20) == 0
    assert all_gone(everyone)()


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    process = supervise(STUBBORN)
    eventually(lambda: "stubborn" in log(state))
    everyone = family(process)
    process.terminate()
    assert process.wait(20) == 0
    assert all_gone(everyone)()


def test_a_killed_supervisor_leaves_no_orphan(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    process = supervise(FAMILY, STUBBORN, servers="servers")
    eventually(lambda: "family" in log(state) and "stubborn" in log(state, 1))
    everyone = family(process)
    assert len(everyone) == 4, everyone
    assert is_postgres_running(state)
    assert is_redis_running(state)
    os.kill(process.pid, signal.SIGKILL)
    eventually(all_gone(everyone))
    assert not is_postgres_running(state)
    assert not is_redis_running(state)


def test_servers_run_with_the_supervisor_and_end_with_it(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    process = supervise(servers="servers")
    assert line_of(process.stdout) == "up\n"
    assert is_postgres_running(state)
    process.terminate()
    assert process.wait(30) == 0
    assert not is_postgres_running(state)
    assert not is_redis_running(state)


def test_a_second_supervisor_of_the_same_state_is_refused_with_one_line(
    supervise: Callable[..., subprocess.Popen[str]], state: Path
) -> None:
    first = supervise()
    assert line_of(first.stdout) == "up\n"
    second = supervise()
    _, complaint = second.communicate(timeout=180)
    assert second.returncode == 1
    assert complaint == f"surety: Already running on {state.resolve()} (process {first.pid}).\n"
    assert first.poll() is None


def test_another_may_start_once_the_first_was_killed(supervise: Callable[..., subprocess.Popen[str]]) -> None:
    first = supervise()
    assert line_of(first.stdout) == "up\n"
    first.kill()
    first.wait(20)
    assert line_of(supervise().stdout) == "up\n"


def test_a_signal_waits_for_nothing_that_the_interrupted_code_holds(state: Path) -> None:
    """It may come in the middle of a wait, while the main thread holds the event's own lock."""
    supervisor = Supervisor(state)
    told = threading.Thread(target=_tell, args=(supervisor,), daemon=True)
    with supervisor._stopping._cond:  # type: ignore[attr-defined] # of threading.Event
        told.start()
        told.join(10)
    assert not told.is_alive()


def _tell(supervisor: Supervisor) -> None:
    with pytest.raises(SystemExit):
        supervisor._on_signal(signal.SIGTERM, None)
    supervisor._on_signal(signal.SIGTERM, None)
