"""The log in the database, verified by its own code path: nothing that is tampered with goes unseen, or unnamed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tests.accounts.verifier import stored
from tests.accounts.verifier.stored import TAMPERINGS, TENANTS, Hand, Log, faults, savepoint, verify
from tests.conftest import superuser_dsn

TIMES = 2
"""How often each tampering is tried here; bench/verify_log.py tries 10,000."""


@pytest.fixture(scope="module")
def log(django_db_setup: None, django_db_blocker) -> Iterator[tuple[psycopg.Connection, Log]]:
    """A superuser's transaction with a log in it, undone at the end."""
    with (
        django_db_blocker.unblock(),
        psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database,
    ):
        database.execute("set timezone = 'UTC'")
        yield database, stored.build(database)
        database.rollback()


def test_an_untouched_log_has_no_fault(log):
    database, made = log
    verdicts = verify(database, made.anchored)
    assert faults(verdicts) == []
    assert [(each.entries, each.checkpoints) for each in verdicts[:4]] == [
        (602, 86),
        (258, 86),
        (86, 86),
        (258, 9),
    ]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_whatever_is_tampered_with_is_found(log, tamper):
    database, made = log
    for number in range(TIMES):
        with savepoint(database):
            hand = Hand(database, made, random.Random(f"{tamper.__name__} {number}"))
            tamper(hand)
            found = faults(verify(database, hand.anchored))
            assert found and all(sentence and "\n" not in sentence for sentence in found), number
    assert faults(verify(database, made.anchored)) == []


def _entry(database, index: int, tenant=TENANTS[0]):
    return database.execute(
        "select id from accounts_auditleaf where tenant_id = %s and leaf_index = %s", [tenant, index]
    ).fetchone()[0]


NAMED = [
    ("update accounts_auditentry set actor_id = 'p-9' where id = %(id)s", 300,
     "entry 300 ({id}) has columns that were changed: actor_id are not what its body says"),
    ("update accounts_auditentry set body = body || ' ' where id = %(id)s", 300,
     "entry 300 ({id}) was changed or invented: its MAC is not that of its body"),
    ("delete from accounts_auditentry where id = %(id)s", 300, "entry 300 has a leaf, but is not there"),
    ("delete from accounts_auditleaf where id = %(id)s", 300, "entry 300 is missing: nothing has its place in the log"),
    ("update accounts_auditleaf set leaf_hash = sha256('x') where id = %(id)s", 300,
     "entry 300 ({id}) is not what was sealed"),
    ("update accounts_auditentry set tenant_id = %(other)s where id = %(id)s", 300,
     "entry 300 ({id}) was moved from the log of another tenant"),
    ("update accounts_audittile set hash = sha256('x') where tenant_id = %(tenant)s and index = 1", 256,
     "the stored tile 1/1 over the entries 256 to 511 is not the root of their leaves"),
    ("delete from accounts_audittile where tenant_id = %(tenant)s and index = 1", 256,
     "the stored tile 1/1 over the entries 256 to 511 is missing"),
    ("update accounts_auditcheckpoint set created_at = now() where tenant_id = %(tenant)s and size = 301", 300,
     "the checkpoint of 301 entries does not say what its row says"),
    ("delete from accounts_auditcheckpoint where tenant_id = %(tenant)s and size > 595", 595,
     "the entries 595 to 601 are in no checkpoint"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "index", "sentence"), NAMED, ids=[sentence for _, _, sentence in NAMED]
)
def test_the_first_bad_entry_is_named_with_what_is_wrong(log, statement, index, sentence):
    database, made = log
    with savepoint(database):
        entry = _entry(database, 300)
        database.execute(statement, {"id": entry, "tenant": TENANTS[0], "other": TENANTS[1]})
        first = verify(database, made.anchored)[0].faults[0]
    assert first.entry == index
    assert first.sentence.startswith(sentence.format(id=entry))


def test_exchanged_entries_are_told_by_the_checkpoints_between_which_they_stand(log):
    database, made = log
    with savepoint(database):
        hand = Hand(database, made, random.Random(1))
        stored.exchange(
            hand, (_entry(database, 300), TENANTS[0], 300), (_entry(database, 303), TENANTS[0], 303)
        )
        hand.put_right(TENANTS[0])
        [fault] = verify(database, made.anchored)[0].faults
    assert (fault.entry, fault.sentence) == (
        294, "the checkpoint of 301 entries has another root than they: "
        "one of the entries 294 to 300 was moved, exchanged, removed or invented",
    )  # fmt: skip


def test_a_tail_that_only_the_anchor_knows_is_missed_in_numbers(log):
    database, made = log
    with savepoint(database):
        hand = Hand(database, made, random.Random(2))
        stored.truncate_everything(hand)
        left = hand.ask("select count(*) from accounts_auditgloballeaf")[0]
        found = faults(verify(database, made.anchored))
        assert faults(verify(database, None, patience=1e9)) == []
    assert f"{258 - left} of the 258 checkpoints that it covers are missing here" in " ".join(found)


def test_a_log_signed_again_with_another_key_is_refused_by_the_anchor_and_by_the_pinned_key(log):
    database, made = log
    with savepoint(database):
        chance = random.Random(3)
        chance.random = lambda: 0.0  # type: ignore[method-assign]
        stored.swap_the_key(Hand(database, made, chance))
        assert faults(verify(database, None)) == []
        assert "is not signed by a key of the log" in " ".join(faults(verify(database, made.anchored)))
        assert "none of the log's keys has the fingerprint" in " ".join(
            faults(verify(database, None, pinned=made.signer.fingerprint))
        )


def test_an_entry_that_waits_for_the_sealer_is_no_fault_before_its_time(log):
    database, made = log
    with savepoint(database):
        entry = {**stored.make_entry(5_000, TENANTS[2])}
        del entry["recorded_at"]
        stored.insert(database, "auditentry", [entry])
        assert faults(verify(database, made.anchored)) == []
        assert "have no place in the log" in " ".join(faults(verify(database, made.anchored, patience=-3600)))


def test_what_the_database_lost_stays_told_until_the_operator_says_that_they_know(log):
    from accounts.audit.verification.whole import verify_checkpoints

    database, _made = log
    with savepoint(database):
        database.execute(
            "insert into accounts_auditepoch (number, started_at, reason, system_identifier, timeline, size, anchored_size)"
            " values (2, now(), 'tail missing', '1', 1, 258, 300)"
        )
        [fault] = verify_checkpoints(database, [], None).faults[-1:]
        assert "epoch 2 began with 258 checkpoints where 300 were anchored" in fault.sentence
        known = verify_checkpoints(database, [], None, known_losses={2})
    assert "epoch 2" not in " ".join(each.sentence for each in known.faults)
