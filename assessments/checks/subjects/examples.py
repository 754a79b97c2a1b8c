"""Answers in short form that several checks' examples share (see base.seen_in_example)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assessments.checks.base import Example

ACCOUNT = "111122223333"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k1"
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READ_ONE_BUCKET = {
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::charts/*"}]
}

_USER = {
    "user_creation_time": "2025-01-10T09:00:00+00:00",
    "password_enabled": "false",
    "password_last_used": "N/A",
    "password_last_changed": "N/A",
    "mfa_active": "false",
    "access_key_1_active": "false",
    "access_key_1_last_rotated": "N/A",
    "access_key_1_last_used_date": "N/A",
    "access_key_2_active": "false",
    "access_key_2_last_rotated": "N/A",
    "access_key_2_last_used_date": "N/A",
}


def credential_report(**users: Mapping[str, str]) -> Example:
    """A credential report with these users, whose columns differ from an unused user's as given; `root` is root."""
    rows = [
        {"user": name, "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", **_USER, **columns}
        if name != "root"
        else {"user": "<root_account>", "arn": f"arn:aws:iam::{ACCOUNT}:root", **_USER, **columns}
        for name, columns in users.items()
    ]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return {"iam": {"GetCredentialReport": {"": {"Content": "\n".join(lines)}}}}


def account_summary(**numbers: int) -> Example:
    """An IAM account summary."""
    return {"iam": {"GetAccountSummary": {"": {"SummaryMap": numbers}}}}


def password_policy(**settings: Any) -> Example:
    """An account password policy."""
    return {"iam": {"GetAccountPasswordPolicy": {"": {"PasswordPolicy": settings}}}}


def identities(**lists: Sequence[Mapping[str, Any]]) -> Example:
    """Authorization details: UserDetailList, GroupDetailList, RoleDetailList, Policies."""
    empty: dict[str, Sequence[Mapping[str, Any]]] = {
        name: [] for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    }
    return {"iam": {"GetAccountAuthorizationDetails": {"": empty | lists}}}


def user(name: str, **more: Any) -> dict[str, Any]:
    """A user of the authorization details."""
    return {"UserName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "Path": "/", **more}


def role(name: str, **more: Any) -> dict[str, Any]:
    """A role of the authorization details."""
    return {"RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "Path": "/", **more}


def policy(name: str, document: Any, attached: int = 1) -> dict[str, Any]:
    """A customer-managed policy of the authorization details."""
    versions = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": document}]
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return {"PolicyName": name, "Arn": arn, "AttachmentCount": attached, "PolicyVersionList": versions}


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    """A trust policy that lets a principal take a role on."""
    return {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}]}


def trail(
    status: Mapping[str, Any] | None = None, selectors: Mapping[str, Any] | None = None, **more: Any
) -> Example:
    """One trail at home in us-east-1, with its status and selectors where given."""
    row = {"TrailARN": TRAIL, "Name": "main", "HomeRegion": "us-east-1", "S3BucketName": "trail-logs", **more}
    answers: dict[str, dict[str, Any]] = {"DescribeTrails": {"": {"trailList": [row]}}}
    if status is not None:
        answers["GetTrailStatus"] = {TRAIL: status}
    if selectors is not None:
        answers["GetEventSelectors"] = {TRAIL: selectors}
    return {"cloudtrail": answers}


def key(
    policy_text: str | None = None, rotation: Mapping[str, Any] | None = None, **metadata: Any
) -> Example:
    """One customer-managed key, with its policy and rotation where given."""
    described = {
        "KeyId": "k1",
        "Arn": KEY,
        "KeyManager": "CUSTOMER",
        "KeyState": "Enabled",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        **metadata,
    }
    answers: dict[str, dict[str, Any]] = {
        "ListKeys": {"": {"Keys": [{"KeyId": "k1", "KeyArn": KEY}]}},
        "DescribeKey": {"k1": {"KeyMetadata": described}},
    }
    if policy_text is not None:
        answers["GetKeyPolicy"] = {"k1": {"Policy": policy_text}}
    if rotation is not None:
        answers["GetKeyRotationStatus"] = {"k1": rotation}
    return {"kms": answers}


def secret(policy_text: str | None = None, **more: Any) -> Example:
    """One secret, with its resource policy where given ("" for none)."""
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-AbCdEf"
    row = {"ARN": arn, "Name": "db", "CreatedDate": "2025-01-01T00:00:00Z", **more}
    answers: dict[str, dict[str, Any]] = {"ListSecrets": {"": {"SecretList": [row]}}}
    if policy_text is not None:
        answers["GetResourcePolicy"] = {arn: {"ResourcePolicy": policy_text} if policy_text else {}}
    return {"secretsmanager": answers}


def log_group(**more: Any) -> Example:
    """One log group."""
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:app:*"
    return {"logs": {"DescribeLogGroups": {"": {"logGroups": [{"logGroupName": "app", "arn": arn, **more}]}}}}


def recorder(status: Mapping[str, Any] | None = None, **more: Any) -> Example:
    """One recorder of AWS Config, with its status where given."""
    row = {"name": "default", "recordingGroup": {"allSupported": True}, **more}
    answers: dict[str, dict[str, Any]] = {
        "DescribeConfigurationRecorders": {"": {"ConfigurationRecorders": [row]}}
    }
    if status is not None:
        listed = [{"name": "default", **status}]
        answers["DescribeConfigurationRecorderStatus"] = {"": {"ConfigurationRecordersStatus": listed}}
    return {"config": answers}
