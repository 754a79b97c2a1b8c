"""Encryption keys: their state, rotation and who may use them. Nothing is ever decrypted."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope

_KEYS_A_PAGE = 1000
_ALIASES_A_PAGE = 100
_BEING_DELETED = ("PendingDeletion", "PendingReplicaDeletion")


def collect(aws: Reader) -> None:
    def look_at(listed: dict[str, Any]) -> None:
        key_id = listed["KeyId"]
        answer = aws.get("DescribeKey", key=key_id, KeyId=key_id)
        key = {} if answer is None else answer["KeyMetadata"]
        if key.get("KeyManager") != "CUSTOMER":
            return
        if _can_rotate(key):
            aws.get("GetKeyRotationStatus", key=key_id, KeyId=key_id)
        if key["KeyState"] not in _BEING_DELETED:
            aws.get("GetKeyPolicy", key=key_id, KeyId=key_id, PolicyName="default")

    keys = aws.list("ListKeys", "Keys", Limit=_KEYS_A_PAGE)
    aws.list("ListAliases", "Aliases", Limit=_ALIASES_A_PAGE)
    aws.each(look_at, keys)


def _can_rotate(key: dict[str, Any]) -> bool:
    """Whether AWS can rotate the key itself (KMS Developer Guide, "Rotate AWS KMS keys")."""
    return (
        key.get("Origin") == "AWS_KMS"
        and key.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        and key["KeyState"] == "Enabled"
    )


COLLECTOR = Collector(
    title="Key Management Service",
    service="kms",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action("kms:ListKeys", "ListKeys", "Lists the encryption keys in the region."),
        Action("kms:ListAliases", "ListAliases", "Shows the keys' names, so that people recognise them."),
        Action(
            "kms:DescribeKey",
            "DescribeKey",
            "Shows who manages each key and whether it is about to be deleted; never the key itself.",
        ),
        Action(
            "kms:GetKeyRotationStatus",
            "GetKeyRotationStatus",
            "Shows whether each of your keys is renewed regularly.",
        ),
        Action("kms:GetKeyPolicy", "GetKeyPolicy", "Shows who may use each of your keys to decrypt."),
    ),
    collect=collect,
)
