"""A signed request to AWS STS in place of a secret: what lets a machine in, and every attack that doesn't."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as portal_settings
from django.test import Client
from django.utils import timezone

from accounts.clients.keyless.nonces import make_nonce
from accounts.clients.keyless.sts_request import BODY, is_sts
from accounts.clients.keyless.trusts import trust_aws
from accounts.models import ClientTrust, Membership
from accounts.tenancy.scope import open_tenant
from portal.demo.aws import AwsStandIn
from tests.api.kit import AWS_REQUEST, ApiMachine, exchange, last_refusal, make_machine
from tests.api.sts import SignatureDesk

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT, OTHER = "222222222222", "333333333333"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/push-records/job-1"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@pytest.fixture(scope="module")
def desk() -> Iterator[SignatureDesk]:
    with AwsStandIn() as aws:
        desk = SignatureDesk(aws.url)
        desk.aws = aws
        yield desk
        desk.shutdown()
        desk.server_close()


@pytest.fixture(scope="module")
def session(desk) -> Callable[[str], dict[str, str]]:
    """Credentials of a session of a role, which anybody of the portal's account may assume."""
    trusting = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "sts:AssumeRole",
    }
    iam = desk.aws.admin("iam", ACCOUNT)

    def assume(role: str) -> dict[str, str]:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trusting]})
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        sts = desk.aws.client("sts", **desk.aws.portal_credentials())
        given = sts.assume_role(RoleArn=arn, RoleSessionName="job-1")["Credentials"]
        names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
        return {ours: given[theirs] for theirs, ours in names.items()} | {
            "aws_session_token": given["SessionToken"]
        }

    return assume


@pytest.fixture(scope="module")
def credentials(session) -> dict[str, str]:
    return session("push-records")


@pytest.fixture
def machine(transactional_db, desk, settings) -> ApiMachine:
    settings.STS_ENDPOINT_URL, desk.says = desk.url, None
    made = make_machine()
    with open_tenant(made.tenant.pk):
        by = Membership.objects.get()
        trust_aws(client_id=made.made.client.pk, arn=f"arn:aws:iam::{ACCOUNT}:role/push-*", by=by)
        trust_aws(client_id=made.made.client.pk, arn=f"arn:aws:iam::{OTHER}:user/ada", by=by)
    return made


def nonce() -> str:
    answer = Client().post("/api/v1/oauth/nonce")
    assert (answer.status_code, answer["Cache-Control"], answer.json()["expires_in"]) == (
        200,
        "no-store",
        300,
    )
    made: str = answer.json()["nonce"]
    return made


def signed(
    desk: SignatureDesk, credentials: Any, body: str = BODY, url: str = "", **headers: str
) -> dict[str, Any]:
    named = {"x-surety-audience": portal_settings.SITE_URL, "x-surety-nonce": nonce(), **headers}
    return desk.sign(credentials, {name.replace("_", "-"): value for name, value in named.items()}, body, url)


def packed(request: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(request).encode()).rstrip(b"=").decode()


def ask(machine: ApiMachine, request: Any) -> Any:
    return exchange(
        machine.made.client.pk, AWS_REQUEST, request if isinstance(request, str) else packed(request)
    )


def test_a_session_of_the_trusted_role_gets_a_token_in_its_name(machine, desk, credentials):
    answer = ask(machine, signed(desk, credentials))
    assert answer.status_code == 200, (answer.content, last_refusal(machine))
    machine.token = answer.json()["access_token"]
    assert machine.ask("GET", "findings").status_code == 200
    with open_tenant(machine.tenant.pk):
        assert set(ClientTrust.objects.values_list("account", "last_proven")) == {
            (ACCOUNT, SESSION),
            (OTHER, ""),
        }
        ClientTrust.objects.update(revoked_at=timezone.now())
    assert machine.ask("GET", "findings").status_code == 401
    # Header names in any case, padding, and the signer's own headers make no difference.
    again = make_machine()
    with open_tenant(again.tenant.pk):
        trust_aws(
            client_id=again.made.client.pk,
            arn=f"arn:aws:iam::{ACCOUNT}:role/push-records",
            by=Membership.objects.get(),
        )
    request = signed(desk, credentials)
    request["headers"] = {name.upper(): value for name, value in request["headers"].items()} | {
        "accept": "*/*"
    }
    assert ask(again, base64.urlsafe_b64encode(json.dumps(request).encode()).decode()).status_code == 200


