"""A handle on one account while it is filled: cached boto3 clients and the words that content modules use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config

from portal.demo.aws import AwsControl

Tags = Mapping[str, str]
PHI: Tags = {"DataClass": "ephi", "CostCenter": "clinical"}
OFFICE: Tags = {"DataClass": "internal", "CostCenter": "administration"}


@dataclass
class Account:
    """The account's own administrator at the keyboard.

    ``prefix`` begins every name that must be unique in the world; ``known`` carries ids from one content
    module to the next (a key ARN, a VPC id), by region and a word.
    """

    aws: AwsControl
    account_id: str
    prefix: str
    regions: tuple[str, ...]
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        return self.regions[0]

    @property
    def secondary(self) -> str:
        return self.regions[-1]

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the account's root in ``region`` (the primary one unless said)."""
        key = (service, region or self.primary)
        if key not in self._clients:
            self._clients[key] = self._make_client(*key)
        return self._clients[key]

    def _make_client(self, service: str, region: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        credentials = self.aws.admin_credentials(self.account_id)
        return self.aws.client(service, region, config=config, **credentials)

    def remember(self, word: str, value: str, region: str | None = None) -> str:
        self.known[(region or self.primary, word)] = value
        return value

    def recall(self, word: str, region: str | None = None) -> str:
        return self.known[(region or self.primary, word)]

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """``arn:aws:service:region:account:resource``; pass ``region=""`` for a global one."""
        where = self.primary if region is None else region
        return f"arn:aws:{service}:{where}:{self.account_id}:{resource}"


def tag_list(tags: Tags, name: str = "") -> list[dict[str, str]]:
    named = {"Name": name, **tags} if name else tags
    return [{"Key": key, "Value": value} for key, value in named.items()]


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust_of(service: str) -> str:
    return document(
        {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )


def allow(actions: list[str] | str, resource: list[str] | str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement that really does refuse plain HTTP."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def subnet_blocks(prefix: str) -> Iterator[tuple[str, str, bool]]:
    """(name, CIDR, public) of a VPC's four subnets; ``prefix`` is the first two octets."""
    yield "public-a", f"{prefix}.0.0/20", True
    yield "private-app-a", f"{prefix}.16.0/20", False
    yield "private-app-b", f"{prefix}.32.0/20", False
    yield "private-data-a", f"{prefix}.48.0/20", False
