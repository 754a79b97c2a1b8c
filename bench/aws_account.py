"""Accounts for the benchmark: the hospital's mixture of good and bad, at two sizes, in two regions.

``python bench/aws_account.py http://127.0.0.1:5000 large`` fills account 444444444444 of a running stand-in.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import kit  # noqa: F401  puts the checkout on the path

from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsControl, AwsStandIn
from portal.demo.hospital import write_reader_role
from portal.demo.hospital.account import OFFICE, PHI, Account, allow, document, tag_list, tls_only

REGIONS = ("us-east-1", "us-west-2")
ACCOUNT = "444444444444"


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


# Resources of each kind in the whole account, half in each region (users, roles and policies are global).
COUNTS: Mapping[Size, Mapping[str, int]] = {
    Size.SMALL: {
        "key": 12, "bucket": 36, "volume": 80, "snapshot": 40, "security_group": 40, "database": 12,
        "log_group": 26, "secret": 16, "user": 20, "role": 12, "table": 6,
    },
    Size.LARGE: {
        "key": 60, "bucket": 260, "volume": 700, "snapshot": 340, "security_group": 300, "database": 90,
        "log_group": 220, "secret": 120, "user": 120, "role": 60, "table": 30,
    },
}  # fmt: skip
GLOBAL_KINDS = frozenset({"user", "role"})


class BuiltAccount(NamedTuple):
    """What was built: the role to assume, the number of resources by kind, seconds it took."""

    account_id: str
    role_arn: str
    external_id: str
    regions: tuple[str, ...]
    resources: Mapping[str, int]
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.resources.values())


class Site(NamedTuple):
    """One region of the account while it is filled; every third thing is a bad one."""

    account: Account
    region: str
    keys: list[str]
    volumes: list[str]

    def client(self, service: str) -> Any:
        return self.account.client(service, self.region)

    def name(self, kind: str, number: int) -> str:
        return f"{self.account.prefix}-{self.region}-{kind}-{number:04d}"

    def key(self, number: int) -> str:
        return self.keys[number % len(self.keys)]


def is_bad(number: int) -> bool:
    return number % 3 == 2


def _add_key(site: Site, number: int) -> None:
    kms = site.client("kms")
    arn = kms.create_key(Description=site.name("key", number))["KeyMetadata"]["Arn"]
    if not is_bad(number):
        kms.enable_key_rotation(KeyId=arn)
    site.keys.append(arn)


def _add_bucket(site: Site, number: int) -> None:
    s3, name = site.client("s3"), site.name("bucket", number)
    where = (
        {}
        if site.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": site.region}}
    )
    s3.create_bucket(Bucket=name, **where)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(OFFICE if number % 4 else PHI)})
    if is_bad(number):
        s3.delete_public_access_block(Bucket=name)
        return
    s3.put_bucket_policy(Bucket=name, Policy=document(tls_only(name)))
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": site.key(number)}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )


def _add_volume(site: Site, number: int) -> None:
    encryption = {} if is_bad(number) else {"Encrypted": True, "KmsKeyId": site.key(number)}
    tags = tag_list(PHI if number % 2 else OFFICE, site.name("volume", number))
    volume = site.client("ec2").create_volume(
        AvailabilityZone=f"{site.region}a",
        Size=100,
        VolumeType="gp3",
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        **encryption,
    )
    site.volumes.append(volume["VolumeId"])


def _add_snapshot(site: Site, number: int) -> None:
    ec2 = site.client("ec2")
    snapshot = ec2.create_snapshot(VolumeId=site.volumes[number % len(site.volumes)])["SnapshotId"]
    if number % 20 == 19:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType="add",
            GroupNames=["all"],
        )


def _add_security_group(site: Site, number: int) -> None:
    ec2 = site.client("ec2")
    group = ec2.create_security_group(GroupName=site.name("group", number), Description="benchmark")[
        "GroupId"
    ]
    block = "0.0.0.0/0" if is_bad(number) else "10.0.0.0/16"
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": block}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def _add_database(site: Site, number: int) -> None:
    encryption = {} if is_bad(number) else {"StorageEncrypted": True, "KmsKeyId": site.key(number)}
    site.client("rds").create_db_instance(
        DBInstanceIdentifier=site.name("db", number),
        DBInstanceClass="db.t3.medium",
        Engine="postgres" if number % 2 else "mysql",
        AllocatedStorage=50,
        MasterUsername="operator",
        MasterUserPassword="made-up-for-the-benchmark",
        BackupRetentionPeriod=1 if is_bad(number) else 14,
        PubliclyAccessible=is_bad(number),
        **encryption,
    )


def _add_log_group(site: Site, number: int) -> None:
    logs, name = site.client("logs"), site.name("logs", number)
    logs.create_log_group(logGroupName=name)
    if not is_bad(number):
        logs.put_retention_policy(logGroupName=name, retentionInDays=2192)


def _add_secret(site: Site, number: int) -> None:
    site.client("secretsmanager").create_secret(Name=site.name("secret", number), SecretString="made up")


def _add_table(site: Site, number: int) -> None:
    site.client("dynamodb").create_table(
        TableName=site.name("table", number),
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _add_user(site: Site, number: int) -> None:
    iam, name = site.client("iam"), site.name("user", number)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    days = 400 if is_bad(number) else 30
    site.account.aws.backdate("access_key", key, account=site.account.account_id, days=days)


def _add_role(site: Site, number: int) -> None:
    iam, name = site.client("iam"), site.name("role", number)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    actions = "*" if number % 30 == 29 else ["s3:GetObject"]
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=document(allow(actions)))


# In this order: buckets need keys, snapshots need volumes.
_ADD: Mapping[str, Callable[[Site, int], None]] = {
    "key": _add_key,
    "bucket": _add_bucket,
    "volume": _add_volume,
    "snapshot": _add_snapshot,
    "security_group": _add_security_group,
    "database": _add_database,
    "log_group": _add_log_group,
    "secret": _add_secret,
    "table": _add_table,
    "user": _add_user,
    "role": _add_role,
}


def _fill(account: Account, counts: Mapping[str, int]) -> Counter[str]:
    built: Counter[str] = Counter()
    for position, region in enumerate(account.regions):
        site = Site(account, region, [], [])
        for kind, add in _ADD.items():
            if kind in GLOBAL_KINDS and position:
                continue
            share = counts[kind] if kind in GLOBAL_KINDS else counts[kind] // len(account.regions)
            for number in range(share):
                add(site, number)
            built[kind] += share
    return built


def build_account(
    endpoint_url: str,
    *,
    size: Size,
    account_id: str = ACCOUNT,
    external_id: str,
    portal_account_id: str = PORTAL_ACCOUNT_ID,
    role_policy: Mapping[str, Any],
    role_name: str = "SuretyReader",
) -> BuiltAccount:
    """Fill an empty account of the stand-in with about 300 (small) or 2,300 (large) resources.

    The ids are the same each time for the same account. Raises ClientError when the account is not empty.
    """
    started = time.perf_counter()
    account = Account(AwsControl(endpoint_url), account_id, f"bench-{account_id}", REGIONS)
    account.aws.seed_ids(int(account_id))
    built = _fill(account, COUNTS[size])
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{portal_account_id}:root"},
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    role = write_reader_role(account, role_name=role_name, trust=document(trust), role_policy=role_policy)
    return BuiltAccount(account_id, role, external_id, REGIONS, built, time.perf_counter() - started)


@contextlib.contextmanager
def account(size: Size) -> Iterator[tuple[AwsStandIn, BuiltAccount]]:
    """A stand-in of its own with the account built in it, readable by everybody in the account."""
    policy = {"Version": "2012-10-17", "Statement": [allow("*")]}
    with AwsStandIn() as aws:
        built = build_account(aws.url, size=size, external_id="bench", role_policy=policy)
        # moto fails on it (5.2.5), and who retries would mostly wait between the tries.
        aws.answer("rds:DescribeOptionGroups", {"OptionGroupsList": []})
        print(f"{size}: {built.total} resources, built in {built.seconds:.0f} s", flush=True)
        yield aws, built


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint_url")
    parser.add_argument("size", type=Size, choices=list(Size))
    parser.add_argument("--account", default=ACCOUNT)
    parser.add_argument("--external-id", default="benchmark-external-id")
    arguments = parser.parse_args()
    everything = {"Version": "2012-10-17", "Statement": [allow("*")]}
    built = build_account(
        arguments.endpoint_url,
        size=arguments.size,
        account_id=arguments.account,
        external_id=arguments.external_id,
        role_policy=everything,
    )
    print(f"{built.total} resources in {built.seconds:.1f} s: {built.role_arn}")


if __name__ == "__main__":
    main()
