"""`manage.py scan` and `manage.py checks`: what they print, and how they end."""

from __future__ import annotations

import json
import os
import pty
import re
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
from django.db import connection

from assessments.checks.base import checks
from assessments.rule.model import SECURITY_RULE
from tests.commands.conftest import Ended
from tests.conftest import superuser_dsn
from tests.factories import make_tenant

RUN = {"id", "started_at", "finished_at", "api_calls", "api_calls_by_operation", "gaps"}
GAP = {"service", "operation", "region", "reason", "message"}
FINDING = {"check_id", "outcome", "severity", "resource_arn", "region", "citations", "reason"}
SAFEGUARD = {"citation", "title", "designation", "status", "coverage", "reasons"}
"""What whoever reads the document may rely on."""
WRITTEN = (
    "accounts_tenant",
    "accounts_auditentry",
    "evidence_awsconnection",
    "evidence_collectionrun",
    "evidence_blob",
)
SOON = 120


@pytest.fixture
def account_id() -> str:
    return str(secrets.randbelow(9 * 10**11) + 10**11)


@pytest.fixture
def slug(transactional_db: None) -> str:
    return make_tenant().slug


def scan_arguments(account_id: str, slug: str, *more: str) -> list[str]:
    return ["scan", "--account-id", account_id, "--regions", "us-east-1", "--tenant", slug, *more]


def rows() -> list[int]:
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as superuser:
        return [len(superuser.execute(f"select 1 from {table}").fetchall()) for table in WRITTEN]


def assert_refused(ended: Ended, *words: str) -> None:
    """Exit code 2, nothing on standard output, and one clear line."""
    assert ended.code == 2
    assert ended.out == ""
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in lines[0]


def test_json_is_one_document_with_every_promised_key(manage, as_root, aws, account_id, slug):
    as_root(account_id)
    aws.deny("kms:ListKeys", account=account_id)
    ended = manage(*scan_arguments(account_id, slug, "--format", "json"))
    assert ended.code == 0
    found = json.loads(ended.out)
    assert set(found) == {"schema", "run", "findings", "safeguards"}
    assert found["schema"].startswith("https://")
    assert found["run"].keys() >= RUN
    [gap] = [gap for gap in found["run"]["gaps"] if gap["service"] == "kms"]
    assert gap.keys() >= GAP
    assert (gap["operation"], gap["region"], gap["reason"]) == ("ListKeys", "us-east-1", "denied")
    assert gap["message"]
    assert sum(found["run"]["api_calls_by_operation"].values()) == found["run"]["api_calls"] > 20
    assert found["findings"]
    assert all(finding.keys() >= FINDING and finding["citations"] for finding in found["findings"])
    assert {finding["outcome"] for finding in found["findings"]} >= {"PASS", "FAIL", "UNKNOWN"}
    assert [row["citation"] for row in found["safeguards"]] == list(SECURITY_RULE)
    assert all(row.keys() >= SAFEGUARD for row in found["safeguards"])


def test_fail_on_ends_with_1_only_where_something_that_severe_failed(manage, as_root, account_id, slug):
    as_root(account_id)
    found = json.loads(manage(*scan_arguments(account_id, slug, "--format", "json", "--fail-on", "low")).out)
    failing = {finding["severity"] for finding in found["findings"] if finding["outcome"] == "FAIL"}
    assert "medium" in failing
    again = manage(*scan_arguments(account_id, slug, "--fail-on", "medium"))
    assert again.code == 1
    assert "Findings by check" in again.out
    assert "Safeguards" in again.out
    expected = 1 if failing & {"critical"} else 0
    assert manage(*scan_arguments(account_id, slug, "--fail-on", "critical")).code == expected


