from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError, create_parser

from evidence.aws.errors import MESSAGE_LIMIT, gap_from
from evidence.aws.partitions import base_session
from evidence.types import GLOBAL, Gap, GapReason
from tests.evidence.fake_aws import client_error

CODES = {
    GapReason.DENIED: "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError 403 NotAuthorized",
    GapReason.THROTTLED: "Throttling ThrottlingException RequestLimitExceeded TooManyRequestsException SlowDown 429",
    GapReason.EXPIRED: "ExpiredToken ExpiredTokenException RequestExpired",
    GapReason.REGION_OFF: "AuthFailure UnrecognizedClientException InvalidClientTokenId OptInRequired",
    GapReason.NOT_ENABLED: "SubscriptionRequiredException NotSignedUp",
    GapReason.UNSUPPORTED: "UnknownOperationException InvalidAction NotImplemented 404 500 501",
    GapReason.TIMED_OUT: "RequestTimeout",
    GapReason.FAILED: "InternalFailure ServiceUnavailable ValidationException SomethingNew",
}


def gap(error: Exception, region: str = "eu-west-1", service: str = "kms") -> Gap:
    return gap_from(
        error, service=service, operation="ListKeys", region=region, key="k", action="kms:ListKeys"
    )


@pytest.mark.parametrize(
    ("reason", "code"), [(reason, code) for reason, codes in CODES.items() for code in codes.split()]
)
def test_every_code_has_its_reason(reason, code):
    found = gap(client_error(code, "words"))
    assert found == Gap("kms", "ListKeys", "eu-west-1", reason, "k", code, "words", "kms:ListKeys")


@pytest.mark.parametrize(
    ("code", "reason"), [("InvalidClientTokenId", GapReason.DENIED), ("OptInRequired", GapReason.NOT_ENABLED)]
)
def test_the_whole_account_cannot_be_a_region_that_is_off(code, reason):
    assert gap(client_error(code), GLOBAL).reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadTimeoutError(endpoint_url="x"), GapReason.TIMED_OUT),
        (ConnectTimeoutError(endpoint_url="x"), GapReason.TIMED_OUT),
        (EndpointConnectionError(endpoint_url="x"), GapReason.FAILED),
        (SSLError(endpoint_url="x", error=OSError("certificate")), GapReason.FAILED),
        (NoCredentialsError(), GapReason.DENIED),
        (ResponseParserError("invalid XML received:\nb'<!doctype html>'"), GapReason.UNSUPPORTED),
        (ResponseParserError("invalid XML received:\nb'<Half'"), GapReason.FAILED),
    ],
)
def test_failures_without_a_code_have_their_reason(error, reason):
    assert gap(error).reason is reason
    assert gap(error).code == type(error).__name__
    assert "\n" not in gap(error).message


def test_an_endpoint_that_aws_does_not_have_there_is_unsupported():
    unreachable = EndpointConnectionError(endpoint_url="https://macie2.cn-north-1.amazonaws.com.cn")
    assert gap(unreachable, "cn-north-1", service="macie2").reason is GapReason.UNSUPPORTED


@pytest.mark.parametrize("service", ["kms", "iam", "ec2", "s3", "account"])
@pytest.mark.parametrize("status", [404, 500, 501])
def test_a_page_of_html_is_unsupported_in_every_protocol(service, status):
    model = base_session().get_service_model(service)
    operation: Any = model.operation_model(model.operation_names[0])
    parser = create_parser(operation.service_model.resolved_protocol)
    answer = {
        "status_code": status,
        "headers": {"content-type": "text/html"},
        "body": b"<!doctype html>\n<html>no</html>",
    }
    try:
        parsed = parser.parse(answer, operation.output_shape)
        error: Exception = ClientError(parsed, operation.name)
    except ResponseParserError as unreadable:
        error = unreadable
    assert gap(error).reason is GapReason.UNSUPPORTED


def test_the_text_is_awss_own_but_for_what_changes_from_try_to_try():
    def text(request: str, encoded: str) -> str:
        return gap(
            client_error(
                "UnauthorizedOperation",
                f"You are not authorized to perform this operation. User: arn:aws:sts::222222222222:assumed-role/R/s is not "
                f"authorized to perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action. "
                f"(Service: Ec2, Request ID: {request}) Encoded authorization failure message: {encoded}",
            )
        ).message

    first = text("6f1d2a3b-0000-4000-8000-aaaaaaaaaaaa", "abc_DEF-123")
    assert first == text("99999999-1111-4000-8000-bbbbbbbbbbbb", "zzz")
    assert first.endswith(
        "because no identity-based policy allows the ec2:DescribeVpcs action. (Service: Ec2"
    )


def test_long_texts_are_trimmed():
    assert len(gap(client_error("X", "y" * 5000)).message) == MESSAGE_LIMIT


def test_a_role_that_cannot_be_assumed_any_more_names_that_action():
    assert gap(client_error("AccessDenied", "no", "AssumeRole")).action == "sts:AssumeRole"
