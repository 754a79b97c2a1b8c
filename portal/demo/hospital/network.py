"""VPCs, security groups, machines, volumes and snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from portal.demo.hospital.account import (
    OFFICE,
    PHI,
    Account,
    Tags,
    allow,
    document,
    subnet_blocks,
    tag_list,
)
from portal.demo.hospital.identity import VENDOR_ACCOUNT_ID

_ANYWHERE = ("0.0.0.0/0",)
# Two halves of the world: open to all, and never equal to 0.0.0.0/0.
_ANYWHERE_IN_HALVES = ("0.0.0.0/1", "128.0.0.0/1")


class Opening(NamedTuple):
    """One inbound rule of a security group."""

    port: int
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()


def _tags(kind: str, name: str, tags: Tags) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tag_list(tags, name)}]


def _permission(opening: Opening) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": opening.port,
        "ToPort": opening.port,
        "IpRanges": [{"CidrIp": each} for each in opening.ipv4],
        "Ipv6Ranges": [{"CidrIpv6": each} for each in opening.ipv6],
    }


def _group(account: Account, region: str, name: str, vpc: str, *openings: Opening) -> str:
    ec2 = account.client("ec2", region)
    group: str = ec2.create_security_group(
        GroupName=name, Description=name, VpcId=vpc, TagSpecifications=_tags("security-group", name, OFFICE)
    )["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[_permission(each) for each in openings]
    )
    return account.remember(f"group:{name}", group, region)


def _subnets(
    account: Account, region: str, name: str, vpc: str, *, prefix: str, gives_addresses: bool
) -> None:
    ec2 = account.client("ec2", region)
    for subnet_name, block, public in subnet_blocks(prefix):
        zone = f"{region}{'b' if subnet_name.endswith('-b') else 'a'}"
        full_name = f"{name}-{subnet_name}"
        subnet = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=block,
            AvailabilityZone=zone,
            TagSpecifications=_tags("subnet", full_name, OFFICE),
        )["Subnet"]["SubnetId"]
        account.remember(f"subnet:{full_name}", subnet, region)
        if public and gives_addresses:
            ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def _gateways(account: Account, region: str, name: str, vpc: str) -> None:
    ec2 = account.client("ec2", region)
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    public = account.recall(f"subnet:{name}-public-a", region)
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    for words, target in (("public", {"GatewayId": internet}), ("private", {"NatGatewayId": nat})):
        table = ec2.create_route_table(
            VpcId=vpc, TagSpecifications=_tags("route-table", f"{name}-{words}", OFFICE)
        )["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for subnet, _, is_public in subnet_blocks(""):
            if is_public == (words == "public"):
                ec2.associate_route_table(
                    RouteTableId=table, SubnetId=account.recall(f"subnet:{name}-{subnet}", region)
                )
        account.remember(f"routes:{name}-{words}", table, region)


def _anyone_of(account: Account, *actions: str) -> dict[str, Any]:
    """An endpoint's statement: the account's own principals and nobody else's."""
    own = {"StringEquals": {"aws:PrincipalAccount": account.account_id}}
    return {"Principal": "*", **allow(list(actions)), "Condition": own}


def _own_buckets(account: Account) -> str:
    names = [f"arn:aws:s3:::{account.prefix}-*", f"arn:aws:s3:::{account.prefix}-*/*"]
    return document({**_anyone_of(account, "s3:*"), "Resource": names})


def _endpoints(account: Account, region: str, name: str, vpc: str) -> None:
    ec2 = account.client("ec2", region)
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{region}.s3",
        VpcEndpointType="Gateway",
        PolicyDocument=_own_buckets(account),
        RouteTableIds=[account.recall(f"routes:{name}-private", region)],
    )
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{region}.kms",
        VpcEndpointType="Interface",
        SubnetIds=[account.recall(f"subnet:{name}-private-app-a", region)],
        PrivateDnsEnabled=True,
        PolicyDocument=document(_anyone_of(account, "kms:*")),
    )


def _vpc(account: Account, region: str, name: str, prefix: str, *, careful: bool) -> str:
    """A VPC of four subnets. ``careful``: its default group is closed and no machine gets an address unasked."""
    vpc: str = account.client("ec2", region).create_vpc(
        CidrBlock=f"{prefix}.0.0/16", TagSpecifications=_tags("vpc", name, OFFICE)
    )["Vpc"]["VpcId"]
    account.remember(f"vpc:{name}", vpc, region)
    _subnets(account, region, name, vpc, prefix=prefix, gives_addresses=not careful)
    _gateways(account, region, name, vpc)
    if careful:
        _close_default_group(account, region, vpc)
    return vpc


def _close_default_group(account: Account, region: str, vpc: str) -> None:
    ec2 = account.client("ec2", region)
    wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=wanted)["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])


def remove_default_vpcs(account: Account) -> None:
    """AWS gives each region a VPC open to the Internet; whoever is careful removes it first."""
    for region in account.regions:
        ec2 = account.client("ec2", region)
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        for vpc in ec2.describe_vpcs()["Vpcs"]:
            ec2.delete_vpc(VpcId=vpc["VpcId"])


def _record_flows(account: Account, vpc: str) -> None:
    account.client("ec2").create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=f"/{account.prefix}/vpc-flow",
        DeliverLogsPermissionArn=account.recall("role:vpc-flow-logs"),
    )


