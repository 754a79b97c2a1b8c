"""From what botocore raises to a Gap: every protocol's codes, network failures, answers that aren't AWS's."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from evidence.aws.partitions import UnknownRegion, is_offered
from evidence.types import GLOBAL, Gap, GapReason

MESSAGE_LIMIT = 500
"""Characters of AWS's text that a gap keeps."""

CALL_ERRORS = (BotoCoreError, ClientError, HTTPClientError, ResponseParserError, UnknownRegion)
"""All that a call raises for what the other side did or is; a region newer than botocore's data included."""

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedFault",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Client.UnauthorizedOperation",
    "ForbiddenException",
    "Forbidden",
    "KMSAccessDeniedException",
    "NotAuthorized",
    "NotAuthorizedException",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnauthorizedOperationException",
    "InsufficientDeliveryPolicyException",
    "401",
    "403",
}
# botocore's retries/standard.py lists these as throttling, and AWS's services a few more.
_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
    "429",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
# A region that is switched off does not know the account's tokens, and says so in these ways.
_REGION_OFF = {
    "AuthFailure",
    "InvalidClientTokenId",
    "InvalidToken",
    "OptInRequired",
    "RegionDisabledException",
    "UnrecognizedClientException",
}
_NOT_ENABLED = {
    "AccountNotSubscribedException",
    "InvalidAccessException",
    "NotSignedUp",
    "NotSubscribedException",
    "OptInRequired",
    "SubscriptionRequiredException",
}
_UNSUPPORTED = {
    "InvalidAction",
    "MethodNotAllowed",
    "NotImplemented",
    "NotImplementedException",
    "OperationNotSupportedException",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
    "UnsupportedOperationException",
    "404",
    "405",
    "500",
    "501",
}
_TIMED_OUT = {"RequestTimeout", "RequestTimeoutException", "RequestTimedOut", "408", "504"}

_BY_CODE = {
    code: reason
    for reason, codes in (
        (GapReason.UNSUPPORTED, _UNSUPPORTED),
        (GapReason.TIMED_OUT, _TIMED_OUT),
        (GapReason.NOT_ENABLED, _NOT_ENABLED),
        (GapReason.REGION_OFF, _REGION_OFF),
        (GapReason.EXPIRED, _EXPIRED),
        (GapReason.THROTTLED, _THROTTLED),
        (GapReason.DENIED, _DENIED),
    )
    for code in codes
}

_HTML = re.compile(r"<!doctype html|<html", re.IGNORECASE)
# What differs from one try to the next would make the same refusal look like a new one.
_UNSTABLE = re.compile(
    r"\s*Encoded authorization failure message:\s*\S+"
    r"|[\s;,(]*\b(?:AWS\s*)?Request[\s_-]?ID:?\s*[A-Za-z0-9-]{8,}\)?"
    r"|[\s;,(]*\b(?:Extended Request|Host)[\s_-]?ID:?\s*\S{8,}\)?",
    re.IGNORECASE,
)


class AwsError(Exception):
    """What the callers of evidence.aws catch; they need not know botocore."""


class AwsCallFailed(AwsError):
    """A call without which nothing can be collected gave no answer; `gap` says which and why."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(f"{gap}: {gap.message}" if gap.message else str(gap))
        self.gap = gap


class WrongAccount(AwsError):
    """The credentials belong to another account than the one that was registered."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"The role belongs to account {expected}, but AWS says that this is account {found}."
        )
        self.expected = expected
        self.found = found


class RepeatedPage(BotoCoreError):
    """A listing gave a page token a second time, so it would never end."""

    fmt = "The listing gave the same page token twice; it was given up after {pages} pages."


class DeadlinePassed(BotoCoreError):
    """The unit's time was over before the call could be made."""

    fmt = "The time for this unit was over before the call was made."


class StillWaiting(BotoCoreError):
    """AWS had not finished what was asked of it when the waiting ended."""

    fmt = "AWS was still preparing the answer when the waiting ended."


_BY_KIND: tuple[tuple[tuple[type[Exception], ...], GapReason], ...] = (
    ((ReadTimeoutError, ConnectTimeoutError, DeadlinePassed, StillWaiting), GapReason.TIMED_OUT),
    ((NoCredentialsError, PartialCredentialsError, NoAuthTokenError), GapReason.DENIED),
    ((UnknownRegion,), GapReason.UNSUPPORTED),
)


def gap_from(
    error: Exception, *, service: str, operation: str, region: str, key: str = "", action: str = ""
) -> Gap:
    """The gap that a failed call leaves. Its text is AWS's own, without what changes from try to try."""
    return Gap(
        service=service,
        operation=operation,
        region=region,
        reason=_reason(error, service, region),
        key=key,
        code=error_code(error),
        message=stable_message(error),
        action="sts:AssumeRole" if _came_from_assume_role(error, operation) else action,
    )


def error_code(error: Exception) -> str:
    """AWS's error code, or the exception's name where AWS gave none."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "")) or "Unknown"
    return type(error).__name__


def is_expiry(error: ClientError) -> bool:
    """Whether AWS refused because the session had expired."""
    return error_code(error) in _EXPIRED


def stable_message(error: Exception) -> str:
    """AWS's text verbatim, up to 500 characters, without request ids and encoded messages.

    Of what isn't AWS's (a network failure, a page that some other server sent) the first line is kept.
    """
    if isinstance(error, ClientError):
        text = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    else:
        text = next(iter(str(error).splitlines()), "")
    return _UNSTABLE.sub("", text).strip()[:MESSAGE_LIMIT]


def _reason(error: Exception, service: str, region: str) -> GapReason:
    if isinstance(error, ClientError):
        return _reason_of_code(error_code(error), region)
    if isinstance(error, EndpointConnectionError):
        return GapReason.FAILED if is_offered(service, region) else GapReason.UNSUPPORTED
    if isinstance(error, ResponseParserError):
        return GapReason.UNSUPPORTED if _HTML.search(str(error)) else GapReason.FAILED
    return next((reason for kinds, reason in _BY_KIND if isinstance(error, kinds)), GapReason.FAILED)


def _reason_of_code(code: str, region: str) -> GapReason:
    reason = _BY_CODE.get(code, GapReason.FAILED)
    if reason is not GapReason.REGION_OFF or region != GLOBAL:
        return reason
    return GapReason.NOT_ENABLED if code in _NOT_ENABLED else GapReason.DENIED


def _came_from_assume_role(error: Exception, operation: str) -> bool:
    return isinstance(error, ClientError) and error.operation_name == "AssumeRole" != operation
