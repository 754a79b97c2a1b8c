"""Every way in which AWS may refuse a call, and what the checks then say: that they don't know."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from assessments.checks.base import Outcome
from evidence.collectors.base import Action, Scope, collectors
from evidence.types import GLOBAL, GapReason
from portal.demo.hospital import REGIONS
from tests.embedded.conftest import eventually
from tests.faults.hospital import ACCOUNT, Hospital, Place, Unit, places

pytestmark = pytest.mark.xdist_group("denied")

FREE = "sts:GetCallerIdentity"
"""AWS asks no permission for it: it is a gap only where the account can't be entered at all."""
DECLARED = [
    pytest.param(name, action, id=f"{name}-{action.name}")
    for name, collector in collectors().items()
    for action in collector.actions
    if action.name != FREE
]
LISTINGS = {
    "cloudtrail": "cloudtrail:DescribeTrails",
    "cloudwatch": "cloudwatch:DescribeAlarms",
    "iam": "iam:GetAccountAuthorizationDetails",
    "logs": "logs:DescribeLogGroups",
    "s3": "s3:ListAllMyBuckets",
    "vpc": "ec2:DescribeSecurityGroups",
}
"""Calls on which much depends, one of each protocol that AWS speaks."""
BREAKAGES = [
    ("cut", "s3"),
    ("cut", "logs"),
    ("500", "iam"),
    ("500", "s3"),
    ("503", "cloudtrail"),
    ("503", "vpc"),
]


def collect(
    hospital: Hospital, name: str, max_attempts: int = 1, regions: tuple[str, ...] = REGIONS
) -> dict[Place, Unit]:
    session = hospital.ready_session if max_attempts == 1 else hospital.session(max_attempts)
    wanted = [GLOBAL] if collectors()[name].scope is Scope.GLOBAL else regions
    return {(name, region): hospital.collect(name, region, session) for region in wanted}


def gap_reasons(units: Mapping[Place, Unit], action: str) -> set[tuple[str, str, GapReason]]:
    """Operation, region and reason of the gaps that name an IAM action."""
    return {
        (g.operation, g.region, g.reason) for unit in units.values() for g in unit.gaps if g.action == action
    }


def unknowns(hospital: Hospital, units: Mapping[Place, Unit]) -> int:
    """How many results became UNKNOWN."""
    return sum(
        result.outcome is Outcome.UNKNOWN and hospital.expected.get(subject) != result
        for subject, result in hospital.judge(units).items()
    )


@pytest.mark.parametrize(("name", "action"), DECLARED)
def test_a_denied_action_is_a_gap_that_names_it_and_no_check_passes_or_fails_for_it(
    hospital, name: str, action: Action
):
    hospital.aws.deny(action.name, account=ACCOUNT)
    units = collect(hospital, name)
    called_in = {
        region
        for (_name, region), unit in hospital.baseline.items()
        if _name == name and _calls(unit, action)
    }
    assert called_in, "the hospital has nothing that this action reads"
    assert {(operation, region) for operation, region, _ in gap_reasons(units, action.name)} >= {
        (action.operation, region) for region in called_in
    }
    assert {reason for *_, reason in gap_reasons(units, action.name)} == {GapReason.DENIED}
    assert all(gap.message for unit in units.values() for gap in unit.gaps)
    assert hospital.unsound(units) == []
    for place, unit in units.items():
        assert hospital.unsound({place: unit}) == [], f"denied in {place} alone"


def _calls(unit: Unit, action: Action) -> bool:
    recorded = {operation.rpartition(":")[2] for operation in unit.answers.calls}
    return action.operation in recorded or any(gap.operation == action.operation for gap in unit.gaps)


def test_an_account_that_cannot_be_entered_leaves_nothing_but_unknown(hospital):
    hospital.aws.deny("sts:AssumeRole")
    session = hospital.session()
    units = {place: hospital.collect(*place, session) for place in places()}
    assert {(gap.operation, gap.reason) for unit in units.values() for gap in unit.gaps} == {
        ("GetCallerIdentity", GapReason.DENIED)
    }
    assert {result.outcome for result in hospital.judge(units).values()} == {Outcome.UNKNOWN}
    assert hospital.unsound(units) == []


