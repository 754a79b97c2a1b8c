import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.embedded import PostgresAddress, ensure_postgres, stop_postgres, stop_redis


def eventually(condition: Callable[[], object], seconds: float = 180):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)
    return result


def remove_state(folder: Path) -> None:
    stop_postgres(folder)
    stop_redis(folder)
    elsewhere = folder / "postgres-socket-folder"
    if elsewhere.exists():
        shutil.rmtree(elsewhere.read_text(), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory whose servers end with the test."""
    folder = Path(tempfile.mkdtemp(prefix="surety test "))
    yield folder
    remove_state(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresAddress]:
    folder = Path(tempfile.mkdtemp(prefix="surety-roles-"))
    yield ensure_postgres(folder, durable=False)
    remove_state(folder)
