from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from evidence.aws.policy import trust_policy
from evidence.aws.probe import Cause, ProbeReport, StepName, StepOutcome, probe
from evidence.aws.session import Access, AmbientAccess, Limits, RoleAccess, assume_role_once
from tests.evidence.aws.conftest import CUSTOMER, EXTERNAL_ID, PORTAL, make_role
from tests.evidence.fake_aws import client_error

QUICK = Limits(concurrency=1, max_attempts=1, connect_timeout=2, read_timeout=5)


def run(access: Access, registered: str = CUSTOMER) -> ProbeReport:
    return probe(access, registered, principal_arn=PORTAL, limits=QUICK)


def outcomes(report: ProbeReport) -> dict[str, str]:
    return {step.name.value: step.outcome.value for step in report.steps}


def trust_with(condition: dict[str, Any] | None, principal: str = PORTAL) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {
        "Version": "2012-10-17",
        "Statement": [statement | ({"Condition": condition} if condition else {})],
    }


OPEN_TRUSTS = {
    "no condition": None,
    "any external id": {"StringLike": {"sts:ExternalId": "*"}},
    "only if given": {"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}},
    "like, if given": {"StringLikeIfExists": {"sts:ExternalId": EXTERNAL_ID}},
    "misspelt, if given": {"StringEqualsIfExists": {"sts:ExternalID2": EXTERNAL_ID}},
    "anything but another": {"StringNotEquals": {"sts:ExternalId": "someone-else"}},
    "any value of none": {"ForAllValues:StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    "present, whatever it is": {"Null": {"sts:ExternalId": "false"}},
    "question marks": {"StringLike": {"sts:ExternalId": "?" * 36}},
}


def test_a_role_as_we_ask_for_it_passes_every_step(role):
    report = run(role)
    assert set(outcomes(report).values()) == {"passed"}
    assert report.passed
    assert not report.refused
    assert report.account_id == CUSTOMER


@pytest.mark.parametrize("condition", OPEN_TRUSTS.values(), ids=OPEN_TRUSTS.keys())
def test_a_role_that_does_not_demand_our_external_id_is_refused_with_the_policy_to_paste(aws, condition):
    report = run(make_role(aws, trust=trust_with(condition)))
    assert report.refused
    assert not report.passed
    [failed, *_] = [step for step in report.steps if step.outcome is StepOutcome.FAILED]
    assert failed.cause is Cause.EXTERNAL_ID_NOT_ENFORCED
    assert json.loads(failed.paste) == trust_policy(PORTAL, EXTERNAL_ID)


def test_a_role_open_to_everyone_without_an_external_id_is_refused(aws):
    assert run(make_role(aws, trust=trust_with(None, principal="*"))).refused


@pytest.mark.parametrize(
    "trust",
    [
        trust_with({"StringEquals": {"sts:ExternalId": "another"}}),
        trust_with(
            {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}, principal="arn:aws:iam::333333333333:root"
        ),
    ],
    ids=["another external id", "another principal"],
)
def test_a_role_that_refuses_us_says_so_in_awss_words_and_shows_what_to_paste(aws, trust):
    step = run(make_role(aws, trust=trust)).step(StepName.TRUST)
    assert step.outcome is StepOutcome.FAILED
    assert step.cause is Cause.ROLE_OR_TRUST
    assert "is not authorized to perform: sts:AssumeRole" in step.happened
    assert json.loads(step.paste) == trust_policy(PORTAL, EXTERNAL_ID)


def test_a_role_that_does_not_exist_skips_what_cannot_be_tried(aws):
    report = run(RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/Nowhere", EXTERNAL_ID))
    assert list(outcomes(report).values()) == ["failed", "skipped", "skipped", "skipped", "skipped"]


def test_another_account_than_the_registered_one_is_refused(role):
    report = run(role, registered="333333333333")
    assert report.step(StepName.IDENTITY).cause is Cause.WRONG_ACCOUNT
    assert report.refused


def test_a_denial_by_the_organisation_is_told_from_a_missing_permission(aws, role):
    aws.deny("iam:GetAccountSummary", account=CUSTOMER)
    assert run(role).step(StepName.PERMISSIONS).cause is Cause.ORGANISATION_POLICY
    aws.reset_faults()
    aws.admin("iam", CUSTOMER).delete_role_policy(RoleName=role.role_arn.split("/")[-1], PolicyName="read")
    assert run(role).step(StepName.PERMISSIONS).cause is Cause.MISSING_PERMISSION


def test_throttling_while_the_refusal_is_tried_is_unknown_and_not_a_pass(role, monkeypatch):
    real = assume_role_once

    def throttled(access, limits=None):
        if access.external_id != EXTERNAL_ID:
            raise client_error("Throttling", "Rate exceeded", "AssumeRole")
        return real(access, limits)

    monkeypatch.setattr("evidence.aws.probe.assume_role_once", throttled)
    report = run(role)
    assert report.step(StepName.WITHOUT_EXTERNAL_ID).outcome is StepOutcome.UNKNOWN
    assert not report.passed


def test_no_credentials_of_our_own_is_one_clear_failed_step(environment):
    step = run(RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/R", EXTERNAL_ID)).step(StepName.TRUST)
    assert (step.outcome, step.cause) == (StepOutcome.FAILED, Cause.NO_CREDENTIALS)
    assert "\n" not in step.happened


def test_a_profile_that_does_not_exist_is_a_failed_step(environment):
    step = run(AmbientAccess("nobody")).step(StepName.IDENTITY)
    assert (step.outcome, step.cause) == (StepOutcome.FAILED, Cause.NO_CREDENTIALS)


def test_ambient_credentials_are_tried_for_identity_and_permissions_only(aws):
    assert list(outcomes(run(AmbientAccess(), registered="111111111111"))) == ["identity", "permissions"]


class _WebSite(BaseHTTPRequestHandler):
    def do_POST(self):
        body = b"<!doctype html><html><p>Welcome</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        return


@pytest.fixture
def web_site():
    server = HTTPServer(("127.0.0.1", 0), _WebSite)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("nobody_listens", [False, True])
def test_an_endpoint_that_is_not_aws_is_one_clear_failed_step(environment, web_site, nobody_listens):
    url = f"http://127.0.0.1:{_free_port()}" if nobody_listens else web_site
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "b",
    }.items():
        environment.setenv(name, value)
    for access, first in (
        (RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/R", EXTERNAL_ID), StepName.TRUST),
        (AmbientAccess(), StepName.IDENTITY),
    ):
        step = run(access).step(first)
        assert (step.outcome, step.cause) == (StepOutcome.FAILED, Cause.UNREACHABLE)
        assert "\n" not in step.happened
