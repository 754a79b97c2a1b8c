import os
import signal
import time
from collections.abc import Callable, Collection

LOOK_SECONDS = 0.05


def end_groups(
    groups: Collection[int], grace_seconds: float, hurry: Callable[[], bool] = lambda: False
) -> None:
    """Ask every process of the groups to end (SIGTERM); kill what is left after the grace, or in a hurry."""
    deadline = time.monotonic() + grace_seconds
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    while left and time.monotonic() < deadline and not hurry():
        time.sleep(LOOK_SECONDS)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send it to every process of the group; False when none is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
