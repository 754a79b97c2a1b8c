"""KMS keys and secrets: rotated and not, one waiting for deletion, one open to anybody."""

from __future__ import annotations

import json

from portal.demo.hospital.account import OFFICE, PHI, Account, Tags, allow, document


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


def seed_keys(account: Account) -> None:
    first, last = account.primary, account.secondary
    _key(account, "ehr-data", "Electronic health record data", region=first, rotates=180)
    _key(account, "audit-logs", "CloudTrail and log groups", region=first, rotates=365)
    _key(account, "imaging", "Imaging archive", region=first)
    _key(account, "dr-data", "Disaster recovery copies", region=last, rotates=365)
    _key(account, "dr-legacy", "Copies made before 2021", region=last, tags=OFFICE)
    retired = _key(account, "fax-gateway", "Retired fax gateway", region=first, tags=OFFICE)
    # moto finds a key to delete by its id alone.
    account.client("kms").schedule_key_deletion(KeyId=retired.rpartition("/")[2], PendingWindowInDays=14)
    _open_key(account, last)
    # Naming an alias of AWS for the first time is what brings the key behind it into being.
    for alias in ("alias/aws/s3", "alias/aws/rds"):
        account.client("kms").describe_key(KeyId=alias)


def seed_secrets(account: Account, *, rotation_function: str) -> None:
    """Secrets; ``rotation_function`` is the ARN of the Lambda function that rotates the first."""
    manager = account.client("secretsmanager")
    rotated = manager.create_secret(
        Name=f"{account.prefix}/ehr/database",
        KmsKeyId=account.recall("key:ehr-data"),
        SecretString=json.dumps({"username": "ehr", "password": "made-up-for-the-demonstration"}),
        Tags=[{"Key": "DataClass", "Value": "ephi"}],
    )
    manager.rotate_secret(
        SecretId=rotated["ARN"],
        RotationLambdaARN=rotation_function,
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )
    for name in ("billing/database", "lab-vendor/sftp"):
        manager.create_secret(Name=f"{account.prefix}/{name}", SecretString="made-up-for-the-demonstration")
