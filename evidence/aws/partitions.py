"""Partitions, regions and role ARNs, as botocore's data files know them. No call leaves the machine."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import botocore.session

from evidence.aws.models import DeclaredLoader
from evidence.types import GLOBAL

HOME_REGIONS: Mapping[str, str] = MappingProxyType(
    {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
)
"""Where each partition's account-wide services are asked, by partition name."""

# IAM User Guide, "IAM and STS quotas": path up to 512, role name up to 64 characters of [\w+=,.@-].
_ROLE_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role(?P<path>/(?:[!-.0-~]+/)*)(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)
_PATH_LIMIT = 512
_REGION_LIKE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")


class UnknownRegion(ValueError):
    """A region that botocore's data don't have in the partition; the text lists close names."""


class RoleArn(NamedTuple):
    """An IAM role's ARN in its parts; `path` begins and ends with a slash."""

    partition: str
    account_id: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:role{self.path}{self.name}"


def parse_role_arn(text: str) -> RoleArn:
    """The parts of a role's ARN. Raises ValueError with a sentence for whatever is not exactly one."""
    found = _ROLE_ARN.fullmatch(text)
    if found is None or len(found["path"]) > _PATH_LIMIT:
        raise ValueError(
            f"{text[:200]!r} is no role ARN; it looks like arn:aws:iam::123456789012:role/SuretyReader."
        )
    if found["partition"] not in HOME_REGIONS:
        known = ", ".join(HOME_REGIONS)
        raise ValueError(f"{found['partition']!r} is no partition that is supported; these are: {known}.")
    return RoleArn(found["partition"], found["account"], found["path"], found["name"])


@cache
def regions_of(partition: str) -> tuple[str, ...]:
    """The names of a partition's regions, sorted. Raises ValueError for an unknown partition."""
    if partition not in HOME_REGIONS:
        raise ValueError(f"{partition!r} is no partition; these are: {', '.join(HOME_REGIONS)}.")
    return tuple(sorted(base_session().get_available_regions("ec2", partition)))


def home_region(partition: str) -> str:
    """The region in which a partition's account-wide services are asked."""
    return HOME_REGIONS[partition]


def partition_of(region: str) -> str:
    """The partition that a region belongs to. Raises UnknownRegion."""
    for partition in HOME_REGIONS:
        if region in regions_of(partition):
            return partition
    raise UnknownRegion(_unknown(region, [name for each in HOME_REGIONS for name in regions_of(each)]))


def check_region(partition: str, region: str) -> str:
    """The region itself, or the home region for GLOBAL. Raises UnknownRegion."""
    if region == GLOBAL:
        return home_region(partition)
    if region not in regions_of(partition):
        raise UnknownRegion(_unknown(region, list(regions_of(partition)), partition))
    return region


def is_offered(service: str, region: str) -> bool:
    """Whether botocore lists the service in the region; a service that it lists nowhere counts as offered."""
    listed = {
        name
        for partition in HOME_REGIONS
        for name in base_session().get_available_regions(service, partition)
    }
    return not listed or region in listed


@cache
def base_session() -> botocore.session.Session:
    """The process's one session without credentials; its loader and endpoint data serve every AwsSession."""
    session = botocore.session.Session()
    session.register_component("data_loader", DeclaredLoader())
    return session


def _unknown(region: str, known: list[str], partition: str = "") -> str:
    where = f" of {partition}" if partition else ""
    close = difflib.get_close_matches(region, known, n=4, cutoff=0.5) or known[:4]
    what = "is unknown" if _REGION_LIKE.fullmatch(region) else "is no region's name"
    return f"Region {region[:60]!r} {what}{where}; close names are: {', '.join(close)}."