@pytest.mark.parametrize(("name", "action"), LISTINGS.items())
def test_a_call_that_is_throttled_once_is_tried_again_and_leaves_no_gap(hospital, name, action):
    hospital.aws.throttle(action, times=1, account=ACCOUNT)
    units = collect(hospital, name, max_attempts=3, regions=REGIONS[:1])
    assert gap_reasons(units, action) == set()
    assert hospital.unsound(units) == []
    assert unknowns(hospital, units) == 0


@pytest.mark.parametrize(("name", "action"), LISTINGS.items())
def test_a_call_that_is_always_throttled_is_a_gap_and_unknown(hospital, name, action):
    hospital.aws.throttle(action, account=ACCOUNT)
    hospital.aws.reset_calls()
    units = collect(hospital, name, max_attempts=2, regions=REGIONS[:1])
    assert {reason for *_, reason in gap_reasons(units, action)} == {GapReason.THROTTLED}
    assert max(hospital.aws.calls(account=ACCOUNT).values()) >= 2
    assert hospital.unsound(units) == []


@pytest.mark.parametrize(("fault", "name"), BREAKAGES)
def test_a_call_that_fails_once_is_tried_again_and_one_that_always_fails_is_a_gap(hospital, fault, name):
    action = LISTINGS[name]
    _break(hospital, fault, action, times=1)
    units = collect(hospital, name, max_attempts=2, regions=REGIONS[:1])
    assert gap_reasons(units, action) == set()
    assert unknowns(hospital, units) == 0
    _break(hospital, fault, action, times=None)
    units = collect(hospital, name, max_attempts=2, regions=REGIONS[:1])
    assert {reason for *_, reason in gap_reasons(units, action)} == {GapReason.FAILED}
    assert hospital.unsound(units) == []
    assert unknowns(hospital, units) > 0


def _break(hospital: Hospital, fault: str, action: str, times: int | None) -> None:
    if fault == "cut":
        hospital.aws.cut(action, times=times, account=ACCOUNT)
    else:
        hospital.aws.fail(action, status=int(fault), times=times, account=ACCOUNT)


def test_a_region_that_is_off_is_said_to_be_off_and_judged_by_nobody(hospital):
    region = REGIONS[1]
    hospital.aws.close_region(region, account=ACCOUNT)
    units = {
        place: hospital.collect(*place, hospital.ready_session) for place in places() if place[1] == region
    }
    assert {gap.reason for unit in units.values() for gap in unit.gaps} == {GapReason.REGION_OFF}
    assert {gap.reason.label for unit in units.values() for gap in unit.gaps} == {"region is off"}
    assert all(unit.gaps and not unit.answers.calls for unit in units.values())
    assert hospital.unsound(units) == []
    there = [result for result in hospital.judge(units).values() if result.scope == region]
    assert there
    assert {result.outcome for result in there} == {Outcome.UNKNOWN}


@pytest.mark.parametrize("name", ["ec2", "s3"])
def test_sessions_that_expire_in_mid_run_are_renewed_and_nothing_is_lost(hospital, name):
    session = hospital.session()
    session.account_id()
    hospital.aws.delay(ms=10, account=ACCOUNT)
    place = (name, GLOBAL if name == "s3" else REGIONS[0])
    found: list[Unit] = []
    reading = threading.Thread(target=lambda: found.append(hospital.collect(*place, session)))
    hospital.aws.reset_calls()
    reading.start()
    eventually(lambda: hospital.aws.calls(account=ACCOUNT).total() > 4)
    hospital.aws.expire_tokens()
    reading.join()
    assert session.generation == 1
    assert hospital.aws.calls()["sts:AssumeRole"] == 1
    assert found[0].gaps == hospital.baseline[place].gaps
    assert found[0].answers == hospital.baseline[place].answers
