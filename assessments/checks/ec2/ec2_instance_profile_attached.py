from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    profile = (instance.data.get("IamInstanceProfile") or {}).get("Arn")
    if profile:
        return passed(f"runs with the instance profile {profile}")
    return failed("runs without an instance profile")


def _example(**fields: Any) -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, **fields}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="Instances have an instance profile",
    severity=Severity.LOW,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.312(d)"),
    rationale="Software on an instance without a role reaches ePHI in other services with keys on its disk, which are copied, never expire and can't be told apart. A role gives short-lived credentials of its own.",
    expected="IamInstanceProfile is set.",
    fix=Fix(
        console="EC2, Instances, the instance, Actions, Security, Modify IAM role. Then remove access keys from the machine.",
        cli="aws ec2 associate-iam-instance-profile --instance-id i-ID --iam-instance-profile Name=PROFILE",
        terraform='resource "aws_instance" "app" {\n  iam_instance_profile = aws_iam_instance_profile.app.name\n}',
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(_example(IamInstanceProfile={"Arn": "arn:aws:iam::111122223333:instance-profile/app"}),),
    failing=(_example(),),
)
