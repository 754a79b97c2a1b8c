"""The typed handle by which the demonstration and the tests run and steer the stand-in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config

PORTAL_ACCOUNT_ID = "111111111111"


class Credentials(TypedDict, total=False):
    """Keyword arguments of a boto3 session or client."""

    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str


class StandInRefused(Exception):
    """The control endpoint refused an order: an unknown field, operation or output member."""


class AwsControl:
    """Steers a running stand-in at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def _send(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Any:
        body = json.dumps(fields or {}, default=_encode).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.url}/_standin/{path}", data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise StandInRefused(error.read().decode()) from error

    def _order(self, kind: str, **fields: Any) -> None:
        chosen = {name: value for name, value in fields.items() if value is not None}
        self._send("POST", "faults", {"kind": kind, **chosen})

    def deny(
        self,
        action: str,
        *,
        region: str | None = None,
        account: str | None = None,
        times: int | None = None,
        by_organisation: bool = True,
    ) -> None:
        """Deny an operation or IAM action (wildcards allowed).

        With ``by_organisation`` AWS blames an explicit deny in a service control policy, else it says that
        no identity-based policy allows the action.
        """
        denied_by = "service control policy" if by_organisation else "identity"
        self._order("deny", action=action, region=region, account=account, times=times, denied_by=denied_by)

    def throttle(
        self,
        action: str = "*",
        *,
        times: int | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        """Throttle matching calls, ``times`` times or always, with the code of each service."""
        self._order("throttle", action=action, times=times, region=region, account=account)

    def fail(
        self,
        action: str = "*",
        *,
        status: int = 500,
        times: int | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        """Answer HTTP ``status`` (500 or 503) with the service's own code for it."""
        self._order("server_error", action=action, status=status, times=times, region=region, account=account)

    def cut(
        self,
        action: str = "*",
        *,
        times: int | None = 1,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        """Close the connection without an answer."""
        self._order("cut", action=action, times=times, region=region, account=account)

    def delay(
        self, *, ms: int, action: str = "*", region: str | None = None, account: str | None = None
    ) -> None:
        """Hold every matching call for ``ms`` milliseconds before it is answered."""
        self._order("delay", action=action, milliseconds=ms, region=region, account=account)

    def close_region(self, region: str, *, account: str | None = None) -> None:
        """Answer as an opt-in region does that is off; global services stay."""
        self._order("close_region", region=region, account=account)

    def expire_tokens(self) -> None:
        """Every session issued before now has expired; sessions assumed later work."""
        self._send("POST", "expire")

    def reset_faults(self) -> None:
        """No fault is in force any more. Expired sessions stay expired."""
        self._send("POST", "faults/reset")

    def calls(self, *, account: str | None = None, region: str | None = None) -> Counter[str]:
        """How often each ``service:Operation`` (botocore's names) was called since the last reset."""
        counter: Counter[str] = Counter()
        for row in self._send("GET", "calls")["calls"]:
            if account in (None, row["account"]) and region in (None, row["region"]):
                counter[row["name"]] += row["count"]
        return counter

    def reset_calls(self) -> None:
        self._send("POST", "calls/reset")

    def answer(
        self,
        name: str,
        result: Mapping[str, Any],
        *,
        account: str | None = None,
        region: str | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer ``service:Operation`` with ``result``, by botocore's output shape.

        ``when`` narrows it to calls with these parameters. The latest answer that fits wins.

        :raises StandInRefused: the operation or a member of the result does not exist at AWS.
        """
        fields = {"name": name, "result": result, "account": account, "region": region, "when": when or {}}
        self._send("POST", "answers", fields)

    def set_setting(self, key: str, value: Any, *, account: str, region: str = "") -> None:
        """Set what no AWS API sets; the keys are listed in portal.demo.aws.answers and .corrections."""
        self._send("POST", "settings", {"account": account, "region": region, "key": key, "value": value})

    def set_organisation_policy(self, account: str, policy: Mapping[str, Any] | None) -> None:
        """Put the account under a service control policy; one that only denies keeps FullAWSAccess."""
        self._send("POST", "organisation", {"account": account, "policy": policy})

    def backdate(self, kind: str, identifier: str, *, account: str, days: float) -> None:
        """Age something; the kinds are listed in portal.demo.aws.backdate."""
        self._send(
            "POST", "backdate", {"kind": kind, "identifier": identifier, "account": account, "days": days}
        )

    def seed_ids(self, seed: int) -> None:
        """Seed the generator of ids: the same calls after it give the same ids."""
        self._send("POST", "seed", {"seed": seed})

    def reset(self) -> None:
        """Forget everything: resources, sessions, faults, counts, answers."""
        self._send("POST", "reset")

    @staticmethod
    def admin_credentials(account: str) -> Credentials:
        """The root of ``account``."""
        return {"aws_access_key_id": f"AKIAADM0{account}", "aws_secret_access_key": "any"}

    @staticmethod
    def portal_credentials(account: str = PORTAL_ACCOUNT_ID) -> Credentials:
        """``user/surety-portal`` of the portal's own account."""
        return {"aws_access_key_id": f"AKIAPRT0{account}", "aws_secret_access_key": "any"}

    def environment(self, account: str = PORTAL_ACCOUNT_ID) -> dict[str, str]:
        """Environment variables that point any boto3 at the stand-in as the portal's own user."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": f"AKIAPRT0{account}",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(
        self,
        service: str,
        region: str = "us-east-1",
        *,
        config: Config | None = None,
        **credentials: Unpack[Credentials],
    ) -> Any:
        """A boto3 client of the stand-in: botocore's retries are off unless ``config`` says otherwise."""
        client = _session().client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.url,
            config=config or Config(retries={"total_max_attempts": 1}),
            **credentials,
        )
        client.meta.events.register("before-sign.s3-control", _strip_account_from_host)
        return client

    def admin(self, service: str, account: str, region: str = "us-east-1") -> Any:
        """A boto3 client that is the root of ``account``."""
        return self.client(service, region, **self.admin_credentials(account))


class AwsStandIn(AwsControl):
    """A stand-in of one's own: ``with AwsStandIn() as aws: aws.url``.

    Runs ``python -m portal.demo.aws`` on a free port and ends it on leaving; it also ends by itself when
    this process dies, for it reads a pipe that we hold.
    """

    def __init__(self, *, port: int = 0, seed: int = 20250101) -> None:
        super().__init__("")
        self._arguments = ["--port", str(port), "--seed", str(seed), "--exit-with-parent"]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """:raises RuntimeError: it ended before it was ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.demo.aws", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the stand-in for AWS ended with {self._process.wait()} before it was ready")
        self.url = line.split()[1]
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        self._process.communicate()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@cache
def _session() -> boto3.session.Session:
    # One for all: a session parses each service's model anew, which takes longer than most calls.
    return boto3.session.Session()


def _strip_account_from_host(request: AWSRequest, **_: Any) -> None:
    # botocore puts "<account>." before the host even of an endpoint given by address.
    request.url = re.sub(r"^(https?://)\d{12}\.", r"\1", request.url or "")


def _encode(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot send {type(value).__name__} to the stand-in")