def test_a_role_is_entered_once_its_trust_policy_demands_our_external_id(
    manage, as_root, aws, account_id, slug, environment
):
    iam = aws.admin("iam", account_id)
    trusted: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "sts:AssumeRole",
    }
    arn = iam.create_role(
        RoleName="Reader",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
    )["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="Reader", PolicyName="read", PolicyDocument=json.dumps(allowed))
    for name, value in aws.environment().items():
        environment.setenv(name, value)
    refused = manage(*scan_arguments(account_id, slug, "--role-arn", arn))
    assert_refused(refused, "refuses to be assumed without an external ID", "external ID")
    external_id = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", refused.err)[-1]
    wrong = manage(
        *scan_arguments(account_id, slug, "--role-arn", arn, "--external-id", secrets.token_hex(8))
    )
    assert_refused(wrong, external_id)
    trusted["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    iam.update_assume_role_policy(
        RoleName="Reader", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    )
    ended = manage(
        *scan_arguments(account_id, slug, "--role-arn", arn, "--external-id", external_id, "--format", "json")
    )
    assert ended.code == 0
    assert json.loads(ended.out)["run"]["aws_account_id"] == account_id


OTHER = "arn:aws:iam::999988887777:role/Reader"
BAD_INPUT = {
    "malformed ARN": (["--role-arn", "arn:aws:iam::role/x"], ["is no role ARN"]),
    "an ARN of a user": (["--role-arn", "arn:aws:iam::111122223333:user/x"], ["is no role ARN"]),
    "a line break in the ARN": (["--role-arn", "arn:aws:iam::111122223333:role/x\nrm"], ["is no role ARN"]),
    "a role of another account": (["--role-arn", OTHER], ["999988887777"]),
    "external ID without a role": (["--external-id", "x"], ["--role-arn"]),
    "a region that is none": (["--regions", "us-east-9"], ["us-east-9", "us-east-1", "close names"]),
    "one good and one bad region": (["--regions", "us-east-1,eu-wst-1"], ["eu-wst-1", "eu-west-1"]),
    "regions of two partitions": (["--regions", "us-east-1,cn-north-1"], ["cn-north-1"]),
    "no region": (["--regions", ","], ["--regions"]),
    "eleven digits": (["--account-id", "11112222333"], ["12 digits"]),
    "digits that are not ASCII": (["--account-id", "١١١١٢٢٢٢٣٣٣٣"], ["12 digits"]),
    "unknown tenant": (["--tenant", "nobody-here"], ["nobody-here"]),
    "somebody else's account": (["--account-id", "123412341234"], ["123412341234"]),
}


@pytest.mark.parametrize(("more", "words"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
@pytest.mark.parametrize("known", [False, True], ids=["first scan", "known account"])
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    manage, as_root, account_id, slug, more, words, known
):
    as_root(account_id)
    if known:
        _connect(account_id, slug)
    before = rows()
    assert_refused(manage(*scan_arguments(account_id, slug, *more)), *words)
    assert rows() == before


def _connect(account_id: str, slug: str) -> None:
    from accounts.tenancy.scope import open_tenant
    from accounts.tenancy.unscoped import tenant_by_slug
    from evidence.services import create_connection

    tenant_id = tenant_by_slug(slug)
    assert tenant_id
    with open_tenant(tenant_id):
        create_connection(name="Known", aws_account_id=account_id, regions=["us-east-1"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scan", "--account-id", "111122223333"], "--regions"),
        (["scan", "--regions", "us-east-1"], "--account-id"),
        (
            ["scan", "--account-id", "111122223333", "--regions", "us-east-1", "--fail-on", "dreadful"],
            "dreadful",
        ),
        (["scan", "--account-id", "111122223333", "--regions", "us-east-1", "--format", "xml"], "xml"),
        (["scan", "--bogus"], "--account-id"),
    ],
)
def test_arguments_that_are_missing_or_unknown_end_with_2_and_a_line_that_names_them(
    manage, arguments, words
):
    ended = manage(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err.strip().splitlines()[-1]
    assert "Traceback" not in ended.err


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
def web_site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _WebSite)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("where", ["web_site", "closed_port"])
@pytest.mark.parametrize("by_role", [False, True], ids=["own credentials", "role"])
def test_an_endpoint_that_is_not_aws_is_found_out_soon(
    manage, as_root, environment, account_id, slug, request, where, by_role
):
    as_root(account_id)
    environment.setenv("AWS_ENDPOINT_URL", request.getfixturevalue(where))
    before, started = rows(), time.monotonic()
    role = ["--role-arn", f"arn:aws:iam::{account_id}:role/Reader"] if by_role else []
    assert_refused(manage(*scan_arguments(account_id, slug, *role)), "AWS gave no answer to who we are")
    assert time.monotonic() - started < SOON
    assert rows() == before


@pytest.mark.parametrize("by_role", [False, True], ids=["own credentials", "role"])
def test_no_credentials_at_all_are_named(manage, environment, aws, account_id, slug, by_role):
    environment.setenv("AWS_ENDPOINT_URL", aws.url)
    environment.delenv("AWS_ACCESS_KEY_ID", raising=False)
    before = rows()
    role = ["--role-arn", f"arn:aws:iam::{account_id}:role/Reader"] if by_role else []
    assert_refused(manage(*scan_arguments(account_id, slug, *role)), "credentials")
    assert rows() == before


def test_expired_credentials_are_named(manage, aws, environment, account_id, slug):
    sts = aws.client("sts", **aws.portal_credentials())
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "sts:AssumeRole",
    }
    arn = aws.admin("iam", account_id).create_role(
        RoleName="Ops", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    )["Role"]["Arn"]
    given = sts.assume_role(RoleArn=arn, RoleSessionName="ops")["Credentials"]
    aws.expire_tokens()
    environment.setenv("AWS_ENDPOINT_URL", aws.url)
    environment.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    environment.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    environment.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    before = rows()
    assert_refused(manage(*scan_arguments(account_id, slug)), "expired")
    assert rows() == before


def test_a_terminal_sees_progress_and_standard_output_stays_pure(as_root, as_process, account_id, slug):
    as_root(account_id)
    ours, theirs = pty.openpty()
    process = as_process(*scan_arguments(account_id, slug, "--format", "json"), stderr=theirs)
    os.close(theirs)
    shown: list[bytes] = []
    reading = threading.Thread(target=_drain, args=(ours, shown))
    reading.start()
    out, _ = process.communicate(timeout=600)
    reading.join()
    assert process.returncode == 0, b"".join(shown)
    assert json.loads(out)["findings"]
    drawn = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", b"".join(shown)).decode()
    assert re.search(r"\d+/\d+\s+[\d,]+ calls, \d+ gaps", drawn), drawn


def _drain(descriptor: int, shown: list[bytes]) -> None:
    # Linux ends a pseudo-terminal whose other side is closed with EIO.
    try:
        while chunk := os.read(descriptor, 4096):
            shown.append(chunk)
    except OSError:
        os.close(descriptor)


def test_a_pipe_sees_no_progress(as_root, as_process, account_id, slug):
    as_root(account_id)
    process = as_process(*scan_arguments(account_id, slug), stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert b"calls," not in err
    assert b"\x1b" not in out + err
    assert b"Safeguards" in out


def test_checks_lists_every_check_with_what_it_reads_and_supports(manage):
    ended = manage("checks", "--format", "json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert [row["id"] for row in found] == list(checks())
    assert len(found) >= 60
    for row in found:
        assert set(row) == {"id", "title", "severity", "service", "collectors", "citations"}
        assert row["title"]
        assert row["collectors"]
        assert all(citation in SECURITY_RULE for citation in row["citations"])


def test_checks_prints_a_table_for_people(manage):
    out = manage("checks").out
    assert f"{len(checks())} checks" in out
    assert "s3_bucket" in out
