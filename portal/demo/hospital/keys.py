"""KMS keys and secrets: rotated and not, one waiting for deletion, one open to anybody."""

from __future__ import annotations

import json

from portal.demo.hospital.account import OFFICE, PHI, Account, Tags, allow, document

_SECONDS_A_DAY = 86400


def _key(
    account: Account, word: str, description: str, *, region: str, rotates: int = 0, tags: Tags = PHI
) -> str:
    kms = account.client("kms", region)
    policy = document(
        {
            "Sid": "AccountAdministers",
            "Principal": {"AWS": f"arn:aws:iam::{account.account_id}:root"},
            **allow("kms:*"),
        }
    )
    written = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
    arn = str(kms.create_key(Description=description, Policy=policy, Tags=written)["KeyMetadata"]["Arn"])
    kms.create_alias(AliasName=f"alias/{account.prefix}-{word}", TargetKeyId=arn)
    if rotates:
        kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=rotates)
    return account.remember(f"key:{word}", arn, region)


def _open_key(account: Account, region: str) -> None:
    arn = _key(account, "partner-exchange", "Files exchanged with payers", region=region, rotates=365)
    anybody = {"Sid": "Partners", "Principal": {"AWS": "*"}, **allow(["kms:Decrypt", "kms:DescribeKey"])}
    owner = {"Principal": {"AWS": f"arn:aws:iam::{account.account_id}:root"}, **allow("kms:*")}
    account.client("kms", region).put_key_policy(
        KeyId=arn, PolicyName="default", Policy=document(owner, anybody)
    )


def _retire(account: Account, region: str, *, days: int) -> None:
    """A key that waits for deletion, at midnight, so that two seedings of one day tell the same date."""
    arn = _key(account, "fax-gateway", "Retired fax gateway", region=region, tags=OFFICE)
    # moto finds a key to delete by its id alone.
    deleted = account.client("kms", region).schedule_key_deletion(
        KeyId=arn.rpartition("/")[2], PendingWindowInDays=days
    )["DeletionDate"]
    past_midnight = deleted.timestamp() % _SECONDS_A_DAY / _SECONDS_A_DAY
    account.aws.backdate("key_deletion", arn, account=account.account_id, days=past_midnight)


def seed_mercy_keys(account: Account) -> None:
    """Rotated and not, one waiting for deletion, one open to anybody."""
    first, last = account.primary, account.secondary
    _key(account, "ehr-data", "Electronic health record data", region=first, rotates=180)
    _key(account, "audit-logs", "CloudTrail and log groups", region=first, rotates=365)
    _key(account, "imaging", "Imaging archive", region=first, rotates=365)
    _key(account, "dr-data", "Disaster recovery copies", region=last, rotates=365)
    _key(account, "dr-legacy", "Copies made before 2021", region=last, tags=OFFICE)
    _retire(account, first, days=14)
    _open_key(account, first)
    # Naming an alias of AWS for the first time is what brings the key behind it into being.
    account.client("kms").describe_key(KeyId="alias/aws/rds")


def seed_northwind_keys(account: Account) -> None:
    """Rotated each year, save the one of the oldest studies."""
    first, last = account.primary, account.secondary
    _key(account, "studies", "DICOM studies and their worklist", region=first, rotates=365)
    _key(account, "audit-logs", "CloudTrail and log groups", region=first, rotates=365, tags=OFFICE)
    _key(account, "studies-before-2022", "Studies of the former archive", region=first)
    _key(account, "replicas", "Replicas of studies", region=last, rotates=365)


def seed_secrets(account: Account) -> None:
    """Secrets: one that is rotated by RDS, two that nobody rotates."""
    manager = account.client("secretsmanager")
    rotated = manager.create_secret(
        Name=f"{account.prefix}/ehr/database",
        KmsKeyId=account.recall("key:ehr-data"),
        SecretString=json.dumps({"username": "ehr", "password": "made-up-for-the-demonstration"}),
        Tags=[{"Key": "DataClass", "Value": "ephi"}],
    )
    manager.rotate_secret(
        SecretId=rotated["ARN"],
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )
    key = account.recall("key:ehr-data")
    for name, more in (("billing/database", {"KmsKeyId": key}), ("lab-vendor/sftp", {})):
        manager.create_secret(
            Name=f"{account.prefix}/{name}", SecretString="made-up-for-the-demonstration", **more
        )
