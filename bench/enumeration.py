"""Whether time tells if an address has an account: medians of interleaved tries for somebody and for nobody.

At signing in with a wrong password and at asking for a new password, from the request to the answer's last byte.
Goal: medians that differ by less than 5%. `p` is the share of random splits of the same times that differ as much:
it fails where a difference of 5% or more is none that chance makes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time

import kit

GOAL, CHANCE = 0.05, 0.01
SPLITS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=800, help="of each kind")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    tries = 100 if arguments.quick else arguments.tries
    with kit.own_state():
        kit.set_up_django()
        taken = measure(tries)
    rows, figures = [], {}
    for page, times in taken.items():
        known, unknown = statistics.median(times["known"]), statistics.median(times["unknown"])
        share = abs(known - unknown) / known
        figures[page] = {"known_ms": known, "unknown_ms": unknown, "differs": share, "p": chance(times)}
        rows.append((page, known, unknown, f"{share:.1%}", f"{figures[page]['p']:.2f}"))
    kit.print_table(f"{tries:,} tries of each", ["page", "somebody, ms", "nobody, ms", "differs", "p"], rows)
    kit.print_json("enumeration", tries=tries, goal=GOAL, **figures)
    sys.exit(1 if any(one["differs"] >= GOAL and one["p"] < CHANCE for one in figures.values()) else 0)


def measure(tries: int) -> dict[str, dict[str, list[float]]]:
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory

    from accounts.after_answer import wait_for_work
    from accounts.services import create_person

    settings.ALLOWED_HOSTS = ["*"]
    create_person(email="somebody@example.org", name="Somebody", password="moss on seven cold stones")
    kit.make_tenant("enumeration")
    handler = WSGIHandler()
    bodies = {"/sign-in/": {"password": "wrong"}, "/sign-in/forgotten/": {}}
    emails = {"known": "somebody@example.org", "unknown": "somebodi@example.org"}
    taken: dict[str, dict[str, list[float]]] = {page: {"known": [], "unknown": []} for page in bodies}
    for number in range(tries):
        for page, body in bodies.items():
            for kind in random.sample(list(emails), 2):
                # A network of its own, so that none of them has to wait.
                request = RequestFactory(REMOTE_ADDR=f"10.{number >> 8}.{number & 255}.7").post(
                    page, {"email": emails[kind], **body}
                )
                request._dont_enforce_csrf_checks = True
                begun = time.perf_counter()
                answer = handler.get_response(request)
                _ = answer.content
                taken[page][kind].append((time.perf_counter() - begun) * 1000)
                answer.close()
                wait_for_work()
    return taken


def chance(times: dict[str, list[float]]) -> float:
    """How often a random split of all the times gives medians as far apart."""
    seen = abs(statistics.median(times["known"]) - statistics.median(times["unknown"]))
    together, size, as_far = [*times["known"], *times["unknown"]], len(times["known"]), 0
    for _ in range(SPLITS):
        random.shuffle(together)
        as_far += abs(statistics.median(together[:size]) - statistics.median(together[size:])) >= seen
    return as_far / SPLITS


if __name__ == "__main__":
    main()
