"""PostgreSQL, Redis and the portal's own processes on one machine, kept under one state directory.

Needs no Django settings: settings ask it where the servers are.
"""

from portal.embedded.errors import AlreadyRunningError, EmbeddedError
from portal.embedded.postgres import (
    PostgresAddress,
    ensure_postgres,
    is_postgres_running,
    postgres_address,
    stop_postgres,
)
from portal.embedded.redis_server import ensure_redis, is_redis_running, redis_address, stop_redis
from portal.embedded.roles import DATABASE, Role, bootstrap_roles
from portal.embedded.servers import running_servers
from portal.embedded.supervisor import Child, Supervisor

__all__ = [
    "DATABASE",
    "AlreadyRunningError",
    "Child",
    "EmbeddedError",
    "PostgresAddress",
    "Role",
    "Supervisor",
    "bootstrap_roles",
    "ensure_postgres",
    "ensure_redis",
    "is_postgres_running",
    "is_redis_running",
    "postgres_address",
    "redis_address",
    "running_servers",
    "stop_postgres",
    "stop_redis",
]
