"""Parts of a running portal die in mid-run: the run ends complete, once, and within a minute."""

from __future__ import annotations

import random
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.demo.aws import AwsStandIn
from portal.demo.hospital import NORTHWIND_ACCOUNT_ID
from portal.embedded.commands import WORKER
from tests.embedded.conftest import eventually, remove_state
from tests.faults.portal import Customer, Portal

PATIENCE = 600

pytestmark = pytest.mark.xdist_group("kills")


@pytest.fixture(scope="module")
def running(own_aws: AwsStandIn) -> Iterator[Portal]:
    state = Path(tempfile.mkdtemp(prefix="surety-kills-"))
    with Portal(state, own_aws) as portal:
        yield portal
    remove_state(state)


@pytest.fixture
def portal(running: Portal) -> Iterator[Portal]:
    """AWS is slow enough that a run can be met in the middle."""
    running.aws.reset_faults()
    running.aws.delay(ms=150, account=NORTHWIND_ACCOUNT_ID)
    if "worker" not in running.processes:
        running.run(WORKER)
    yield running
    running.aws.reset_faults()


@pytest.fixture
def customer(portal: Portal, request: pytest.FixtureRequest) -> Customer:
    return portal.connect(f"t{abs(hash(request.node.nodeid))}")


@pytest.fixture(scope="module")
def undisturbed(running: Portal) -> dict[str, Any]:
    """What a run comes to that nothing befalls."""
    customer = running.connect("undisturbed")
    running.aws.reset_calls()
    run_id = running.order("start", **vars(customer))["run_id"]
    eventually(lambda: running.is_evaluated(run_id), PATIENCE)
    return {"kept": kept(running, customer, run_id), "calls": calls(running)}


def calls(portal: Portal) -> Counter[str]:
    """What was asked of the account; how often a report is awaited and a session opened is left to chance."""
    found = portal.aws.calls(account=NORTHWIND_ACCOUNT_ID)
    return Counter(
        {
            name: n
            for name, n in found.items()
            if not name.startswith("sts:") and "CredentialReport" not in name
        }
    )


def start(portal: Portal, customer: Customer, *, rings: int = 1) -> str:
    return str(portal.order("start", **vars(customer), rings=rings)["run_id"])


def in_the_middle(portal: Portal, run_id: str, *, done: int = 1) -> Callable[[], bool]:
    """So many units are done. It stays true, for a machine so busy that it looks only after the run has ended."""
    return lambda: portal.states(run_id)["done"] >= done


def kept(portal: Portal, customer: Customer, run_id: str) -> dict[str, Any]:
    """Everything that a run leaves behind, counted, without what differs from tenant to tenant."""
    tenant, count = customer.tenant_id, portal.query
    findings = count(
        "select check_id, scope, resource_arn, outcome from assessments_finding where tenant_id = %s and gone_at is null",
        tenant,
    )
    tables = (
        "evidence_snapshot",
        "evidence_blob",
        "assessments_finding",
        "assessments_findingperiod",
        "assessments_safeguardstatus",
    )
    return {
        "run": [
            (row["state"], row["verdict"], row["units_total"])
            for row in count("select * from evidence_collectionrun where id = %s", run_id)
        ],
        "units": sorted(
            (
                u["collector"],
                u["region"],
                u["state"],
                bool(u["snapshot_id"]),
                str(sorted(gap["operation"] for gap in u["gaps"])),
            )
            for u in portal.units(run_id)
        ),
        "rows": {
            t: count(f"select count(*) from {t} where tenant_id = %s", tenant)[0]["count"] for t in tables
        },
        "findings": sorted(tuple(row.values()) for row in findings),
        "evaluations": len(count("select 1 from assessments_evaluation where run_id = %s", run_id)),
        "audit": Counter(
            row["act"]
            for row in count(
                # A task that found no database says that it failed; what counts here is what was done.
                "select act from accounts_auditentry where tenant_id = %s and outcome = 'done'"
                " and act ~ '^(collection|evaluation|evidence)'",
                tenant,
            )
        ),
        "sealed": portal.order("answers", tenant_id=tenant, run_id=run_id),
    }


def assert_ends_as_ever(portal: Portal, customer: Customer, run_id: str, undisturbed: dict[str, Any]) -> None:
    eventually(lambda: portal.is_evaluated(run_id), PATIENCE)
    assert kept(portal, customer, run_id) == undisturbed["kept"]


