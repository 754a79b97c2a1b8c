from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen

_ENOUGH = 2


def judge(instance: Resource, _seen: Seen) -> Verdict:
    options = instance.data.get("MetadataOptions") or {}
    if options.get("HttpEndpoint") == "disabled":
        return passed("the metadata service is off")
    limit = options.get("HttpPutResponseHopLimit")
    if limit is None:
        return unknown("AWS did not say how many hops a token may travel")
    observed = f"the hop limit of metadata tokens is {limit}"
    return passed(observed) if limit <= _ENOUGH else failed(observed)


def _example(**options: Any) -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "MetadataOptions": options}
    return {"ec2": {"DescribeInstances": {"": {"Reservations": [{"Instances": [instance]}]}}}}


CHECK = Check(
    title="Metadata tokens of instances do not travel beyond the instance",
    severity=Severity.LOW,
    collectors=("ec2",),
    supports=("164.312(a)(1)",),
    rationale="The hop limit keeps a session token, and with it the credentials of a role that reads ePHI, from being relayed by a proxy on the instance. Two hops are what containers need; more serve nobody.",
    expected="HttpPutResponseHopLimit is 1, or 2 where containers run on the instance.",
    fix=Fix(
        console="EC2, Instances, the instance, Actions, Instance settings, Modify instance metadata options: hop limit 1.",
        cli="aws ec2 modify-instance-metadata-options --instance-id i-ID --http-put-response-hop-limit 1",
        terraform='resource "aws_instance" "app" {\n  metadata_options {\n    http_put_response_hop_limit = 1\n  }\n}',
    ),
    resources=ec2.instances,
    judge=judge,
    passing=(_example(HttpPutResponseHopLimit=1), _example(HttpPutResponseHopLimit=2)),
    failing=(_example(HttpPutResponseHopLimit=64),),
)
