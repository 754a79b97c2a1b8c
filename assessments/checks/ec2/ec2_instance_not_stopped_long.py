from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen

_LIMIT_DAYS = 30
_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")


def judge(instance: Resource, seen: Seen) -> Verdict:
    state = (instance.data.get("State") or {}).get("Name")
    if state is None:
        return unknown("AWS did not say its state")
    if state != "stopped":
        return passed(f"{state}")
    moment = _STOPPED_AT.search(instance.data.get("StateTransitionReason") or "")
    stopped = ec2.age(seen, moment[1]) if moment else None
    if moment is None or stopped is None:
        return unknown("stopped, but AWS did not say since when")
    observed = f"stopped since {moment[1][:10]}"
    return failed(observed) if stopped > timedelta(days=_LIMIT_DAYS) else passed(observed)


def _example(state: str, reason: str = "") -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "State": {"Name": state}, "StateTransitionReason": reason}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="No instance stays stopped for more than 30 days",
    severity=Severity.LOW,
    collectors=("ec2",),
    supports=("164.308(a)(1)(ii)(B)",),
    rationale="A machine that is stopped for long keeps ePHI on its disks, misses every patch, and comes back with the flaws it had. Nobody looks after it.",
    expected="The instance is in use, or was stopped less than 30 days ago.",
    fix=Fix(
        console="Take a snapshot if its data must be kept, then EC2, Instances, the instance, Terminate.",
        cli="aws ec2 terminate-instances --instance-ids i-ID",
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(_example("running"), _example("stopped", "User initiated (2026-01-10 08:00:00 GMT)")),
    failing=(_example("stopped", "User initiated (2025-06-01 08:00:00 GMT)"),),
)
