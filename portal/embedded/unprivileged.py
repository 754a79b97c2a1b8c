"""Who runs the embedded servers: this user, or, when this user is root, one made for it.

PostgreSQL refuses to run as root, and Redis has no need to.
"""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

from portal.embedded.errors import EmbeddedError

SYSTEM_USER = "surety-embedded"


class Identity(TypedDict, total=False):
    """Keyword arguments for subprocess: empty when the caller's own identity will do."""

    user: int
    group: int
    extra_groups: list[int]


def server_identity() -> Identity:
    if os.geteuid() != 0:
        return {}
    entry = _system_user()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedError(
            f"PostgreSQL won't run as root: create a user named {SYSTEM_USER}, or be another user."
        )
    made = subprocess.run(  # noqa: S603 - a fixed command
        [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True,
        text=True,
        check=False,
    )
    try:  # another process may have been faster, and then useradd failed with reason
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedError(f"Cannot create the user {SYSTEM_USER}: {made.stderr.strip()}") from None


def give(path: Path, identity: Identity) -> None:
    """Make the folder the server's, closed to everybody else, and reachable for it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    if identity:
        os.chown(path, identity["user"], identity["group"])
        make_reachable(path)


def make_reachable(path: Path) -> None:
    """As root: let others traverse (not list) root's folders above path, and say so where one changed."""
    for folder in path.resolve().parents:
        status = folder.stat()
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid == 0 and not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            sys.stderr.write(f"surety: {folder} can now be traversed by the user {SYSTEM_USER}\n")


def make_readable(folder: Path) -> None:
    """As root: let other users run what a wheel installed, which a strict umask may have closed to them."""
    make_reachable(folder)
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)
