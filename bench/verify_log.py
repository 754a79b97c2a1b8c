"""The audit log verified: a million entries in the database, the same as an export by the stand-alone verifier, a
package of 10 GB at constant memory, and 10,000 random tamperings of nineteen kinds.

The log is written with COPY, and its leaves at once instead of second by second; the log that is tampered with is written by hand
(tests/accounts/verifier/stored.py), each tampering in a transaction that is rolled back.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import kit

ENTRIES, QUICK_ENTRIES = 1_000_000, 100_000
CHECKPOINTS = 2_000
TAMPERINGS, QUICK_TAMPERINGS = 10_000, 400
GIGABYTES, QUICK_GIGABYTES = 10, 1
ROUNDS = 3
GOAL_SECONDS = 30
Sign = Callable[[str], str]
PIECE = (
    b'{"VolumeId": "vol-0123456789abcdef0", "Encrypted": true, "State": "in-use", "Size": 100},\n' * 800
)[:65536]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    entries = QUICK_ENTRIES if quick else ENTRIES
    figures: dict[str, Any] = {"entries": entries}
    # What is verified is read, so that nothing here measures how durably it was written.
    with kit.own_state(durable=False) as state:
        addresses = clone_databases(state)
        kit.set_up_django()
        tenant, sign = write_log(entries)
        figures["verify_log"] = verify_in_database(state)
        figures["export"] = verify_export(tenant, sign)
        figures["package"] = verify_large_package(QUICK_GIGABYTES if quick else GIGABYTES)
        figures["tamperings"] = tamper(addresses, QUICK_TAMPERINGS if quick else TAMPERINGS)
    kit.print_json("verify_log", **figures)
    if figures["tamperings"]["missed"] or figures["tamperings"]["false_alarms"]:
        sys.exit("a tampering was missed, or an untouched log refused")


# --- A sealed log -------------------------------------------------------------------------------------------------------


def write_log(entries: int) -> tuple[UUID, Sign]:
    """A tenant's log of so many entries, with CHECKPOINTS checkpoints; the tenant's id, and who signs."""
    import psycopg

    from portal import env
    from portal.embedded import Role

    tenant = kit.make_tenant("busy")
    started = time.perf_counter()
    with psycopg.connect(env.database_url(Role.SUPERUSER), autocommit=True) as database:
        copy_entries(database, tenant, entries)
        written = time.perf_counter() - started
        sign = seal_at_once(database, tenant, CHECKPOINTS)
        database.execute("vacuum analyze")
    print(
        f"{entries:,} entries written in {written:.0f} s, leaves in {time.perf_counter() - started - written:.0f} s"
    )
    return tenant, sign


def seal_at_once(database: Any, tenant: UUID, checkpoints: int) -> Sign:
    """Leaves, tiles, checkpoints and an anchor as the sealer would write them, by a few statements."""
    from accounts.audit.tree import GrowingTree
    from tests.accounts.verifier import stored
    from tests.accounts.verifier.synthetic import Signer, b64, leaf

    signer = Signer()
    database.execute("set session_replication_role = replica")
    database.execute(f"truncate {', '.join(f'accounts_{table}' for table in stored.TABLES[1:])}")
    database.execute(
        "insert into accounts_auditleaf (id, tenant_id, leaf_index, leaf_hash, sealed_at)"
        " select id, tenant_id, row_number() over (order by id) - 1, sha256('\\x00'::bytea || body), now()"
        " from accounts_auditentry where tenant_id = %s", [tenant],
    )  # fmt: skip
    tree, over, tiles, over_tiles, made, texts = GrowingTree(), GrowingTree(), [], [], [], []
    [count] = database.execute("select count(*) from accounts_auditleaf").fetchone()
    sizes = {count * number // checkpoints for number in range(1, checkpoints + 1)}
    with database.transaction(), database.cursor("leaves", binary=True) as cursor:
        cursor.execute("select leaf_hash from accounts_auditleaf order by leaf_index")
        for (digest,) in cursor:
            tiles += tree.append(digest)
            if tree.size in sizes:
                at = stored.at(len(texts))
                text = (
                    f"surety/{tenant}\n{tree.size}\n{b64(tree.root())}\nepoch 1\ntime {stored.text_of(at)}\n"
                )
                made.append({
                    "id": uuid4(), "tenant_id": tenant, "size": tree.size, "root": tree.root(), "note": signer.note(text),
                    "epoch": 1, "created_at": at, "global_index": len(texts),
                })  # fmt: skip
                texts.append(leaf(text.encode()))
                over_tiles += over.append(texts[-1])
    text = f"surety/checkpoints\n{over.size}\n{b64(over.root())}\nepoch 1\ntime {stored.text_of(at)}\n"
    stored.insert(database, "auditcheckpoint", made)
    stored.insert(database, "audittile", [
        {"id": uuid4(), "tenant_id": tenant, "level": tile.level, "index": tile.index, "hash": tile.root} for tile in tiles
    ])  # fmt: skip
    stored.insert(
        database, "auditgloballeaf", [{"index": n, "leaf_hash": each} for n, each in enumerate(texts)]
    )
    stored.insert(database, "auditglobaltile", [
        {"level": tile.level, "index": tile.index, "hash": tile.root} for tile in over_tiles
    ])  # fmt: skip
    stored.insert(database, "auditanchor", [
        {"size": over.size, "epoch": 1, "note": signer.note(text), "created_at": at, "location": "", "anchored_at": at}
    ])  # fmt: skip
    stored.insert(database, "auditkey", [stored._key_row(signer, None, stored.START)])
    return signer.note


def copy_entries(database: Any, tenant: UUID, entries: int) -> None:
    from django.conf import settings

    from accounts.audit.events import Act, ActorKind, ActOutcome
    from accounts.audit.log import Actor, canonical_body, entry_mac
    from accounts.tenancy.models import new_id

    key, start = settings.AUDIT_MAC_KEY_ID, datetime.now(UTC) - timedelta(days=30)
    columns = (
        "id, tenant_id, occurred_at, act, outcome, object_type, object_id, actor_kind, actor_id, actor_name, address,"
        " request_id, body, mac, mac_key_id"
    )
    with database.cursor().copy(f"copy accounts_auditentry ({columns}) from stdin") as copy:
        for number in range(entries):
            at = start + timedelta(milliseconds=number * 2)
            actor = Actor(
                ActorKind.PERSON, f"p-{number % 50}", "Ada Moss", "192.0.2.7", "5f2b8c", f"r-{number:032d}"
            )
            entry, thing = new_id(), f"s-{number % 5000:036d}"
            body = canonical_body(
                id=str(entry), tenant=str(tenant), at=at, act=Act.EVIDENCE_READ, object_type="snapshot",
                object_id=thing, outcome=ActOutcome.DONE, actor=actor, on_behalf_of="", details={"number": number},
            )  # fmt: skip
            copy.write_row([
                entry, tenant, at, "evidence.read", "done", "snapshot", thing, "person", actor.id, actor.name,
                actor.address, actor.request_id, body, entry_mac(body, key), key,
            ])  # fmt: skip


def verify_in_database(state: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rows = []
    entries = 0
    for processes in (1, 2):
        runs = []
        for _ in range(ROUNDS):
            before = kit.postgres_cpu_seconds(state)
            run = kit.run_measured(
                [kit.PYTHON, "manage.py", "verify_log", "--processes", str(processes)],
                env=kit.clean_environment(state),
            )
            assert run.returncode == 0, run.stdout + run.stderr
            runs.append((run, kit.postgres_cpu_seconds(state) - before))
            entries = int(run.stdout.split(": ")[1].split(" ")[0].replace(",", ""))
        walls = sorted(run.wall for run, _ in runs)
        found[f"processes_{processes}"] = {
            "wall": walls, "cpu": kit.median([run.cpu for run, _ in runs]),
            "postgres_cpu": kit.median([cpu for _, cpu in runs]), "rss_parent": max(run.rss for run, _ in runs),
            "entries": entries,
        }  # fmt: skip
        middle = kit.median(walls)
        rows.append([processes, middle, f"{walls[0]:.1f} to {walls[-1]:.1f}", found[f"processes_{processes}"]["cpu"],
                     found[f"processes_{processes}"]["postgres_cpu"], entries / middle, f"{os.getloadavg()[0]:.1f}"])  # fmt: skip
    title = f"manage.py verify_log over {entries:,} entries (goal: under {GOAL_SECONDS} s with two)"
    kit.print_table(
        title, ["processes", "wall s", "range", "CPU s", "PostgreSQL CPU s", "entries/s", "load"], rows
    )
    return found


# --- Exports ------------------------------------------------------------------------------------------------------------


def verify_export(tenant: UUID, sign: Sign) -> dict[str, Any]:
    """Streams the whole log into a ZIP in this process, and has it verified in an empty directory."""
    from accounts.audit.segment import choose_segment, segment_parts

    parts = segment_parts(choose_segment(tenant_id=tenant))
    return _packed_and_verified("export of the log", "log", parts, tenant, sign)


def verify_large_package(gigabytes: int) -> dict[str, Any]:
    """Files of a gigabyte each, in a package with a log of no entry that they are not evidence of."""
    from tests.accounts.verifier.synthetic import TENANT, Draft

    draft = Draft()
    log = [(name, [data]) for name, data in draft.files.items() if name.startswith("log/")]
    large = [(f"safeguards/{number}/answers.json", _gigabyte()) for number in range(gigabytes)]
    return _packed_and_verified(
        f"package of {gigabytes} GB", "package", [*log, *large], UUID(TENANT), draft.key.note
    )


def _gigabyte() -> Iterator[bytes]:
    for _ in range(1_000_000_000 // len(PIECE)):
        yield PIECE


def _packed_and_verified(
    title: str, name: str, parts: Iterable[Any], tenant: UUID, sign: Sign
) -> dict[str, Any]:

    from accounts.audit.package import VERIFIER, PackageFormat, PackageInfo, stream_package

    info = PackageInfo(format=PackageFormat.LOG, tenant_id=tenant, tenant_name="Busy")
    with tempfile.TemporaryDirectory(prefix="surety-bench-") as folder:
        path = Path(folder) / f"{name}.zip"
        started, peak = time.perf_counter(), 0.0
        with path.open("wb") as file:
            for piece in stream_package(info=info, parts=parts, sign=sign):
                file.write(piece)
                peak = max(peak, kit.psutil.Process().memory_info().rss) if random.random() < 0.01 else peak
        packed = time.perf_counter() - started
        shutil.copy(VERIFIER, folder)
        run = kit.run_measured([kit.PYTHON, "-I", "verify.py", path.name], env={}, cwd=Path(folder))
        assert run.returncode == 0, run.stdout + run.stderr
        size = path.stat().st_size
    kit.print_table(
        title,
        ["", "wall s", "CPU s", "peak MiB"],
        [["written (this process)", packed, "", peak / 2**20], ["verify.py", run.wall, run.cpu, run.rss]],
    )
    return {"zip_bytes": size, "packed_seconds": packed, "packing_rss": peak / 2**20, "verify": run._asdict()}


# --- Tamperings ---------------------------------------------------------------------------------------------------------


def clone_databases(state: Path) -> list[str]:
    """Two copies of the migrated database; their superuser's addresses."""
    import psycopg

    from portal.embedded import Role, postgres_address

    address, names = postgres_address(state), ["tampered_1", "tampered_2"]
    with psycopg.connect(address.dsn(Role.SUPERUSER, "postgres"), autocommit=True) as database:
        for name in names:
            database.execute(f"create database {name} template surety")
    return [address.dsn(Role.SUPERUSER, name) for name in names]


