from __future__ import annotations

import json
from typing import Any

from assessments.checks import policy
from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(endpoint: Resource, _seen: Seen) -> Verdict:
    document = endpoint.data.get("PolicyDocument")
    if document is None:
        return unknown("AWS gave no endpoint policy")
    try:
        parsed = policy.parse(document)
    except ValueError:
        return unknown("the endpoint policy can't be read")
    if any(_is_full(statement) for statement in parsed.allowing):
        return failed("the endpoint policy lets everybody do everything with every resource of the service")
    return passed("the endpoint policy names who may do what")


def _is_full(statement: policy.Statement) -> bool:
    everywhere = statement.resources is None or statement.resources.cover("*")
    return statement.for_anyone and statement.actions.cover("*") and everywhere and not statement.conditions


def _example(statement: dict[str, Any]) -> dict[str, Any]:
    document = json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **statement}]}
    )
    endpoint = {"VpcEndpointId": "vpce-1", "State": "available", "PolicyDocument": document}
    return {"vpc": {"DescribeVpcEndpoints": {"": {"VpcEndpoints": [endpoint]}}}}


CHECK = Check(
    title="VPC endpoint policies do not allow everything",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.312(a)(1)",),
    rationale="Through an endpoint with the default policy, software in the VPC can copy ePHI to anybody's bucket or queue. A policy of the tenant's own binds the way out to its own resources.",
    expected="No statement allows every principal every action on every resource without a condition.",
    fix=Fix(
        console="VPC, Endpoints, the endpoint, Policy, Edit policy: Custom; allow your organisation's resources only (aws:ResourceOrgID).",
        cli="aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-ID --policy-document file://policy.json",
        terraform='resource "aws_vpc_endpoint" "s3" {\n  policy = data.aws_iam_policy_document.endpoint.json\n}',
    ),
    resources=vpc.endpoints,
    judge=judge,
    passing=(
        _example({"Condition": {"StringEquals": {"aws:ResourceOrgID": "o-example"}}}),
        _example({"Resource": "arn:aws:s3:::records/*"}),
    ),
    failing=(_example({}),),
)
