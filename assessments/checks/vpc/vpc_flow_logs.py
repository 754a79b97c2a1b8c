from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Json, Seen


def judge(vpc: Resource, _seen: Seen) -> Verdict:
    logs = vpc.data["FlowLogs"]
    if any(_is_good(log) for log in logs):
        return passed("flow logs record all traffic")
    if not logs:
        return failed("has no flow log")
    if any(field not in log for log in logs for field in ("FlowLogStatus", "TrafficType")):
        return unknown("AWS did not say what its flow logs record")
    return failed("; ".join(sorted(_describe(log) for log in logs)))


def _is_good(log: Json) -> bool:
    active = log.get("FlowLogStatus") == "ACTIVE" and log.get("DeliverLogsStatus") != "FAILED"
    return active and log.get("TrafficType") == "ALL"


def _describe(log: Json) -> str:
    delivery = f", delivery failed: {log.get('DeliverLogsErrorMessage', 'no reason given')}"
    failing = delivery if log.get("DeliverLogsStatus") == "FAILED" else ""
    return f"flow log {log.get('FlowLogId', 'unnamed')} records {log['TrafficType']} ({log['FlowLogStatus']}{failing})"


def _example(*logs: dict[str, str]) -> dict[str, Any]:
    rows = [{"FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", **log} for log in logs]
    return {
        "vpc": {
            "DescribeVpcs": {"": {"Vpcs": [{"VpcId": "vpc-1"}]}},
            "DescribeFlowLogs": {"": {"FlowLogs": rows}},
        }
    }


CHECK = Check(
    title="Flow logs record all traffic of each VPC",
    severity=Severity.MEDIUM,
    collectors=("vpc",),
    supports=("164.312(b)", "164.308(a)(1)(ii)(D)"),
    rationale="Flow logs are the record of who talked to systems with ePHI. Rejected traffic alone shows the attempts that failed, not the one that succeeded.",
    expected="A flow log of the VPC is active, delivers, and has the traffic type ALL.",
    fix=Fix(
        console="VPC, Your VPCs, the VPC, Flow logs, Create flow log: filter All, to CloudWatch Logs or S3.",
        cli="aws ec2 create-flow-logs --resource-type VPC --resource-ids vpc-ID --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET",
        terraform='resource "aws_flow_log" "vpc" {\n  vpc_id               = aws_vpc.main.id\n  traffic_type         = "ALL"\n  log_destination_type = "s3"\n  log_destination      = aws_s3_bucket.logs.arn\n}',
    ),
    resources=vpc.vpcs_with_flow_logs,
    judge=judge,
    passing=(_example({"TrafficType": "ALL", "DeliverLogsStatus": "SUCCESS"}),),
    failing=(
        _example(),
        _example({"TrafficType": "REJECT"}),
        _example({"TrafficType": "ALL", "FlowLogStatus": "INACTIVE"}),
    ),
)