def tamper(addresses: Sequence[str], count: int) -> dict[str, Any]:
    """In two databases at once, each with its own process."""
    started = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        halves = list(pool.map(_tamper_some, addresses, [range(0, count, 2), range(1, count, 2)]))
    seconds = time.perf_counter() - started
    tried, missed = Counter(), Counter()  # type: tuple[Counter[str], Counter[str]]
    for half in halves:
        tried.update(half[0])
        missed.update(half[1])
    checks, alarms = sum(half[2] for half in halves), sum(half[3] for half in halves)
    title = f"{count:,} tamperings in {seconds:.0f} s; {alarms} false alarms in {checks} looks at the untouched log"
    kit.print_table(
        title, ["kind", "tried", "found"], [[kind, n, n - missed[kind]] for kind, n in sorted(tried.items())]
    )
    return {
        "tried": dict(tried),
        "missed": dict(missed),
        "seconds": seconds,
        "untouched": checks,
        "false_alarms": alarms,
    }


def _tamper_some(address: str, numbers: range) -> tuple[Counter[str], Counter[str], int, int]:
    """(tried and missed by kind, how often the untouched log was looked at, how often it was refused)."""
    import psycopg

    from tests.accounts.verifier.stored import TAMPERINGS as KINDS
    from tests.accounts.verifier.stored import Hand, build, faults, savepoint, verify

    tried, missed, alarms, looks = Counter(), Counter(), 0, 0  # type: ignore[var-annotated]
    with psycopg.connect(address) as database:
        database.execute("set timezone = 'UTC'")
        log = build(database)
        for number in numbers:
            kind = KINDS[number // 2 % len(KINDS)]
            with savepoint(database):
                hand = Hand(database, log, random.Random(number))
                kind(hand)
                tried[kind.__name__] += 1
                if not faults(verify(database, hand.anchored)):
                    missed[kind.__name__] += 1
            if number % 100 < 2:
                looks += 1
                alarms += bool(faults(verify(database, log.anchored)))
        database.rollback()
    return tried, missed, looks, alarms


if __name__ == "__main__":
    main()
