"""The state directory: its layout, its locks and its secrets."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded.errors import EmbeddedError

LONGEST_SOCKET_PATH = 99  # bytes; the kernel's own limit is 107 with some systems at 103


def prepare_state(state: Path) -> Path:
    """Create the state directory, private to its owner, and return its absolute path.

    As root it can be traversed (not listed) by others, because the servers then run as another user.
    """
    state = state.expanduser().resolve()
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return state


@contextmanager
def locked(state: Path, name: str) -> Iterator[None]:
    """Hold an exclusive lock of this state directory; it ends with the process at the latest."""
    with lock_file(state, name) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_file(state: Path, name: str) -> Iterator[int]:
    folder = state / "lock"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_or_create_secret(state: Path, name: str) -> str:
    """The secret of that name, made at random (256 bits) when first asked for; its file has mode 0600."""
    folder = state / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        _publish(path, secrets.token_urlsafe(32))
    value = path.read_text().strip()
    if not value:
        raise EmbeddedError(f"{path} is empty: restore it from a backup, or remove the state directory.")
    return value


def _publish(path: Path, text: str) -> None:
    """Write the file whole or not at all; whoever publishes first wins."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()


def write_text(path: Path, text: str) -> None:
    """Replace a small file in one step, mode 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(temporary).replace(path)
