"""What checks of networks must not be fooled by."""

from typing import Any

import pytest

from assessments.checks.base import Outcome, Refused
from tests.examples_kit import assert_no_field_is_relied_on, checks_of, only, outcomes, results

ADMIN, DATABASES = "vpc_sg_admin_ports_closed", "vpc_sg_database_ports_closed"
EVERYTHING, OTHERS = "vpc_sg_not_all_ports", "vpc_sg_only_web_ports_open"


def rule(
    *cidrs: str, ports: tuple[int, int] | None = (22, 22), protocol: str = "tcp", lists: int = 0
) -> dict[str, Any]:
    span = {} if ports is None else {"FromPort": ports[0], "ToPort": ports[1]}
    return {
        "IpProtocol": protocol,
        **span,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs if ":" not in cidr],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr],
        "PrefixListIds": [{"PrefixListId": f"pl-{number}"} for number in range(lists)],
    }


def group(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    row = {"GroupId": "sg-1", "IpPermissions": list(rules), **fields}
    return {"vpc": {"DescribeSecurityGroups": {"": {"SecurityGroups": [row]}}}}


def test_no_check_of_networks_relies_on_a_field_being_there() -> None:
    assert_no_field_is_relied_on("vpc", {})


def test_a_denied_listing_is_one_unknown_for_each_check() -> None:
    for check in checks_of("vpc"):
        found = results(check.id, {"vpc": {"*": {"": Refused()}}})
        assert [result.outcome for result in found] == [Outcome.UNKNOWN], check.id


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ([rule("0.0.0.0/0")], Outcome.FAIL),
        ([rule("::/0")], Outcome.FAIL),
        ([rule("0.0.0.0/1", "128.0.0.0/1")], Outcome.FAIL),
        ([rule("0.0.0.0/1"), rule("128.0.0.0/1", ports=(20, 30))], Outcome.FAIL),
        (
            [rule("0.0.0.0/2"), rule("64.0.0.0/2"), rule("128.0.0.0/1", protocol="-1", ports=None)],
            Outcome.FAIL,
        ),
        ([rule("0.0.0.0/0", ports=(0, 65535))], Outcome.FAIL),
        ([rule("0.0.0.0/0", ports=None, protocol="-1")], Outcome.FAIL),
        ([rule("0.0.0.0/0", protocol="6")], Outcome.FAIL),
        ([rule("0.0.0.0/2", ports=(22, 22)), rule("128.0.0.0/2", ports=(23, 30))], Outcome.PASS),
        ([rule("10.0.0.0/8", "192.0.2.0/24", "fd00::/8")], Outcome.PASS),
        ([rule("0.0.0.0/0", ports=(443, 443))], Outcome.PASS),
        ([rule("0.0.0.0/0", ports=(-1, -1), protocol="icmp")], Outcome.PASS),
        ([rule("0.0.0.0/0", ports=None, protocol="50")], Outcome.PASS),
        ([rule("10.0.0.0/8", lists=1)], Outcome.UNKNOWN),
        ([rule(ports=(443, 443), lists=1)], Outcome.PASS),
        ([rule(ports=(443, 443), lists=1), rule("0.0.0.0/0")], Outcome.FAIL),
        ([], Outcome.PASS),
    ],
)
def test_a_port_is_open_if_the_rules_together_let_the_world_reach_it(
    rules: list[Any], outcome: Outcome
) -> None:
    assert only(ADMIN, group(*rules)) is outcome


def test_all_ports_are_open_also_where_two_spans_add_up_or_only_tcp_is() -> None:
    assert only(EVERYTHING, group(rule("0.0.0.0/0", ports=(0, 65535)))) is Outcome.FAIL
    assert only(EVERYTHING, group(rule("::/0", ports=None, protocol="-1"))) is Outcome.FAIL
    assert only(EVERYTHING, group(rule("0.0.0.0/0", ports=(1, 1024)))) is Outcome.PASS
    assert only(EVERYTHING, group(rule(ports=None, protocol="-1", lists=2))) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("ports", "outcome"),
    [
        ((80, 80), Outcome.PASS),
        ((443, 443), Outcome.PASS),
        ((80, 443), Outcome.FAIL),
        ((8443, 8443), Outcome.FAIL),
    ],
)
def test_a_span_from_one_web_port_to_the_other_is_not_web_ports(
    ports: tuple[int, int], outcome: Outcome
) -> None:
    assert only(OTHERS, group(rule("0.0.0.0/0", ports=ports))) is outcome


def test_a_database_port_inside_a_span_is_found() -> None:
    assert only(DATABASES, group(rule("::/0", ports=(5000, 6000)))) is Outcome.FAIL


