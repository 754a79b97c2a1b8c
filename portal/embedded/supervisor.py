"""The portal's processes on one machine: started, logged, restarted, and ended together."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Self

from portal.embedded import files
from portal.embedded.errors import AlreadyRunningError, EmbeddedError
from portal.embedded.groups import end_groups, signal_group
from portal.embedded.postgres import ensure_postgres
from portal.embedded.redis_server import ensure_redis
from portal.embedded.servers import running_servers

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STEADY_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 30.0
SERVERS_LOOK_SECONDS = 5.0
LOG_BYTES = 10 * 1024 * 1024
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. Its output goes to log/NAME.log in the state directory."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own environment."""


def _say(message: str) -> None:
    sys.stderr.write(f"surety: {message}\n")


class Supervisor:
    """Runs children until told to stop: ``with Supervisor(state) as it: it.start(child); it.wait()``.

    SIGINT, SIGTERM and SIGHUP leave the ``with`` by SystemExit(0) from wherever it is; leaving it ends every
    child's process group (SIGTERM, then SIGKILL after the grace; a second signal cuts the grace short). Were
    the supervisor killed, its reaper does the same. Use it on the main thread.

    Raises:
        AlreadyRunningError: on entering, when another supervisor holds the state directory.
    """

    def __init__(
        self,
        state: Path,
        *,
        postgres: bool = True,
        redis: bool = True,
        grace_seconds: float = 15.0,
        first_pause_seconds: float = 1.0,
    ) -> None:
        """Choose which embedded servers run along with the children; both are kept running like them."""
        self._state = files.prepare_state(state)
        self._postgres, self._redis = postgres, redis
        self._grace = grace_seconds
        self._first_pause = first_pause_seconds
        self._stack = ExitStack()
        self._stopping = threading.Event()
        # Plain flags: a signal's handler that took an event's lock could wait for the very code that it interrupted.
        self._told = self._hurry = False
        self._starting = threading.Lock()
        self._groups: set[int] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._only_one())
            for number in SIGNALS:
                stack.callback(signal.signal, number, signal.signal(number, self._on_signal))
            stack.enter_context(running_servers(self._state, postgres=self._postgres, redis=self._redis))
            self._reaper = self._start_reaper()
            stack.callback(self._end_reaper)
            self._stack = stack.pop_all()
        self._run_thread(self._keep_servers)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, child: Child) -> None:
        """Start the child, and again whenever it ends, with growing pauses while it ends soon."""
        self._run_thread(self._keep, child)

    def wait(self) -> None:
        """Wait for a signal, which leaves by SystemExit."""
        while True:
            # Python sees a signal that comes just before a wait only when the wait is over: so it is a short one.
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End all children, and the embedded servers unless another uses them. May be called twice."""
        self._stopping.set()
        with self._starting:
            groups = set(self._groups)
        end_groups(groups, self._grace, lambda: self._hurry)
        for thread in self._threads:
            thread.join()
        self._stack.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._told or self._stopping.is_set():
            self._hurry = True
            return
        self._told = True
        raise SystemExit(0)

    def _run_thread(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _only_one(self) -> ExitStack:
        with ExitStack() as stack:
            descriptor = stack.enter_context(files.lock_file(self._state, "supervisor"))
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.pread(descriptor, 20, 0).decode() or "unknown"
                raise AlreadyRunningError(f"Already running on {self._state} (process {pid}).") from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return stack.pop_all()

    def _start_reaper(self) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "portal.embedded.reaper", str(self._state), str(self._grace)],
            stdin=subprocess.PIPE, text=True, bufsize=1, cwd=CHECKOUT, start_new_session=True,
        )  # fmt: skip

    def _end_reaper(self) -> None:
        if self._reaper.stdin is not None:
            self._reaper.stdin.close()
        self._reaper.wait()

    def _tell_reaper(self, change: str, group: int) -> None:
        if self._reaper.stdin is not None:
            self._reaper.stdin.write(f"{change}{group}\n")
            self._reaper.stdin.flush()

    def _keep(self, child: Child) -> None:
        pause = self._first_pause
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._run_once(child)
            if self._stopping.is_set() or code is None:
                return
            pause = self._first_pause if time.monotonic() - began > STEADY_SECONDS else pause
            _say(f"{child.name} ended ({_ending(code)}); see {self._log(child)}; again in {pause:g} s")
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _run_once(self, child: Child) -> int | None:
        with self._open_log(child) as log, self._starting:
            if self._stopping.is_set():
                return None
            process = subprocess.Popen(  # noqa: S603 - the portal's own commands
                child.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=CHECKOUT,
                env={**os.environ, **child.env}, start_new_session=True,
            )  # fmt: skip
            self._groups.add(process.pid)
            self._tell_reaper("+", process.pid)
        code = process.wait()
        with self._starting:
            if not self._stopping.is_set():
                signal_group(process.pid, signal.SIGKILL)  # helpers that it left behind
                self._groups.discard(process.pid)
                self._tell_reaper("-", process.pid)
        return code

    def _log(self, child: Child) -> Path:
        return self._state / "log" / f"{child.name}.log"

    def _open_log(self, child: Child) -> BinaryIO:
        path = self._log(child)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _keep_servers(self) -> None:
        while not self._stopping.wait(SERVERS_LOOK_SECONDS):
            try:
                if self._postgres:
                    ensure_postgres(self._state)
                if self._redis:
                    ensure_redis(self._state)
            except EmbeddedError as error:
                _say(f"{error}; again in {SERVERS_LOOK_SECONDS:g} s")


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
