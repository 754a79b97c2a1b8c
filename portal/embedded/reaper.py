"""Ends what a supervisor started when the supervisor was killed, which none of its own handlers can do.

Its standard input is a pipe from the supervisor: a line "+GROUP" for a process group that started, "-GROUP"
for one that ended. The kernel closes the pipe however the supervisor dies; then the groups still noted are
ended, and the embedded servers stopped unless someone else uses them.
"""

import signal
import sys
from pathlib import Path

from portal.embedded.groups import end_groups
from portal.embedded.servers import stop_unused_servers


def main(state: Path, grace_seconds: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_groups(_groups_left_behind(), grace_seconds)
    stop_unused_servers(state)


def _groups_left_behind() -> set[int]:
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    return groups


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