def test_a_request_counts_once_and_for_a_few_minutes(machine, desk, credentials):
    request = signed(desk, credentials)
    assert ask(machine, request).status_code == 200
    asked = desk.asked
    assert (ask(machine, request).status_code, last_refusal(machine)) == (400, "replay")
    # Another signature over the same nonce is no other proof.
    again = signed(desk, credentials, x_surety_nonce=request["headers"]["x-surety-nonce"])
    assert (ask(machine, again).status_code, last_refusal(machine)) == (400, "replay")
    with time_machine.travel(timezone.now() - timedelta(minutes=6)):
        old = make_nonce()
    for bad in (old, "made-up", f"{nonce()}x", nonce().replace(".", "-", 1)):
        request = signed(desk, credentials, x_surety_nonce=bad)
        assert (ask(machine, request).status_code, last_refusal(machine)) == (400, "nonce")
    assert desk.asked == asked


def test_who_isnt_trusted_is_refused_and_logged_by_name(machine, desk, session):
    other_role, someone = session("other"), desk.aws.portal_credentials(OTHER)
    for credentials, why in (
        (other_role, "arn"), (someone, "arn"), (desk.aws.admin_credentials(ACCOUNT), "arn"),
        (desk.aws.portal_credentials("444444444444"), "account"), ({**other_role, "aws_access_key_id": "AKIANOBODYNOBODY"}, "refused by aws"),
    ):  # fmt: skip
        request = signed(desk, credentials)
        if why == "refused by aws":
            desk.secrets["AKIANOBODYNOBODY"] = "another"
        assert (ask(machine, request).status_code, last_refusal(machine)) == (400, why)


def test_a_tampered_request_is_refused_and_logged(machine, desk, credentials):
    def changed(**members: Any) -> dict[str, Any]:
        request = signed(desk, credentials)
        return {**request, **members, "headers": {**request["headers"], **members.get("headers", {})}}

    def unsigned(name: str) -> dict[str, Any]:
        request = signed(desk, credentials)
        request["headers"]["Authorization"] = request["headers"]["Authorization"].replace(f";{name}", "")
        return request

    elsewhere = signed(desk, credentials, x_surety_audience="https://other-portal.example")
    made_ours = {
        **elsewhere,
        "headers": {**elsewhere["headers"], "x-surety-audience": portal_settings.SITE_URL},
    }
    for request, why in (
        (elsewhere, "audience"), (made_ours, "refused by aws"), (changed(headers={"x-surety-nonce": nonce()}), "refused by aws"),
        (unsigned("x-surety-audience"), "header"), (unsigned("x-surety-nonce"), "header"), (unsigned("x-amz-date"), "header"),
        (changed(headers={"X-Surety-Audience": "https://other-portal.example"}), "header"),
        (changed(headers={"X-Amz-Date": "20200101T000000Z"}), "refused by aws"), (changed(headers={"X-Amz-Date": "a\r\nHost: evil"}), "header"),
        (changed(headers={"Authorization": "Bearer x"}), "header"), (changed(headers={"Host": "evil.example"}), "header"),
        (changed(headers={"X-Amz-Date": 7}), "header"), (changed(headers={"Content-Type": "application/json"}), "header"),
        (signed(desk, credentials, x_amz_target="x"), "header"), (signed(desk, credentials, accept="application/json"), "header"),
        (signed(desk, credentials, "Action=GetSessionToken&Version=2011-06-15"), "action"),
        (signed(desk, credentials, f"{BODY}&Action=GetSessionToken"), "action"), (changed(method="GET"), "action"), (changed(body=7), "action"),
        (changed(more="x"), "malformed"), ("e30", "malformed"), ("", "malformed"), ("a+b/", "malformed"), ("é", "malformed"), ("x" * 20000, "malformed"),
        (packed(["a"]), "malformed"), ({**changed(), "headers": []}, "malformed"), (base64.b64encode(b"[" * 9000).decode(), "malformed"),
    ):  # fmt: skip
        answer = ask(machine, request)
        assert (answer.status_code, answer.json()["error"], last_refusal(machine)) == (
            400,
            "invalid_request",
            why,
        ), str(request)[:300]


