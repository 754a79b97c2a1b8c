import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from portal.embedded import (
    PostgresAddress,
    Role,
    ensure_postgres,
    ensure_redis,
    is_postgres_running,
    is_redis_running,
    postgres_address,
    running_servers,
    stop_postgres,
    stop_redis,
)
from tests.embedded.conftest import eventually, remove_state

ENSURE = "import sys, pathlib; from portal.embedded import *; s = pathlib.Path(sys.argv[1]); "
CHECKOUT = Path(__file__).parents[2]


def select(address: PostgresAddress, role: Role, statement: str):
    with psycopg.connect(address.dsn(role)) as connection:
        return connection.execute(statement).fetchone()[0]  # type: ignore[index]


def python(code: str, state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(state)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )


def test_postgres_keeps_its_data_and_passwords_over_a_restart(state: Path) -> None:
    first = ensure_postgres(state)
    with psycopg.connect(first.dsn(Role.MIGRATE)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stop_postgres(state)
    assert not is_postgres_running(state)

    second = ensure_postgres(state)

    assert second == first
    assert select(second, Role.APP, "SELECT answer FROM kept") == 42
    stop_postgres(state)
    stop_postgres(state)


def test_postgres_listens_on_no_network_address_and_wants_a_password(state: Path) -> None:
    address = ensure_postgres(state, durable=False)
    assert select(address, Role.SUPERUSER, "SHOW listen_addresses") == ""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=address.host, user="portal_app", dbname="surety", password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=address.host, user="postgres", dbname="postgres", passfile="/dev/null")


def test_two_processes_that_start_postgres_at_once_get_one_server(state: Path) -> None:
    code = ENSURE + "print(ensure_postgres(s, durable=False).dsn(Role.APP))"
    racers = [python(code, state) for _ in range(3)]
    answers = {racer.communicate(timeout=180)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert answers == {postgres_address(state).dsn(Role.APP) + "\n"}
    assert select(postgres_address(state), Role.APP, "SELECT 1") == 1


def test_two_callers_that_start_redis_at_once_get_one_server(state: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: ensure_redis(state), range(4)))
    assert len(urls) == 1


def test_redis_keeps_what_was_written_and_wants_a_password(state: Path) -> None:
    url = ensure_redis(state)
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        port = client.connection_pool.connection_kwargs["port"]
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("kept")
    stop_redis(state)
    assert not is_redis_running(state)
    with redis.Redis.from_url(ensure_redis(state), decode_responses=True) as client:
        assert client.get("kept") == "yes"


def test_redis_takes_another_port_when_its_own_is_taken(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (state / "redis-port").write_text(str(other.getsockname()[1]))
        assert str(other.getsockname()[1]) not in ensure_redis(state)
    assert is_redis_running(state)


def test_postgres_starts_under_a_path_too_long_for_a_socket(state: Path) -> None:
    deep = state.joinpath(*["a long way down"] * 8)
    try:
        address = ensure_postgres(deep, durable=False)
        assert len(os.fsencode(f"{address.host}/.s.PGSQL.5432")) < 100
        assert select(address, Role.APP, "SELECT 1") == 1
    finally:
        remove_state(deep)


def test_postgres_starts_again_after_it_was_killed(state: Path) -> None:
    ensure_postgres(state)
    pid = int((state / "postgres/data/postmaster.pid").read_text().split()[0])
    os.kill(pid, 9)
    eventually(lambda: not is_postgres_running(state))
    assert select(ensure_postgres(state), Role.APP, "SELECT 1") == 1


def test_secrets_are_readable_by_their_owner_alone(state: Path) -> None:
    ensure_redis(state)
    postgres_address(state)
    files = list((state / "secrets").iterdir())
    assert len(files) == len(Role) + 1
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert oct((state / "secrets").stat().st_mode & 0o777) == "0o700"


def test_servers_run_until_their_last_user_leaves(state: Path) -> None:
    code = (
        ENSURE
        + "\nwith running_servers(s, redis=False, durable=False): print('up', flush=True); sys.stdin.readline()"
    )
    with running_servers(state, redis=False, durable=False):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(state)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
    assert is_postgres_running(state)
    other.communicate("\n", timeout=30)
    assert not is_postgres_running(state)
