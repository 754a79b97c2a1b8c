"""Faults that the tests order, and the words in which each AWS service would report them.

Codes and statuses: the services' "Common errors" pages and the EC2 and S3 API error references.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portal.demo.aws.actions import GLOBAL_SERVICES
from portal.demo.aws.conditions import wildcard_match
from portal.demo.aws.wire import AwsError, Call

_TOKEN_INVALID = "The security token included in the request is invalid."
_TOKEN_EXPIRED = "The security token included in the request is expired"


class FaultKind(StrEnum):
    DENY = "deny"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    DELAY = "delay"
    CLOSE_REGION = "close_region"
    CUT = "cut"


class DeniedBy(StrEnum):
    """Which policy an ordered denial blames."""

    IDENTITY = "identity"
    SERVICE_CONTROL_POLICY = "service control policy"


@dataclass
class Fault:
    """One ordered fault. ``None`` in a filter means any; ``times`` counts down to silence.

    ``action`` matches, with wildcards, either the operation (``cloudwatch:DescribeAlarms``) or the IAM
    action (``s3:GetEncryptionConfiguration``), whichever case.
    """

    kind: FaultKind
    action: str = "*"
    region: str | None = None
    account: str | None = None
    times: int | None = None
    milliseconds: int = 0
    status: int = 500
    denied_by: DeniedBy = DeniedBy.SERVICE_CONTROL_POLICY

    def strikes(self, call: Call, account_id: str) -> bool:
        if self.region is not None and self.region != call.region:
            return False
        if self.account is not None and self.account != account_id:
            return False
        if self.kind is FaultKind.CLOSE_REGION and call.service in GLOBAL_SERVICES:
            return False
        wanted = self.action.lower()
        return any(wildcard_match(name.lower(), wanted) for name in (call.name, call.action))


def parse_fault(fields: dict[str, Any]) -> Fault:
    """A fault from its JSON form. :raises TypeError, ValueError: an unknown field, kind or value."""
    fault = Fault(**{**fields, "kind": FaultKind(fields["kind"])})
    fault.denied_by = DeniedBy(fault.denied_by)
    return fault


class FaultBook:
    """The faults in force. Thread-safe: a fault ordered three times strikes exactly three calls."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, call: Call, account_id: str) -> list[Fault]:
        """The faults that hit this call, each counted down; at most one beside delays."""
        if not self._faults:
            return []
        with self._lock:
            return list(self._take(call, account_id))

    def _take(self, call: Call, account_id: str) -> list[Fault]:
        struck: list[Fault] = []
        for fault in self._faults:
            if fault.times == 0 or not fault.strikes(call, account_id):
                continue
            if fault.kind is not FaultKind.DELAY and any(one.kind is not FaultKind.DELAY for one in struck):
                continue
            if fault.times is not None:
                fault.times -= 1
            struck.append(fault)
        return struck

    def closed_regions(self, account_id: str) -> set[str]:
        with self._lock:
            return {
                fault.region
                for fault in self._faults
                if fault.kind is FaultKind.CLOSE_REGION
                and fault.region
                and fault.account in (None, account_id)
            }


def denial(call: Call, message: str) -> AwsError:
    """AWS's refusal for want of permission, with the code of the call's service."""
    protocol = call.model.metadata.get("protocol", "")
    if call.service == "ec2":
        return AwsError(
            403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {message}"
        )
    if call.service == "sns":
        return AwsError(403, "AuthorizationError", message)
    if _speaks_query(call):
        return AwsError(403, "AccessDenied", message)
    return AwsError(403 if protocol == "rest-json" else 400, "AccessDeniedException", message)


def throttling(call: Call) -> AwsError:
    protocol = call.model.metadata.get("protocol", "")
    if call.service == "ec2":
        return AwsError(503, "RequestLimitExceeded", "Request limit exceeded.")
    if call.service == "s3":
        return AwsError(503, "SlowDown", "Please reduce your request rate.")
    if call.service == "lambda":
        return AwsError(429, "TooManyRequestsException", "Rate exceeded")
    if _speaks_query(call):
        return AwsError(400, "Throttling", "Rate exceeded")
    return AwsError(429 if protocol == "rest-json" else 400, "ThrottlingException", "Rate exceeded")


def expired_token(call: Call) -> AwsError:
    protocol = call.model.metadata.get("protocol", "")
    if call.service == "ec2":
        return AwsError(400, "RequestExpired", "Request has expired.")
    if call.service == "s3":
        return AwsError(400, "ExpiredToken", "The provided token has expired.")
    if _speaks_query(call):
        return AwsError(403, "ExpiredToken", _TOKEN_EXPIRED)
    return AwsError(403 if protocol == "rest-json" else 400, "ExpiredTokenException", _TOKEN_EXPIRED)


def unknown_key(call: Call) -> AwsError:
    """AWS's refusal of a key that it does not know; a region that is off answers the same."""
    protocol = call.model.metadata.get("protocol", "")
    if call.service == "ec2":
        return AwsError(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    if call.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError(403, "InvalidAccessKeyId", message)
    if _speaks_query(call):
        return AwsError(403, "InvalidClientTokenId", _TOKEN_INVALID)
    return AwsError(403 if protocol == "rest-json" else 400, "UnrecognizedClientException", _TOKEN_INVALID)


def server_error(call: Call, status: int) -> AwsError:
    if status == 503:
        return AwsError(503, "ServiceUnavailable", "Service is unable to handle request.")
    code = "InternalError" if call.service in ("s3", "ec2") else "InternalFailure"
    return AwsError(status, code, "An internal error occurred")


def _speaks_query(call: Call) -> bool:
    # Services that moved from query to JSON or CBOR still report the codes of the query protocol.
    query_compatible = "awsQueryCompatible" in call.model.metadata
    return query_compatible or call.model.metadata.get("protocol") in ("query", "rest-xml")
