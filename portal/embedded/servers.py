from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from portal.embedded.postgres import ensure_postgres, is_postgres_running, stop_postgres
from portal.embedded.redis_server import ensure_redis, is_redis_running, stop_redis


@contextmanager
def running_servers(state: Path, *, postgres: bool = True, redis: bool = True) -> Iterator[None]:
    """Within it the servers run; those that it had to start are stopped after it, and others are left alone."""
    with ExitStack() as stack:
        if postgres and not is_postgres_running(state):
            stack.callback(stop_postgres, state)
            ensure_postgres(state)
        if redis and not is_redis_running(state):
            stack.callback(stop_redis, state)
            ensure_redis(state)
        yield
