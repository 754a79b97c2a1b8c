"""Secrets of Secrets Manager, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator

from assessments.checks.base import Resource
from evidence.types import Seen


def secrets(seen: Seen) -> Iterator[Resource]:
    """The secrets of the view's region; a replica is a secret of its own, by its own ARN."""
    for row in seen["secretsmanager"].items("ListSecrets", "SecretList"):
        yield Resource(row["ARN"], row.get("Name", ""), "secret", seen.region, row)


def policy(secret: Resource, seen: Seen) -> str:
    """A secret's resource policy; empty where it has none. Raises Unseen."""
    return (seen["secretsmanager"].get("GetResourcePolicy", secret.arn) or {}).get("ResourcePolicy") or ""
