"""A sealed log in the database, written by hand and not by the product's sealer; and ways to tamper with it.

All of it happens in a superuser's transaction that is rolled back. Who tampers has the database, and neither the key
of the MACs nor those that sign; `smart` ones put leaves and tiles right again as far as that goes.
"""

from __future__ import annotations

import hmac
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from accounts.audit.verification.notes import KeyRow, judge_keys
from accounts.audit.verification.units import Fault, Judge, verify_unit
from accounts.audit.verification.whole import Anchored, Verdict, list_logs, verify_checkpoints, verify_tenants
from tests.accounts.verifier.synthetic import Signer, b64, leaf, root

TABLES = (
    "auditentry", "auditleaf", "audittile", "auditcheckpoint", "auditgloballeaf", "auditglobaltile", "auditanchor",
    "auditkey", "auditepoch",
)  # fmt: skip
MAC_KEYS = {"1": b"a key that the database does not hold"}
START = datetime(2026, 11, 1, tzinfo=UTC)
TENANTS = [UUID(f"0199{letter * 4}-0000-7000-8000-000000000000") for letter in "abc"]
ROUNDS = 86
GROWTH = {0: 7, 1: 3, 2: 1}
"""Entries of each tenant in a round: 602, 258 and 86 in all."""

Row = dict[str, Any]


