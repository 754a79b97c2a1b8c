"""From botocore's answer to the JSON that is sealed: RFC 3339 times, bytes as text, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

_ENVELOPE = frozenset({"ResponseMetadata"})

SECRET_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ec2": frozenset({"UserData", "KeyMaterial"}),
        "iam": frozenset({"Base32StringSeed", "QRCodePNG", "SecretAccessKey"}),
        "rds": frozenset({"MasterUserPassword", "TdeCredentialPassword"}),
        "secretsmanager": frozenset({"SecretBinary", "SecretString"}),
    }
)
"""Fields that hold data or a credential, by service; they are dropped wherever they stand in an answer."""

_LARGEST_EXACT = 2**53 - 1  # RFC 8785 writes integers as IEEE 754 doubles; a larger one would change


def json_safe(
    response: Mapping[str, Any], *, service: str, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A response as JSON values; `without` names top-level fields to leave out (page tokens)."""
    dropped = SECRET_FIELDS.get(service, frozenset())
    return {
        name: _safe(value, dropped)
        for name, value in response.items()
        if name not in _ENVELOPE | without | dropped
    }


def _safe(value: Any, dropped: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _safe(part, dropped) for name, part in value.items() if name not in dropped}
    if isinstance(value, (list, tuple)):
        return [_safe(part, dropped) for part in value]
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", errors="backslashreplace")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_EXACT:
        return str(value)
    return value


def rfc3339(moment: datetime) -> str:
    """A time as RFC 3339 in UTC with Z; a time without a zone is UTC, as AWS writes it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