def seed_mercy_network(account: Account) -> None:
    """A clinical VPC with flow logs and endpoints, and a second one, elsewhere, with neither."""
    first, last = account.primary, account.secondary
    clinical = _vpc(account, first, "clinical", "10.20", careful=True)
    _endpoints(account, first, "clinical", clinical)
    recovery = _vpc(account, last, "recovery", "10.40", careful=False)
    _record_flows(account, clinical)
    _group(account, first, "ehr-web", clinical, Opening(443, _ANYWHERE, ("::/0",)))
    _group(account, first, "ehr-app", clinical, Opening(8443, ("10.20.0.0/20",)))
    _group(account, first, "ehr-database", clinical, Opening(5432, ("10.20.16.0/20", "10.20.32.0/20")))
    _group(account, first, "imaging-vendor-rdp", clinical, Opening(3389, _ANYWHERE))
    _group(account, first, "lab-interface-ssh", clinical, Opening(22, _ANYWHERE_IN_HALVES))
    _group(account, last, "telehealth-database", recovery, Opening(1433, (), ("::/0",)))
    _group(account, last, "recovery-app", recovery, Opening(443, ("10.20.0.0/16",)))


def seed_northwind_network(account: Account) -> None:
    """One VPC, kept well but for a door that was opened to a vendor of scanners and never shut."""
    first = account.primary
    imaging = _vpc(account, first, "imaging", "10.60", careful=True)
    _endpoints(account, first, "imaging", imaging)
    _record_flows(account, imaging)
    _group(account, first, "viewer-web", imaging, Opening(443, _ANYWHERE, ("::/0",)))
    _group(account, first, "dicom-router", imaging, Opening(11112, ("10.60.0.0/16",)))
    _group(account, first, "worklist-database", imaging, Opening(5432, ("10.60.16.0/20",)))
    _group(account, first, "scanner-vendor-ssh", imaging, Opening(22, _ANYWHERE))


def _machine(account: Account, name: str, group: str, *, subnet: str, tokens: str, profile: bool) -> None:
    ec2 = account.client("ec2")
    extra = {"IamInstanceProfile": {"Name": f"{account.prefix}-ehr-app"}} if profile else {}
    ec2.run_instances(
        ImageId="ami-12c6146b",
        InstanceType="m6i.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=account.recall(f"subnet:{subnet}"),
        SecurityGroupIds=[account.recall(f"group:{group}")],
        MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
        TagSpecifications=_tags("instance", name, PHI),
        **extra,
    )


def _volume(account: Account, region: str, name: str, *, key: str = "", tags: Tags = PHI) -> str:
    encryption = {"Encrypted": True, "KmsKeyId": account.recall(f"key:{key}", region)} if key else {}
    volume: str = account.client("ec2", region).create_volume(
        AvailabilityZone=f"{region}a",
        Size=200,
        VolumeType="gp3",
        TagSpecifications=_tags("volume", name, tags),
        **encryption,
    )["VolumeId"]
    return volume


def _snapshot(account: Account, region: str, volume: str, name: str, shared_with: Iterable[str] = ()) -> None:
    ec2 = account.client("ec2", region)
    snapshot = ec2.create_snapshot(
        VolumeId=volume, Description=name, TagSpecifications=_tags("snapshot", name, PHI)
    )["SnapshotId"]
    for whom in shared_with:
        who = {"GroupNames": ["all"]} if whom == "all" else {"UserIds": [whom]}
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **who
        )


def _encrypt_disks(account: Account, region: str, key: str) -> None:
    ec2 = account.client("ec2", region)
    ec2.enable_ebs_encryption_by_default()
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=account.recall(f"key:{key}", region))
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)


def seed_mercy_machines(account: Account) -> None:
    """Machines, volumes and snapshots: the older ones are from before the primary region encrypted by default."""
    first, last = account.primary, account.secondary
    public, private = "clinical-public-a", "clinical-private-app-{}".format
    old = "lab-interface"
    _machine(account, old, "lab-interface-ssh", subnet=public, tokens="optional", profile=False)
    cache = _volume(account, first, "imaging-cache")
    lab = _volume(account, first, "lab-results-spool")
    _encrypt_disks(account, first, "ehr-data")
    account.client("ec2").enable_snapshot_block_public_access(State="block-new-sharing")
    for name, zone in (("ehr-app-1", "a"), ("ehr-app-2", "b")):
        _machine(account, name, "ehr-app", subnet=private(zone), tokens="required", profile=True)
    account.client("ec2", last).modify_instance_metadata_defaults(
        HttpTokens="required", HttpPutResponseHopLimit=2
    )
    data = _volume(account, first, "ehr-app-data", key="ehr-data")
    _volume(account, last, "recovery-data", key="dr-data")
    _volume(account, last, "recovery-scratch", tags=OFFICE)
    _snapshot(account, first, data, "ehr-app-data nightly")
    _snapshot(account, first, cache, "imaging-cache before migration", ["all"])
    _snapshot(account, first, lab, "lab-results-spool for the vendor", [VENDOR_ACCOUNT_ID])


def seed_northwind_disks(account: Account) -> None:
    """Encryption by default and no public snapshots in both regions; one volume is older than that."""
    first, last = account.primary, account.secondary
    _volume(account, first, "studies-before-2022")
    for region, key in ((first, "studies"), (last, "replicas")):
        _encrypt_disks(account, region, key)
        account.client("ec2", region).enable_snapshot_block_public_access(State="block-all-sharing")
    worklist = _volume(account, first, "dicom-router-spool", key="studies")
    _snapshot(account, first, worklist, "dicom-router-spool nightly")