class Log(NamedTuple):
    """What who tampers can't reach: the key in force, and the newest note of the anchor store."""

    signer: Signer
    anchored: str


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def text_of(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def make_entry(number: int, tenant: UUID) -> Row:
    entry_id, moment = UUID(int=(0x0199 << 112) | (7 << 76) | (8 << 60) | number), at(number)
    body = json.dumps(
        {
            "v": 1, "id": str(entry_id), "tenant": str(tenant), "at": text_of(moment), "act": "evidence.read",
            "outcome": "done", "object": {"type": "snapshot", "id": f"s-{number}"},
            "actor": {"kind": "person", "id": f"p-{number % 7}", "name": "Zoë", "address": "2001:db8::1", "session": ""},
            "on_behalf_of": "", "request": f"r-{number}", "details": {"number": number},
        },
        sort_keys=True, separators=(",", ":"), ensure_ascii=False,
    ).encode()  # fmt: skip
    return {
        "id": entry_id, "tenant_id": tenant, "occurred_at": moment, "recorded_at": moment, "act": "evidence.read",
        "outcome": "done", "object_type": "snapshot", "object_id": f"s-{number}", "actor_kind": "person",
        "actor_id": f"p-{number % 7}", "actor_name": "Zoë", "address": "2001:db8::1", "request_id": f"r-{number}",
        "body": body, "mac": hmac.digest(MAC_KEYS["1"], body, "sha256"), "mac_key_id": "1",
    }  # fmt: skip


def tiles_of(hashes: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
    level, row = 1, hashes
    while len(row) >= 256:
        row = [root(row[start : start + 256]) for start in range(0, len(row) // 256 * 256, 256)]
        yield from ((level, index, digest) for index, digest in enumerate(row))
        level += 1


def insert(database: psycopg.Connection, table: str, rows: list[Row]) -> None:
    if rows:
        names = list(rows[0])
        with (
            database.cursor() as cursor,
            cursor.copy(f"copy accounts_{table} ({', '.join(names)}) from stdin") as copy,
        ):
            for row in rows:
                copy.write_row([row[name] for name in names])


def build(database: psycopg.Connection) -> Log:
    """Replaces the tables' rows by a log of three tenants under two keys."""
    database.execute("set session_replication_role = replica")
    database.execute(f"truncate {', '.join(f'accounts_{table}' for table in TABLES)} cascade")
    old, new = Signer(), Signer()
    changed = at(ROUNDS // 2)
    keys = [_key_row(old, None, START), _key_row(new, old.certify(new), changed)]
    entries, leaves, checkpoints, anchors = [], [], [], []
    hashes: dict[UUID, list[bytes]] = {tenant: [] for tenant in TENANTS}
    texts: list[bytes] = []
    numbers = count(1)
    for number in range(ROUNDS):
        signer, moment = (old if at(number) < changed else new), at(number)
        for place, tenant in enumerate(TENANTS):
            for _ in range(GROWTH[place]):
                entry = make_entry(next(numbers), tenant)
                entries.append(entry)
                leaves.append(
                    {"id": entry["id"], "tenant_id": tenant, "leaf_index": len(hashes[tenant]),
                     "leaf_hash": leaf(entry["body"]), "sealed_at": moment}
                )  # fmt: skip
                hashes[tenant].append(leaf(entry["body"]))
            digest, size = root(hashes[tenant]), len(hashes[tenant])
            text = f"surety/{tenant}\n{size}\n{b64(digest)}\nepoch 1\ntime {text_of(moment)}\n"
            checkpoints.append(
                {"id": UUID(int=len(texts) + 1), "tenant_id": tenant, "size": size, "root": digest,
                 "note": signer.note(text), "epoch": 1, "created_at": moment, "global_index": len(texts)}
            )  # fmt: skip
            texts.append(text.encode())
        if number % 10 == 5 or number == ROUNDS - 1:
            anchors.append(_anchor_row(signer, [leaf(text) for text in texts], moment))
    over = [leaf(text) for text in texts]
    insert(database, "auditentry", entries)
    insert(database, "auditleaf", leaves)
    insert(database, "auditcheckpoint", checkpoints)
    insert(database, "auditanchor", anchors)
    insert(database, "auditkey", keys)
    insert(
        database, "auditgloballeaf", [{"index": index, "leaf_hash": each} for index, each in enumerate(over)]
    )
    insert(
        database,
        "auditglobaltile",
        [dict(zip(("level", "index", "hash"), each, strict=True)) for each in tiles_of(over)],
    )
    for tenant in TENANTS:
        put_tiles(database, tenant, hashes[tenant])
    return Log(new, anchors[-1]["note"])


def _key_row(signer: Signer, certificate: str | None, created_at: datetime) -> Row:
    public = signer.private.public_key().public_bytes_raw()
    return {"key_id": signer.hash.hex(), "vkey": signer.vkey, "public_key": public, "certificate": certificate,
            "created_at": created_at}  # fmt: skip


def _anchor_row(signer: Signer, hashes: list[bytes], moment: datetime) -> Row:
    text = f"surety/checkpoints\n{len(hashes)}\n{b64(root(hashes))}\nepoch 1\ntime {text_of(moment)}\n"
    return {"size": len(hashes), "epoch": 1, "note": signer.note(text), "created_at": moment, "location": "",
            "anchored_at": moment}  # fmt: skip


def put_tiles(database: psycopg.Connection, tenant: UUID, hashes: list[bytes]) -> None:
    database.execute("delete from accounts_audittile where tenant_id = %s", [tenant])
    rows = [
        {"id": UUID(int=(tenant.int & ~0xFFFFFF) | level << 16 | index), "tenant_id": tenant, "level": level,
         "index": index, "hash": digest}
        for level, index, digest in tiles_of(hashes)
    ]  # fmt: skip
    insert(database, "audittile", rows)


def verify(
    database: psycopg.Connection, anchored: str | None, *, pinned: str = "", patience: float = 60
) -> list[Verdict]:
    """What manage.py verify_log does, in this process and this transaction."""
    rows = database.execute(
        "select key_id, vkey, public_key, certificate from accounts_auditkey order by created_at"
    )
    keys, wrong = judge_keys([KeyRow(*row) for row in rows], pinned)
    judge = Judge(MAC_KEYS, keys)
    logs = list_logs(database, patience=patience)
    found = list(
        verify_tenants(
            database, logs, lambda tasks: [verify_unit(database, task, judge) for task in tasks], {}
        )
    )
    found.append(verify_checkpoints(database, keys, Anchored("store/newest", anchored) if anchored else None))
    return [*found, Verdict("keys", len(keys), 0, [Fault(0, each) for each in wrong], len(wrong))]


def faults(verdicts: list[Verdict]) -> list[str]:
    return [fault.sentence for verdict in verdicts for fault in verdict.faults]


@contextmanager
def savepoint(database: psycopg.Connection) -> Iterator[None]:
    """Undoes what happens inside."""
    with database.transaction(force_rollback=True):
        yield


# --- Ways to tamper -----------------------------------------------------------------------------------------------------


class Hand:
    """Somebody with the database and a random source. `anchored` is what the anchor store will answer."""

    def __init__(self, database: psycopg.Connection, log: Log, chance: random.Random) -> None:
        self.database, self.log, self.chance, self.anchored = database, log, chance, log.anchored

    def do(self, statement: str, *values: Any) -> None:
        assert self.database.execute(statement, values).rowcount > 0, statement

    def ask(self, statement: str, *values: Any) -> Any:
        return self.database.execute(statement, values).fetchone()

    def tenant(self) -> UUID:
        return self.chance.choice(TENANTS)

    def a_leaf(self, tenant: UUID | None = None) -> tuple[UUID, int, UUID]:
        """(entry, index, tenant)."""
        tenant = tenant or self.tenant()
        index = self.chance.randrange(self.size(tenant))
        found = self.ask(
            "select id from accounts_auditleaf where tenant_id = %s and leaf_index = %s", tenant, index
        )
        return found[0], index, tenant

    def size(self, tenant: UUID) -> int:
        return self.ask("select count(*) from accounts_auditleaf where tenant_id = %s", tenant)[0]

    def put_right(self, tenant: UUID) -> None:
        """Leaves by their bodies, tiles by the leaves: all that needs no key."""
        self.database.execute(
            "update accounts_auditleaf l set leaf_hash = sha256('\\x00'::bytea || e.body) from accounts_auditentry e"
            " where e.id = l.id and l.tenant_id = %s and leaf_hash <> sha256('\\x00'::bytea || e.body)",
            [tenant],
        )
        rows = self.database.execute(
            "select leaf_hash from accounts_auditleaf where tenant_id = %s order by leaf_index", [tenant]
        )
        put_tiles(self.database, tenant, [digest for (digest,) in rows])

    def maybe_put_right(self, *tenants: UUID) -> None:
        if self.chance.random() < 0.5:
            for tenant in tenants:
                self.put_right(tenant)


def change_body(hand: Hand) -> None:
    entry, _index, tenant = hand.a_leaf()
    body = bytearray(hand.ask("select body from accounts_auditentry where id = %s", entry)[0])
    body[hand.chance.randrange(len(body))] ^= 1 << hand.chance.randrange(8)
    hand.do("update accounts_auditentry set body = %s where id = %s", bytes(body), entry)
    hand.maybe_put_right(tenant)


def change_column(hand: Hand) -> None:
    entry, _index, _tenant = hand.a_leaf()
    column, value = hand.chance.choice([
        ("act", "evidence.list"), ("outcome", "refused"), ("object_type", "run"), ("object_id", "s-0"),
        ("actor_kind", "system"), ("actor_id", "p-9"), ("actor_name", "Zoe"), ("address", "2001:db8::2"),
        ("address", None), ("request_id", "r"), ("occurred_at", START - timedelta(days=1)), ("mac", b"\0" * 32),
        ("mac_key_id", "2"),
    ])  # fmt: skip
    hand.do(f"update accounts_auditentry set {column} = %s where id = %s", value, entry)


def delete_entry(hand: Hand) -> None:
    entry, _index, _tenant = hand.a_leaf()
    hand.do("delete from accounts_auditentry where id = %s", entry)


def delete_leaf(hand: Hand) -> None:
    entry, _index, _tenant = hand.a_leaf()
    hand.do("delete from accounts_auditleaf where id = %s", entry)


def delete_and_close_the_gap(hand: Hand) -> None:
    entry, index, tenant = hand.a_leaf()
    hand.do("delete from accounts_auditentry where id = %s", entry)
    hand.do("delete from accounts_auditleaf where id = %s", entry)
    shift(hand, tenant, index, -1)
    hand.maybe_put_right(tenant)


def shift(hand: Hand, tenant: UUID, index: int, by: int) -> None:
    far = 1_000_000
    where = "where tenant_id = %s and leaf_index >= %s"
    hand.database.execute(
        f"update accounts_auditleaf set leaf_index = leaf_index + %s {where}", [far + by, tenant, index]
    )
    hand.database.execute(
        f"update accounts_auditleaf set leaf_index = leaf_index - %s {where}", [far, tenant, far]
    )


def invent_an_entry(hand: Hand) -> None:
    tenant = hand.tenant()
    index = hand.chance.randrange(hand.size(tenant) + 1)
    entry = make_entry(1_000_000, tenant)
    entry["mac"] = hand.chance.randbytes(32)
    shift(hand, tenant, index, 1)
    insert(hand.database, "auditentry", [entry])
    row = {
        "id": entry["id"],
        "tenant_id": tenant,
        "leaf_index": index,
        "leaf_hash": leaf(entry["body"]),
        "sealed_at": START,
    }
    insert(hand.database, "auditleaf", [row])
    hand.maybe_put_right(tenant)


def invent_an_entry_for_the_sealer(hand: Hand) -> None:
    entry = make_entry(1_000_000, hand.tenant())
    entry["mac"] = hand.chance.randbytes(32)
    insert(hand.database, "auditentry", [entry])


def repeat_a_genuine_entry(hand: Hand) -> None:
    """Body and MAC of one entry in the place of another."""
    one, _, _ = hand.a_leaf()
    other, _, tenant = hand.a_leaf()
    while other == one:
        other, _, tenant = hand.a_leaf()
    hand.do(
        "update accounts_auditentry e set body = o.body, mac = o.mac from accounts_auditentry o"
        " where o.id = %s and e.id = %s", one, other,
    )  # fmt: skip
    hand.maybe_put_right(tenant)


def reorder_two(hand: Hand) -> None:
    one, first, tenant = hand.a_leaf()
    other, second, _ = hand.a_leaf(tenant)
    while other == one:
        other, second, _ = hand.a_leaf(tenant)
    exchange(hand, (one, tenant, first), (other, tenant, second))
    hand.maybe_put_right(tenant)


def exchange(hand: Hand, one: tuple[UUID, UUID, int], other: tuple[UUID, UUID, int]) -> None:
    statement = "update accounts_auditleaf set tenant_id = %s, leaf_index = %s where id = %s"
    hand.do(statement, TENANTS[0], -1, one[0])
    hand.do(statement, one[1], one[2], other[0])
    hand.do(statement, other[1], other[2], one[0])


def swap_between_tenants(hand: Hand) -> None:
    mine, yours = hand.chance.sample(TENANTS, 2)
    one, first, _ = hand.a_leaf(mine)
    other, second, _ = hand.a_leaf(yours)
    exchange(hand, (one, mine, first), (other, yours, second))
    if hand.chance.random() < 0.5:
        hand.do("update accounts_auditentry set tenant_id = %s where id = %s", yours, one)
        hand.do("update accounts_auditentry set tenant_id = %s where id = %s", mine, other)
    hand.maybe_put_right(mine, yours)


def a_checkpoint(hand: Hand, tenant: UUID) -> tuple[UUID, int]:
    return hand.chance.choice(
        hand.database.execute(
            "select id, size from accounts_auditcheckpoint where tenant_id = %s order by size", [tenant]
        ).fetchall()
    )


def replay_an_old_checkpoint(hand: Hand) -> None:
    tenant = hand.tenant()
    older, newer = sorted({a_checkpoint(hand, tenant)[1] for _ in range(9)})[:2]
    columns = (
        "note = o.note, root = o.root, created_at = o.created_at"
        if hand.chance.random() < 0.5
        else "note = o.note"
    )
    hand.do(
        f"update accounts_auditcheckpoint c set {columns} from accounts_auditcheckpoint o"
        " where c.tenant_id = %s and o.tenant_id = c.tenant_id and c.size = %s and o.size = %s", tenant, newer, older,
    )  # fmt: skip


def remove_a_checkpoint(hand: Hand) -> None:
    hand.do("delete from accounts_auditcheckpoint where id = %s", a_checkpoint(hand, hand.tenant())[0])


def truncate_a_tail(hand: Hand) -> None:
    """Entries, leaves, tiles and checkpoints of one tenant."""
    tenant = hand.tenant()
    _, size = a_checkpoint(hand, tenant)
    while size == hand.size(tenant):
        _, size = a_checkpoint(hand, tenant)
    cut(hand, tenant, size)


def cut(hand: Hand, tenant: UUID, size: int) -> None:
    place = "where tenant_id = %s and leaf_index >= %s"
    if hand.chance.random() < 0.8:
        hand.database.execute(
            f"delete from accounts_auditentry where id in (select id from accounts_auditleaf {place})",
            [tenant, size],
        )
    hand.database.execute(f"delete from accounts_auditleaf {place}", [tenant, size])
    hand.database.execute(
        "delete from accounts_auditcheckpoint where tenant_id = %s and size > %s", [tenant, size]
    )
    hand.put_right(tenant)


def truncate_everything(hand: Hand) -> None:
    """Back to an earlier state in every table, the anchors' too: only the anchor store knows better."""
    keep = hand.chance.randrange(1, ROUNDS)
    for place, tenant in enumerate(TENANTS):
        cut(hand, tenant, keep * GROWTH[place])
    left = keep * len(TENANTS)
    hand.do("delete from accounts_auditgloballeaf where index >= %s", left)
    hand.database.execute("delete from accounts_auditanchor where size > %s", [left])
    hand.database.execute(
        "delete from accounts_auditglobaltile where index >= %s and level = 1", [left // 256]
    )


def alter_a_tile(hand: Hand) -> None:
    table = hand.chance.choice(["audittile", "auditglobaltile"])
    digest = hand.chance.randbytes(32)
    hand.do(
        f"update accounts_{table} set hash = %s where ctid = (select ctid from accounts_{table} order by random() limit 1)",
        digest,
    )


def alter_a_signature(hand: Hand) -> None:
    table, name = hand.chance.choice([("auditcheckpoint", "id"), ("auditanchor", "size")])
    rows = hand.database.execute(f"select {name}, note from accounts_{table} order by 1").fetchall()
    row, note = hand.chance.choice(rows)
    place = hand.chance.randrange(len(note) - 1)
    other = hand.chance.choice([each for each in "ABab01+/\n " if each != note[place]])
    hand.do(
        f"update accounts_{table} set note = %s where {name} = %s",
        note[:place] + other + note[place + 1 :],
        row,
    )


def swap_the_key(hand: Hand) -> None:
    """A key of the attacker's own in the place of the newest, with everything signed again."""
    mine = Signer()
    row = _key_row(mine, mine.certify(mine), START)
    if hand.chance.random() < 0.7:
        # The first key has no certificate that could be missing, so all are replaced by one.
        hand.do("delete from accounts_auditkey")
        insert(hand.database, "auditkey", [{**row, "certificate": None}])
        for table, name in (("auditcheckpoint", "id"), ("auditanchor", "size")):
            for key, note in hand.database.execute(f"select {name}, note from accounts_{table}").fetchall():
                text = note.rpartition("\n\n")[0] + "\n"
                hand.do(f"update accounts_{table} set note = %s where {name} = %s", mine.note(text), key)
        return
    hand.do("update accounts_auditkey set key_id = %s, vkey = %s, public_key = %s, certificate = %s"
            " where key_id = %s", row["key_id"], row["vkey"], row["public_key"],
            hand.chance.choice([None, row["certificate"]]), hand.log.signer.hash.hex())  # fmt: skip


def alter_the_anchor(hand: Hand) -> None:
    """In the anchor store, or in its table."""
    size = hand.ask("select max(size) from accounts_auditanchor")[0]
    forged = _anchor_row(Signer(), [hand.chance.randbytes(32)] * size, START)["note"]
    changed = hand.log.anchored.replace("epoch 1", "epoch 2")
    kind = hand.chance.randrange(3)
    if kind == 0:
        hand.anchored = hand.chance.choice([forged, changed])
    elif kind == 1:
        hand.do(
            "update accounts_auditanchor set note = %s where size = %s",
            hand.chance.choice([forged, changed]),
            size,
        )
    else:
        rows = hand.database.execute("select size, note from accounts_auditanchor order by size").fetchall()
        (one, _), (_, note) = hand.chance.sample(rows, 2)
        hand.do("update accounts_auditanchor set note = %s where size = %s", note, one)


def alter_the_log_of_checkpoints(hand: Hand) -> None:
    index = hand.chance.randrange(ROUNDS * len(TENANTS))
    if hand.chance.random() < 0.5:
        hand.do("delete from accounts_auditgloballeaf where index = %s", index)
    else:
        hand.do(
            "update accounts_auditgloballeaf set leaf_hash = %s where index = %s",
            hand.chance.randbytes(32),
            index,
        )


TAMPERINGS: tuple[Callable[[Hand], None], ...] = (
    change_body, change_column, delete_entry, delete_leaf, delete_and_close_the_gap, invent_an_entry,
    invent_an_entry_for_the_sealer, repeat_a_genuine_entry, reorder_two, swap_between_tenants,
    replay_an_old_checkpoint, remove_a_checkpoint, truncate_a_tail, truncate_everything, alter_a_tile,
    alter_a_signature, swap_the_key, alter_the_anchor, alter_the_log_of_checkpoints,
)  # fmt: skip