def test_a_group_that_another_account_shares_is_judged_there() -> None:
    assert results(ADMIN, group(rule("0.0.0.0/0"), OwnerId="444455556666")) == []


def entry(
    number: int, action: str, *, cidr: str = "0.0.0.0/0", port: int | None = None, **fields: Any
) -> dict[str, Any]:
    where = {"Ipv6CidrBlock": cidr} if ":" in cidr else {"CidrBlock": cidr}
    span = {"Protocol": "-1"} if port is None else {"Protocol": "6", "PortRange": {"From": port, "To": port}}
    return {"RuleNumber": number, "Egress": False, "RuleAction": action, **where, **span, **fields}


@pytest.mark.parametrize(
    ("entries", "outcome"),
    [
        ([entry(100, "allow")], Outcome.FAIL),
        ([entry(100, "allow", cidr="::/0")], Outcome.FAIL),
        ([entry(200, "allow"), entry(100, "deny")], Outcome.PASS),
        ([entry(100, "allow"), entry(90, "deny", port=22)], Outcome.FAIL),
        ([entry(100, "allow"), entry(90, "deny", port=22), entry(91, "deny", port=3389)], Outcome.PASS),
        ([entry(100, "allow", cidr="0.0.0.0/1"), entry(110, "allow", cidr="128.0.0.0/1")], Outcome.FAIL),
        ([entry(100, "allow", cidr="10.0.0.0/8")], Outcome.PASS),
        ([entry(100, "allow", Egress=True)], Outcome.PASS),
        ([entry(100, "allow", Protocol="17")], Outcome.PASS),
        ([entry(100, "deny"), entry(110, "allow", cidr="::/0")], Outcome.FAIL),
    ],
)
def test_the_first_rule_of_a_network_acl_that_matches_decides(entries: list[Any], outcome: Outcome) -> None:
    acl = {"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], "Entries": entries}
    assert (
        only("vpc_nacl_admin_ports_closed", {"vpc": {"DescribeNetworkAcls": {"": {"NetworkAcls": [acl]}}}})
        is outcome
    )


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ({"DeliverLogsStatus": "SUCCESS"}, Outcome.PASS),
        ({}, Outcome.PASS),
        ({"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}, Outcome.FAIL),
        ({"FlowLogStatus": "INACTIVE"}, Outcome.FAIL),
        ({"TrafficType": "REJECT"}, Outcome.FAIL),
        ({"ResourceId": "subnet-1"}, Outcome.FAIL),
    ],
)
def test_a_flow_log_counts_if_it_is_the_vpcs_delivers_and_records_all(
    log: dict[str, str], outcome: Outcome
) -> None:
    row = {"ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL", **log}
    listed = {
        "DescribeVpcs": {"": {"Vpcs": [{"VpcId": "vpc-1"}]}},
        "DescribeFlowLogs": {"": {"FlowLogs": [row]}},
    }
    assert only("vpc_flow_logs", {"vpc": listed}) is outcome


def test_a_subnets_own_route_table_beats_the_main_one() -> None:
    public = [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}]
    outward = [{"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"}]
    tables = [
        {"RouteTableId": "rtb-main", "VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": outward},
        {
            "RouteTableId": "rtb-own",
            "VpcId": "vpc-1",
            "Associations": [{"SubnetId": "subnet-1"}],
            "Routes": public,
        },
    ]
    example: dict[str, Any] = {
        "vpc": {
            "DescribeVpcs": {"": {"Vpcs": [{"VpcId": "vpc-1"}]}},
            "DescribeSubnets": {"": {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]}},
            "DescribeRouteTables": {"": {"RouteTables": tables}},
            "DescribeVpcEndpoints": {"": {"VpcEndpoints": []}},
        }
    }
    assert outcomes("vpc_s3_endpoint", example) == {"vpc-1": Outcome.NOT_APPLICABLE}
    assert outcomes("vpc_main_route_table_private", example) == {"rtb-main": Outcome.PASS}


def test_a_peering_that_has_ended_is_not_judged() -> None:
    sides = {"RequesterVpcInfo": {"OwnerId": "111122223333"}, "AccepterVpcInfo": {"OwnerId": "444455556666"}}
    rows = [
        {"VpcPeeringConnectionId": f"pcx-{code}", "Status": {"Code": code}, **sides}
        for code in ("active", "pending-acceptance", "deleted", "rejected", "expired")
    ]
    example = {"vpc": {"DescribeVpcPeeringConnections": {"": {"VpcPeeringConnections": rows}}}}
    assert set(outcomes("vpc_peering_own_accounts", example)) == {"pcx-active", "pcx-pending-acceptance"}
