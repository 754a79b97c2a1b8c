"""Pushed documents: each sent three times, in no order, while processes are killed; connections cut in the commit.

    .venv/bin/python bench/pushes.py [--documents 100000] [--kills 200] [--cuts 1000] [--quick]

Every receipt must be the same however often a document was sent, every document must be there once, sequences without
a gap, and findings, checks and statuses what an oracle of a few lines says. Prints a table and a line of JSON; exit
code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

import kit
import pushing


def storm(portal: Any, documents: list[Any], *, kills: int, cuts: int, senders: int) -> dict[str, Any]:
    """Sends everything, with kills spread over it; the receipts by document."""
    chance = random.Random(20261122)
    orders = [each for each in documents for _ in range(3)]
    chance.shuffle(orders)
    waiting: queue.SimpleQueue[tuple[Any, bool]] = queue.SimpleQueue()
    cut = set(chance.sample(range(len(orders)), min(cuts, len(orders))))
    for place, each in enumerate(orders):
        waiting.put((each, place in cut))
    receipts: dict[int, set[bytes]] = {each.number: set() for each in documents}
    lock, errors, tries = threading.Lock(), [], Counter[str]()

    def send() -> None:
        sender, own = pushing.Sender(portal), random.Random()
        while True:
            try:
                each, is_cut = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                after = own.uniform(0, 0.06) if is_cut else None
                said = sender.push(
                    pushing.document(each.findings),
                    f"document-{each.number}",
                    cut_after=after,
                    **each.query(),
                )
            except RuntimeError as error:
                errors.append(str(error))
                continue
            with lock:
                receipts[each.number].add(said)
        with lock:
            tries["tries"] += sender.tries

    began = time.monotonic()
    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    killed = _kill(portal, threads, waiting, kills, len(orders), chance)
    for thread in threads:
        thread.join()
    return {
        "sent": len(orders), "tries": tries["tries"], "kills": dict(killed), "cuts": len(cut), "errors": errors[:5],
        "seconds": time.monotonic() - began, "receipts": receipts,
    }  # fmt: skip


def _kill(
    portal: Any, threads: list[Any], waiting: Any, kills: int, total: int, chance: random.Random
) -> Counter[str]:
    """Spread over the sending, by what is left to send."""
    killed: Counter[str] = Counter()
    told = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.02)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"{total - waiting.qsize()} of {total} sent, {killed.total()} killed", file=sys.stderr)
        if killed.total() < kills and total - waiting.qsize() > total * (killed.total() + 1) / (kills + 2):
            name = chance.choice(("web", "worker"))
            portal.kill(name)
            killed[name] += 1
            time.sleep(chance.uniform(0, 0.3))
    return killed


def wait_for_workers(portal: Any, patience: float) -> dict[str, int]:
    """Until nothing is left to read; how many documents are in each state."""
    from accounts.tenancy.scope import open_tenant
    from evidence.models import Submission

    deadline = time.monotonic() + patience
    while True:
        with open_tenant(portal.tenant):
            states = Counter(Submission.objects.values_list("state", flat=True))
        if not states["received"] or time.monotonic() > deadline:
            return dict(states)
        print(f"{states['received']} left to read", file=sys.stderr)
        time.sleep(10)


def differences(portal: Any, documents: list[Any], receipts: dict[int, set[bytes]]) -> dict[str, int]:
    """What isn't as it must be; all zero where everything is."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Finding, SubmittedCheck
    from evidence.models import Submission

    with open_tenant(portal.tenant):
        rows = list(Submission.objects.order_by("sequence").values_list("pk", "sequence", "receipt"))
        found = {
            (stream, check, arn): (outcome, gone is not None)
            for stream, check, arn, outcome, gone in Finding.objects.exclude(stream=None).values_list(
                "stream__name", "check_id", "resource_arn", "outcome", "gone_at"
            )
        }
        failed = sum(SubmittedCheck.objects.values_list("failed", flat=True))
        passed = sum(SubmittedCheck.objects.values_list("passed", flat=True))
        numbered = [row[1] for row in rows]
    wanted = pushing.expected(documents)
    standing = Counter(outcome for outcome, gone in wanted.values() if not gone)
    kept = {str(pk): receipt for pk, _sequence, receipt in rows}
    answers = [json.loads(said) for each in receipts.values() for said in each]
    return {
        "documents with other than one receipt": sum(len(each) != 1 for each in receipts.values()),
        "receipts that no row has": sum(kept.get(each["id"]) != each["receipt"] for each in answers),
        "documents lost or doubled": abs(len(rows) - len(documents)),
        "gaps in the sequence": int(numbered != list(range(1, len(rows) + 1))),
        "findings that differ": sum(found.get(key) != value for key, value in wanted.items())
        + len(set(found) - set(wanted)),
        "numbers of checks that differ": abs(failed - standing["FAIL"]) + abs(passed - standing["PASS"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--senders", type=int, default=6)
    parser.add_argument("--quick", action="store_true", help="300 documents, 6 kills, 30 cuts")
    given = parser.parse_args()
    number, kills, cuts = (300, 6, 30) if given.quick else (given.documents, given.kills, given.cuts)
    with kit.own_state(redis=True) as state:
        kit.set_up_django()
        portal = pushing.make_portal(state)
        documents = pushing.make_documents(number, random.Random(7))
        with portal.up("web", "worker"):
            figures = storm(portal, documents, kills=kills, cuts=cuts, senders=given.senders)
            figures["states"] = wait_for_workers(portal, max(600, number / 10))
            wrong = differences(portal, documents, figures.pop("receipts"))
    kit.print_table("Pushed three times each, with kills", ["", "found"], [
        *((name, str(value)) for name, value in figures.items()), *((name, str(value)) for name, value in wrong.items()),
    ])  # fmt: skip
    kit.print_json("pushes", **figures, wrong=wrong)
    if any(wrong.values()) or figures["errors"] or figures["states"].get("accepted") != number:
        sys.exit(1)


if __name__ == "__main__":
    main()
