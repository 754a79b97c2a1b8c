"""Who uses the embedded servers: each user holds a shared lock, and the last one to leave stops them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded import files
from portal.embedded.postgres import ensure_postgres, stop_postgres
from portal.embedded.redis_server import ensure_redis, stop_redis

USERS_LOCK = "servers-users"


@contextmanager
def running_servers(
    state: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
) -> Iterator[None]:
    """Within it the servers run. After it they are stopped, unless another process is within its own."""
    state = files.prepare_state(state)
    try:
        with files.lock_file(state, USERS_LOCK) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if postgres:
                ensure_postgres(state, durable=durable)
            if redis:
                ensure_redis(state)
            yield
    finally:
        stop_unused_servers(state)


def stop_unused_servers(state: Path) -> None:
    """Stop both servers unless a living process is within running_servers; a killed one doesn't count."""
    with files.lock_file(state, USERS_LOCK) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for folder, stop in (("postgres", stop_postgres), ("redis", stop_redis)):
            if os.path.lexists(state / folder):
                stop(state)
