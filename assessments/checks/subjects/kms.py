"""The KMS keys that a tenant manages in one region (AWS's own are AWS's to rotate and guard)."""

from __future__ import annotations

from collections.abc import Iterator

from assessments.checks.base import Resource
from assessments.checks.policy import Policy, Statement, parse
from evidence.types import Json, Seen, Unseen

KEY_ADMINISTRATION = ("kms:putkeypolicy", "kms:schedulekeydeletion", "kms:disablekey")
KEY_USE = ("kms:decrypt", "kms:encrypt", "kms:generatedatakey", "kms:reencryptfrom")


def keys(seen: Seen) -> Iterator[Resource]:
    """Customer-managed keys. A key that could not be described is listed too: its judge says UNKNOWN."""
    for row in seen["kms"].items("ListKeys", "Keys"):
        arn = (
            row.get("KeyArn")
            or f"arn:{seen.partition}:kms:{seen.region}:{seen.account_id}:key/{row['KeyId']}"
        )
        key = Resource(arn, row["KeyId"], "key", seen.region, row)
        if not _is_of_aws(key, seen):
            yield key


def _is_of_aws(key: Resource, seen: Seen) -> bool:
    try:
        return bool(metadata(key, seen).get("KeyManager") == "AWS")
    except Unseen:
        return False


def metadata(key: Resource, seen: Seen) -> Json:
    """What DescribeKey says of a key. Raises Unseen."""
    found: Json = (seen["kms"].get("DescribeKey", key.name) or {}).get("KeyMetadata") or {}
    return found


def is_going(key: Resource, seen: Seen) -> bool:
    """Whether a key is scheduled for deletion; its policy is then not read."""
    return metadata(key, seen).get("KeyState") in ("PendingDeletion", "PendingReplicaDeletion")


def policy(key: Resource, seen: Seen) -> Policy:
    """A key's policy. Raises Unseen, and ValueError where it cannot be read."""
    return parse((seen["kms"].get("GetKeyPolicy", key.name) or {}).get("Policy") or "")


def principals(allowed: Policy, actions: tuple[str, ...], account_id: str) -> set[str]:
    """AWS principals that a key policy itself lets do one of the actions; the account, which defers to IAM, aside."""
    own = (account_id, f":iam::{account_id}:root")
    return {
        one.value
        for statement in allowed.allowing
        if _is_about(statement, actions)
        and statement.principals is not None
        and not statement.principals.negated
        for one in statement.principals.values
        if one.kind == "AWS" and not one.value.endswith(own)
    }


def _is_about(statement: Statement, actions: tuple[str, ...]) -> bool:
    return any(statement.actions.cover(action) for action in actions)
