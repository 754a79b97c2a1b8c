"""Secrets: their encryption keys, rotation and who may read them. Values are never asked for."""

from __future__ import annotations

from typing import Any

from evidence.collectors.base import Action, Collector, Reader, Scope

_SECRETS_A_PAGE = 100


def collect(aws: Reader) -> None:
    def look_at(secret: dict[str, Any]) -> None:
        aws.get("GetResourcePolicy", key=secret["ARN"], SecretId=secret["ARN"])

    aws.each(look_at, aws.list("ListSecrets", "SecretList", MaxResults=_SECRETS_A_PAGE))


COLLECTOR = Collector(
    title="Secrets Manager",
    service="secretsmanager",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "secretsmanager:ListSecrets",
            "ListSecrets",
            "Lists your secrets' names, keys and rotation; never their values.",
        ),
        Action(
            "secretsmanager:GetResourcePolicy",
            "GetResourcePolicy",
            "Shows whether a secret can be read from other accounts.",
        ),
    ),
    collect=collect,
)