def test_nothing_is_sent_to_an_address_that_isnt_sts(machine, desk, credentials, settings):
    asked = desk.asked
    for url in (
        "http://127.0.0.1:1/", desk.url + "x", desk.url + "?Action=AssumeRole", desk.url.replace("127.0.0.1", "127.0.0.1@evil.example"),
        "https://sts.amazonaws.com/", "http://169.254.169.254/", "file:///etc/passwd", "", 7,
    ):  # fmt: skip
        request = {**signed(desk, credentials), "url": url}
        assert (ask(machine, request).status_code, last_refusal(machine)) == (400, "url"), url
    settings.STS_ENDPOINT_URL = ""
    assert (ask(machine, signed(desk, credentials)).status_code, last_refusal(machine)) == (400, "url")
    assert desk.asked == asked
    for host in (
        "sts.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts.eu-central-1.amazonaws.com", "sts.ap-southeast-2.amazonaws.com",
        "sts-fips.us-west-2.amazonaws.com", "sts.us-gov-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn",
    ):  # fmt: skip
        assert is_sts(f"https://{host}/"), host
    for url in (
        "http://sts.amazonaws.com/", "https://sts.amazonaws.com.evil.example/", "https://evil.example/sts.amazonaws.com",
        "https://sts.evil.amazonaws.com/", "https://stsXamazonaws.com/", "https://sts.amazonaws.com:444/", "https://sts.amazonaws.com/x",
        "https://sts.amazonaws.com/?a", "https://sts.amazonaws.com/#", "https://a@sts.amazonaws.com/", "https://STS.amazonaws.com/",
        "https://sts.cn-north-1.amazonaws.com/", "https://sts.us-east-1.amazonaws.com.cn/", "https://sts.amazonaws.com\n", " https://sts.amazonaws.com",
    ):  # fmt: skip
        assert not is_sts(url), url


def test_an_answer_that_isnt_stss_own_proves_nothing(machine, desk, credentials):
    result = (
        f"<GetCallerIdentityResult><Arn>{SESSION}</Arn><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
    )
    right = f'<GetCallerIdentityResponse xmlns="{NAMESPACE}">{result}</GetCallerIdentityResponse>'
    desk.says = (200, right)
    assert ask(machine, signed(desk, credentials)).status_code == 200
    for status, body, why in (
        (200, "", "refused by aws"), (200, '{"Arn": "x"}', "refused by aws"), (200, right.replace(NAMESPACE, "urn:x"), "refused by aws"),
        (200, f'<Other xmlns="{NAMESPACE}">{result}</Other>', "refused by aws"), (200, right.replace(result, result * 2), "refused by aws"),
        (200, f"<!DOCTYPE a [<!ENTITY b 'c'>]>{right}", "refused by aws"), (200, right.replace(f"<Account>{ACCOUNT}", f"<Account>{OTHER}"), "arn"),
        (302, right, "refused by aws"), (500, right, "unreachable"), (429, "", "unreachable"), (200, right + " " * 70000, "unreachable"),
    ):  # fmt: skip
        desk.says = (status, body)
        answer = ask(machine, signed(desk, credentials))
        assert (answer.status_code, last_refusal(machine)) == (503 if why == "unreachable" else 400, why), (
            body[:99]
        )


def test_nonces_are_for_everybody_but_not_without_end(machine, settings):
    settings.API_NONCES_PER_MINUTE = 2
    here = Client(REMOTE_ADDR=f"10.{'.'.join(map(str, secrets.token_bytes(3)))}")
    with time_machine.travel(timezone.now(), tick=False):
        answers = [here.post("/api/v1/oauth/nonce") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert here.get("/api/v1/oauth/nonce").status_code == 405
