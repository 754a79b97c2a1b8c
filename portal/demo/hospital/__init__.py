"""The demonstration's AWS accounts: a hospital and its imaging partner, good and bad as real ones are.

Everything is made through AWS's own API by each account's administrator, save what no API sets: ages of
keys, the root user's state, what AWS Config found. Nothing here is about a patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from portal.demo.aws import AwsControl
from portal.demo.hospital import databases, identity, keys, network, records, storage
from portal.demo.hospital.account import Account, document

MERCY_LAKES_ACCOUNT_ID = "222222222222"
NORTHWIND_ACCOUNT_ID = "333333333333"
REGIONS = ("us-east-1", "us-west-2")


class SeededAccount(NamedTuple):
    """``created`` is False when the account was there already and only its role was brought up to date."""

    name: str
    account_id: str
    role_arn: str
    external_id: str
    regions: tuple[str, ...]
    created: bool


def _fill_mercy(account: Account) -> None:
    network.remove_default_vpcs(account)
    identity.seed_people(account, identity.MERCY_PEOPLE)
    identity.seed_service_roles(account)
    keys.seed_mercy_keys(account)
    storage.seed_mercy_buckets(account)
    identity.seed_mercy_policies(account)
    records.seed_log_groups(account, records.mercy_log_groups(account))
    network.seed_mercy_network(account)
    network.seed_mercy_machines(account)
    databases.seed_mercy_databases(account)
    records.seed_mercy_trails(account)
    records.seed_mercy_alarms(account)
    records.seed_mercy_config(account)
    keys.seed_secrets(account)
    identity.seed_organisation(account)


def _fill_northwind(account: Account) -> None:
    network.remove_default_vpcs(account)
    identity.seed_people(account, identity.NORTHWIND_PEOPLE)
    identity.seed_service_roles(account)
    keys.seed_northwind_keys(account)
    storage.seed_northwind_buckets(account)
    storage.block_account(account)
    identity.seed_northwind_policies(account)
    records.seed_log_groups(account, records.northwind_log_groups(account))
    network.seed_northwind_network(account)
    network.seed_northwind_disks(account)
    databases.seed_northwind_databases(account)
    records.seed_northwind_trails(account)
    records.seed_northwind_alarms(account)
    records.seed_northwind_config(account)


def _trust(portal_account_id: str, external_id: str) -> str:
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{portal_account_id}:root"},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def write_reader_role(account: Account, *, role_name: str, trust: str, role_policy: Mapping[str, Any]) -> str:
    """Create the role that the portal assumes, or bring it up to date; returns its ARN."""
    iam = account.client("iam")
    try:
        iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust, MaxSessionDuration=3600)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=trust)
    iam.put_role_policy(
        RoleName=role_name, PolicyName="SuretyReads", PolicyDocument=json.dumps(dict(role_policy))
    )
    return account.arn("iam", f"role/{role_name}", region="")


def _fill_once(account: Account, name: str, fill: Any) -> bool:
    """Fill an account; its alias is set last, so that an account with an alias is whole."""
    iam = account.client("iam")
    alias = name.lower().replace(" ", "-")
    if alias in iam.list_account_aliases()["AccountAliases"]:
        return False
    account.aws.seed_ids(int(account.account_id))
    fill(account)
    iam.create_account_alias(AccountAlias=alias)
    return True


def seed(
    endpoint_url: str,
    *,
    account_id: str,
    regions: Sequence[str] = REGIONS,
    external_id: str,
    portal_account_id: str,
    role_policy: Mapping[str, Any],
    role_name: str = "SuretyReader",
) -> SeededAccount:
    """Fill one account of the stand-in at ``endpoint_url`` and let the portal's account read it.

    ``role_policy`` is the customer's role policy that the product generates. Account 333333333333 becomes
    Northwind Imaging (a business associate), any other Mercy Lakes Hospital (a covered entity). The first
    region is the well-kept one. Called again, it only brings the role up to date.

    :raises ClientError: the account was left half filled by an earlier call: reset the stand-in.
    """
    northwind = account_id == NORTHWIND_ACCOUNT_ID
    name = "Northwind Imaging" if northwind else "Mercy Lakes Hospital"
    prefix = "northwind" if northwind else "mercy-lakes"
    if account_id not in (MERCY_LAKES_ACCOUNT_ID, NORTHWIND_ACCOUNT_ID):
        prefix = f"{prefix}-{account_id}"
    account = Account(AwsControl(endpoint_url), account_id, prefix, tuple(regions))
    created = _fill_once(account, name, _fill_northwind if northwind else _fill_mercy)
    role = write_reader_role(
        account, role_name=role_name, trust=_trust(portal_account_id, external_id), role_policy=role_policy
    )
    return SeededAccount(name, account_id, role, external_id, account.regions, created)


__all__ = [
    "MERCY_LAKES_ACCOUNT_ID",
    "NORTHWIND_ACCOUNT_ID",
    "REGIONS",
    "ClientError",
    "SeededAccount",
    "seed",
    "write_reader_role",
]
