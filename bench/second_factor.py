"""One code, raced: 25,000 uses of app codes and recovery codes by 8 at a time, each code accepted once.

Through the service that the sign-in page calls, on a PostgreSQL as durable as a real one.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import kit

RACERS = 8
USES = 25_000


def race(pool: ThreadPoolExecutor, act: Callable[[], bool]) -> int:
    """How many of RACERS who do the same at the same moment are accepted."""
    barrier = threading.Barrier(RACERS)

    def run() -> bool:
        barrier.wait(timeout=30)
        return act()

    return sum(future.result(timeout=60) for future in [pool.submit(run) for _ in range(RACERS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uses", type=int, default=USES)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    uses = 2_000 if arguments.quick else arguments.uses
    with kit.own_state():
        kit.set_up_django()
        figures = measure(uses)
    wrong = sum(figures[kind]["not_once"] for kind in figures)
    rows = [
        (kind, one["codes"], one["uses"], one["not_once"], one["seconds"]) for kind, one in figures.items()
    ]
    kit.print_table(f"Codes raced by {RACERS}", ["", "codes", "uses", "not accepted once", "seconds"], rows)
    kit.print_json("second_factor", racers=RACERS, **figures)
    sys.exit(1 if wrong else 0)


def measure(uses: int) -> dict[str, dict[str, float]]:
    import pyotp

    from accounts.devices import TotpDevice
    from accounts.services import create_person
    from accounts.services.second_factor import create_recovery_codes, match_code, prepare_totp

    person = create_person(email="racer@example.org", name="Racer", password="moss on seven cold stones")
    device = prepare_totp(person=person)
    device.confirmed = True
    device.save()
    codes: list[str] = []

    def next_app_code() -> str:
        TotpDevice.objects.filter(pk=device.pk).update(last_step=-1, throttling_failure_count=0)
        return pyotp.TOTP(device.secret).now()

    def next_recovery_code() -> str:
        TotpDevice.objects.filter(pk=device.pk).update(throttling_failure_count=0)
        if not codes:
            codes.extend(create_recovery_codes(person=person))
        return codes.pop()

    found = {}
    with ThreadPoolExecutor(RACERS) as pool:
        for kind, following in (("app", next_app_code), ("recovery", next_recovery_code)):
            trials, begun, not_once = uses // 2 // RACERS, time.perf_counter(), 0
            for _ in range(trials):
                code = following()
                not_once += (
                    race(pool, lambda code=code: match_code(person=person, code=code) is not None) != 1
                )
            seconds = time.perf_counter() - begun
            found[kind] = {"codes": trials, "uses": trials * RACERS, "not_once": not_once, "seconds": seconds}
    return found


if __name__ == "__main__":
    main()
