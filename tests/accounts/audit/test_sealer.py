"""The sealer on a real PostgreSQL: every committed entry gets its place, once, in an order that nothing changes later."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connections, transaction
from structlog.testing import capture_logs

from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.notes import open_note
from accounts.errors import InvalidInput
from accounts.tenancy.scope import open_tenant
from tests.accounts.audit import rfc9162
from tests.accounts.audit.kit import Log, tenants, write

RANDOM_WRITES = 25
"""Entries of each of the four writers that race with the sealer. bench/audit.py takes thousands."""


class Undone(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture
def tenant(log):
    log.seal()
    return tenants(1)[0]


def test_entries_are_sealed_in_the_order_of_their_transactions(log, tenant):
    write(tenant, *range(5))
    assert [done.entries for done in log.seal()] == [5]
    assert log.objects(tenant) == ["0", "1", "2", "3", "4"]
    write(tenant, 5)
    log.seal()
    log.assert_sound(tenant)
    assert [row["size"] for row in log.checkpoints(tenant)] == [5, 6]


def test_nothing_new_leaves_no_row_and_no_checkpoint(log, tenant):
    write(tenant, 1)
    log.seal()
    count = "select (select count(*) from accounts_auditcheckpoint) c, (select count(*) from accounts_auditgloballeaf) g"
    before = log.superuser(count)
    assert [done.entries for done in log.seal()] == [0]
    assert log.superuser(count) == before


def test_a_transaction_that_commits_late_is_waited_for_and_not_skipped(log, tenant):
    log.seal()
    with open_tenant(tenant):
        record(Act.EVIDENCE_READ, object_id="late")
        with ThreadPoolExecutor(1) as other:
            other.submit(_write_apart, tenant, "early").result()
        assert [done.entries for done in log.seal()] == [
            0
        ]  # what committed first has the later transaction id
    assert [done.entries for done in log.seal()] == [2]
    assert log.objects(tenant) == ["late", "early"]


def _write_apart(tenant, *names):
    write(tenant, *names)
    connections["default"].close()


def test_what_is_rolled_back_leaves_no_gap(log, tenant):
    for number in range(6):
        try:
            with open_tenant(tenant):
                record(Act.EVIDENCE_READ, object_id=number)
                if number % 2:
                    raise Undone  # noqa: TRY301 (the block is what fails)
        except Undone:
            continue
    with open_tenant(tenant):
        record(Act.EVIDENCE_READ, object_id="outer")
        with pytest.raises(Undone), transaction.atomic():  # noqa: PT012 (as above)
            record(Act.EVIDENCE_READ, object_id="inner")
            raise Undone
    log.seal()
    assert log.objects(tenant) == ["0", "2", "4", "outer"]
    log.assert_sound(tenant)


def test_writers_that_commit_and_roll_back_at_random_lose_and_double_nothing(log):
    ours, done, stop = tenants(3), [], threading.Event()

    def writer(seed):
        chance = random.Random(seed)
        for number in range(RANDOM_WRITES):
            tenant, name = chance.choice(ours), f"{seed}-{number}"
            try:
                with open_tenant(tenant):
                    record(Act.EVIDENCE_READ, object_id=name)
                    stop.wait(chance.choice([0, 0, 0.01]))
                    if chance.random() < 0.3:
                        raise Undone  # noqa: TRY301 (as above)
            except Undone:
                continue
            done.append((tenant, name))
        connections["default"].close()

    log.reopen()
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(writer, seed) for seed in range(4)]
        while not all(each.done() for each in writers):
            log.seal()
    log.seal()
    for tenant in ours:
        assert sorted(log.objects(tenant)) == sorted(name for whose, name in done if whose == tenant)
        if log.leaves(tenant):
            log.assert_sound(tenant)


def test_many_tenants_have_a_tree_each_and_one_log_of_checkpoints(log):
    log.seal()
    ours = tenants(40)
    for number, tenant in enumerate(ours):
        write(tenant, *range(number % 4 + 1))
    [done] = log.seal()
    assert done.entries == sum(number % 4 + 1 for number in range(40))
    log.anchor()
    log.assert_anchored()
    for tenant in ours:
        log.assert_sound(tenant)
        log.assert_proved(tenant, [0])
    assert len(log._global_leaves()) == 40


def test_a_log_of_several_tiles_is_proved_to_those_who_hold_an_older_checkpoint(log, tenant):
    for size in (300, 700):
        with open_tenant(tenant):
            for number in range(size):
                record(Act.EVIDENCE_READ, object_id=number)
        log.seal()
    log.anchor()
    log.assert_proved(tenant, [0, 255, 256, 299, 300, 999])
    with open_tenant(tenant):
        proof = proofs.consistency_proof(300, 1000)
        before = proofs.compact_range(300)
    old, new = (bytes(row["root"]) for row in log.checkpoints(tenant))
    assert rfc9162.verifies_consistency(300, 1000, old, new, proof)
    assert [len(before), rfc9162.node(before[0], rfc9162.node(*_fold(before[1:])))] == [4, old]


def _fold(peaks):
    return peaks[0], rfc9162.node(peaks[1], peaks[2])


def test_a_sealer_that_starts_anew_goes_on_where_the_last_one_was(log, tenant):
    log.batch = 7
    log.reopen()
    write(tenant, *range(20))
    assert [done.entries for done in log.seal()] == [7, 7, 6]
    write(tenant, *range(20, 25))
    log.reopen()
    assert sum(done.entries for done in log.seal()) == 5
    assert log.objects(tenant) == [str(number) for number in range(25)]
    log.assert_sound(tenant)


def test_a_seal_that_fails_leaves_nothing_and_the_next_one_does_it_all(log, tenant):
    write(tenant, 1, 2)
    log.seal()
    write(tenant, 3)
    log.superuser("alter table accounts_auditgloballeaf add constraint broken check (index < 1) not valid")
    with pytest.raises(psycopg.errors.CheckViolation):
        log.seal()
    assert len(log.leaves(tenant)) == 2
    log.superuser("alter table accounts_auditgloballeaf drop constraint broken")
    log.seal()
    log.assert_sound(tenant)


@pytest.mark.parametrize(
    "forgery",
    [
        "update accounts_auditentry set mac = '\\x00'",
        "update accounts_auditentry set mac_key_id = 'unknown'",
        "update accounts_auditentry set body = replace(convert_from(body, 'UTF8'), 'snapshot', 'something')::bytea",
        "update accounts_auditentry set actor_id = 'somebody else'",
    ],
)
def test_an_entry_that_was_forged_before_it_was_sealed_is_sealed_and_told(log, tenant, forgery):
    write(tenant, "genuine")
    log.seal()
    write(tenant, "forged")
    log.superuser(f"{forgery} where object_id = 'forged'")
    with capture_logs() as said:
        [done] = log.seal()
    assert done.faults == 1
    [alarm] = [line for line in said if line["event"] == "audit_entry_fault"]
    assert (alarm["alarm"], alarm["log_level"]) == (True, "error")
    log.seal()
    log.assert_sound(tenant)
    forged, told = log.leaves(tenant)[1:]
    assert (told["act"], told["object_id"]) == ("log.entry_fault", str(forged["id"]))
    assert log.seal()[-1].faults == 0


def test_entries_under_a_retired_mac_key_are_genuine(log, tenant, settings):
    write(tenant, "old")
    settings.AUDIT_MAC_KEYS_RETIRED = {settings.AUDIT_MAC_KEY_ID: settings.AUDIT_MAC_KEY}
    settings.AUDIT_MAC_KEY, settings.AUDIT_MAC_KEY_ID = b"another key of the log", "2"
    write(tenant, "new")
    assert [done.faults for done in log.seal()] == [0]
    assert len(log.leaves(tenant)) == 2


def test_what_is_asked_for_is_signed_and_nothing_else(log, tenant):
    text = "surety-receipt/1\nan evidence package\n"
    with open_tenant(tenant):
        asked = proofs.ask_signature(text)
        assert proofs.find_signature(asked) is None
        for other in (
            "surety/checkpoints\n1\n",
            "surety-receipt/1\nno newline",
            "surety-receipt/1\n" + "x" * 5000 + "\n",
        ):
            with pytest.raises(InvalidInput):
                proofs.ask_signature(other)
    [forged] = log.superuser(
        "insert into accounts_auditsignature (id, tenant_id, text) values (gen_random_uuid(), %s, %s) returning id",
        tenant, "surety/checkpoints\n999\n",
    )  # fmt: skip
    assert next(done.signatures for done in log.seal()) == 2
    with open_tenant(tenant):
        assert open_note(proofs.find_signature(asked), log.public_keys()) == text
        assert proofs.find_signature(forged["id"]) is None
    assert log.seal()[0].signatures == 0


def test_how_the_sealer_is_can_be_asked(log, tenant):
    write(tenant, 1)
    with open_tenant(tenant):
        assert proofs.sealer_state().lag_seconds > 0
        assert proofs.latest_checkpoint() is None
    log.seal()
    log.sealer.sign_head()
    with open_tenant(tenant):
        state = proofs.sealer_state()
        assert (state.lag_seconds, state.seen_at is None, state.anchor_waits_since is None) == (
            0.0,
            False,
            False,
        )
        assert proofs.global_proof(proofs.latest_checkpoint()) is None
        assert proofs.anchored_checkpoint() is None
    log.anchor()
    with open_tenant(tenant):
        assert proofs.anchored_checkpoint() == proofs.latest_checkpoint()
        assert proofs.sealer_state().anchor_waits_since is None


def test_the_log_of_one_tenant_is_not_there_for_another(log):
    mine, other = tenants(2)
    write(mine, 1)
    log.seal()
    with open_tenant(other):
        assert proofs.tree_size() == 0
        assert proofs.latest_checkpoint() is None
        assert list(proofs.leaves(0, 10)) == []
        assert proofs.leaf_of(log.leaves(mine)[0]["id"]) is None


def test_kit_is_strict(log: Log, tenant):
    write(tenant, 1, 2)
    log.seal()
    log.superuser("update accounts_auditentry set body = body || '\\x20' where object_id = '1'")
    with pytest.raises(AssertionError):
        log.assert_sound(tenant)