def test_an_undisturbed_run_leaves_each_thing_once(undisturbed):
    found = undisturbed["kept"]
    assert found["run"][0][0] == "finished"
    assert found["evaluations"] == 1
    assert len(found["findings"]) == len({finding[:3] for finding in found["findings"]}) > 50
    assert (
        found["rows"]["assessments_finding"]
        == found["rows"]["assessments_findingperiod"]
        == len(found["findings"])
    )
    assert found["rows"]["evidence_snapshot"] == len(found["units"]) == found["audit"]["evidence.seal"]
    assert {unit[2:4] for unit in found["units"]} == {("done", True)}
    assert {
        found["audit"][act] for act in ("collection.start", "collection.finish", "evaluation.finish")
    } == {1}


def test_a_worker_that_is_killed_again_and_again_loses_and_doubles_nothing(portal, customer, undisturbed):
    run_id = start(portal, customer)
    for done in sorted(random.sample(range(len(portal.units(run_id)) - 1), 2)):
        eventually(in_the_middle(portal, run_id, done=done), PATIENCE)
        portal.kill("worker", signal.SIGKILL)
        portal.run(WORKER)
    assert_ends_as_ever(portal, customer, run_id, undisturbed)


def test_a_worker_that_is_told_to_end_finishes_what_it_holds_and_the_next_one_goes_on(
    portal, customer, undisturbed
):
    run_id = start(portal, customer)
    eventually(in_the_middle(portal, run_id), PATIENCE)
    assert portal.kill("worker", signal.SIGTERM) == 0
    assert portal.states(run_id)["claimed"] == 0
    portal.run(WORKER)
    assert_ends_as_ever(portal, customer, run_id, undisturbed)
    assert {unit["attempt"] for unit in portal.units(run_id)} == {1}


def test_rings_that_redis_forgets_right_after_the_start_are_repeated(portal, customer, undisturbed):
    portal.kill("worker", signal.SIGKILL)  # so that none is heard before
    run_id = start(portal, customer)
    portal.flush_redis()
    portal.run(WORKER)
    assert_ends_as_ever(portal, customer, run_id, undisturbed)


def test_redis_that_forgets_everything_in_mid_run_costs_nothing(portal, customer, undisturbed):
    run_id = start(portal, customer)
    eventually(in_the_middle(portal, run_id), PATIENCE)
    portal.flush_redis()
    assert_ends_as_ever(portal, customer, run_id, undisturbed)


def test_a_run_can_be_started_without_redis_and_goes_on_once_it_is_back(portal, customer, undisturbed):
    with portal.without_redis():
        started = portal.order("start", **vars(customer))
        assert started["seconds"] < 20  # kombu would try for minutes
        assert portal.states(started["run_id"])["pending"] == len(portal.units(started["run_id"]))
    assert_ends_as_ever(portal, customer, started["run_id"], undisturbed)


def test_a_restart_of_postgres_in_mid_run_loses_and_doubles_nothing(portal, customer, undisturbed):
    run_id = start(portal, customer)
    eventually(in_the_middle(portal, run_id), PATIENCE)
    portal.restart_postgres_at_once()
    assert_ends_as_ever(portal, customer, run_id, undisturbed)


def test_a_unit_that_is_rung_for_several_times_is_collected_once(portal, customer, undisturbed):
    portal.aws.reset_calls()
    run_id = start(portal, customer, rings=3)
    assert_ends_as_ever(portal, customer, run_id, undisturbed)
    assert calls(portal) == undisturbed["calls"]
    assert {unit["attempt"] for unit in portal.units(run_id)} == {1}


def test_a_unit_that_keeps_killing_its_worker_is_given_up_and_the_others_go_on(portal, customer):
    portal.kill("worker", signal.SIGKILL)
    run_id = start(portal, customer)
    portal.query(
        "update evidence_collectionunit set attempt = 3, state = 'claimed', lease_until = now() where run_id = %s and collector = 'kms'",
        run_id,
    )
    portal.run(WORKER)
    eventually(lambda: portal.is_evaluated(run_id), PATIENCE)
    found = kept(portal, customer, run_id)
    assert found["run"][0][:2] == ("finished", "partial")
    assert [unit[0] for unit in found["units"] if not unit[3]] == ["kms"]
    [gap] = next(unit for unit in portal.units(run_id) if unit["collector"] == "kms")["gaps"]
    assert gap["reason"] == "failed"
    assert "3 attempts" in gap["message"]
    kms = [finding[3] for finding in found["findings"] if finding[0].startswith("kms_")]
    assert set(kms) == {"UNKNOWN"}
