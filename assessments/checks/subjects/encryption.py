"""Whose key encrypts: AWS's own, or one that the tenant controls, audits and can withdraw."""

from __future__ import annotations

from assessments.checks.base import Verdict, failed, passed, unknown
from evidence.types import Answers, Seen

_AWS_ALIAS = "alias/aws/"


def judge_key(seen: Seen, region: str, key: str | None) -> Verdict:
    """PASS for a customer-managed KMS key, FAIL for AWS's.

    `key` is a key id, a key ARN, an alias or an alias ARN, as AWS names it in settings. A key of another account is
    a customer's: AWS-managed keys exist only in the account that uses them. Raises Unseen where the key was not.
    """
    if not key:
        return unknown("AWS did not say which key encrypts it")
    if _AWS_ALIAS in key:
        return failed(f"encrypted with the AWS-managed key {key}")
    owner = key.split(":")[4] if key.startswith("arn:") and key.count(":") > 4 else seen.account_id  # noqa: PLR2004
    if owner != seen.account_id:
        return passed(f"encrypted with a customer-managed key of account {owner}, {key}")
    return _judge_own_key(seen.in_region("kms", region), key)


def _judge_own_key(kms: Answers, key: str) -> Verdict:
    metadata = (kms.get("DescribeKey", _key_id(kms, key)) or {}).get("KeyMetadata") or {}
    match metadata.get("KeyManager"):
        case "CUSTOMER":
            return passed(f"encrypted with the customer-managed key {key}")
        case "AWS":
            return failed(f"encrypted with the AWS-managed key {key}")
    return unknown(f"encrypted with {key}, whose manager AWS did not say")


def _key_id(kms: Answers, key: str) -> str:
    _, is_alias, alias = key.partition("alias/")
    if not is_alias:
        return key.rpartition("/")[2]
    targets = {row.get("AliasName"): row.get("TargetKeyId") for row in kms.items("ListAliases", "Aliases")}
    return str(targets.get(f"alias/{alias}") or key)
