"""Credentials and clients for one AWS account.

Building a client is cheap only while service models stay loaded: every AwsSession of a process shares the
loader and the endpoint data of `partitions.base_session`.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, NoCredentialsError

from evidence.aws.errors import CALL_ERRORS, AwsCallFailed, WrongAccount, gap_from
from evidence.aws.partitions import base_session, check_region, home_region, parse_role_arn, partition_of
from evidence.aws.policy import session_policy
from evidence.types import GLOBAL

USER_AGENT = "surety"
SESSION_SECONDS = 900
"""The shortest session that AWS hands out."""

# STS API Reference, AssumeRole: RoleSessionName and SourceIdentity.
_STS_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_KEPT_SESSIONS = 8
_KEPT_SECONDS = 600.0
_KEPT: OrderedDict[tuple[RoleAccess | AmbientAccess, Limits], tuple[float, AwsSession]] = OrderedDict()

# botocore's create_client is not thread-safe, and all sessions share one loader.
_BUILD = threading.RLock()


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """A customer's role, assumed with the connection's external ID. Raises ValueError for a malformed ARN.

    `source_identity` is set on the session where given; the role's trust policy must then allow
    sts:SetSourceIdentity. An `external_id` of None leaves it out, as the probe does on purpose.
    """

    role_arn: str
    external_id: str | None
    session_name: str = USER_AGENT
    source_identity: str = ""

    def __post_init__(self) -> None:
        parse_role_arn(self.role_arn)
        for name in filter(None, (self.session_name, self.source_identity)):
            if not _STS_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name for a session; AWS takes 2 to 64 of A-Z a-z 0-9 _+=,.@-."
                )

    @property
    def partition(self) -> str:
        return parse_role_arn(self.role_arn).partition

    def assume_arguments(self) -> dict[str, Any]:
        """What AssumeRole is asked beside the role: a 15-minute session that can only read."""
        arguments: dict[str, Any] = {
            "RoleSessionName": self.session_name,
            "DurationSeconds": SESSION_SECONDS,
            "Policy": session_policy(),
        }
        if self.external_id is not None:
            arguments["ExternalId"] = self.external_id
        if self.source_identity:
            arguments["SourceIdentity"] = self.source_identity
        return arguments


@dataclass(frozen=True, slots=True)
class AmbientAccess:
    """What the environment, a profile or the machine's own role gives; for the command line."""

    profile: str | None = None


Access = RoleAccess | AmbientAccess


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard AWS is asked. `max_attempts` counts the first try; timeouts are in seconds."""

    concurrency: int = 10
    max_attempts: int = 5
    connect_timeout: float = 10
    read_timeout: float = 30


class _RoleCredentials(DeferredRefreshableCredentials):
    """Role credentials that know the length of our sessions.

    botocore refreshes 15 minutes before the end, which for a session of 15 minutes is at every call.
    """

    _advisory_refresh_timeout = 180
    _mandatory_refresh_timeout = 60

    def forget(self) -> None:
        """Makes the next call assume the role again."""
        # Not the credentials themselves: another thread may be about to sign with them.
        self._expiry_time = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Provider:
    """Hands one set of credentials to a botocore session, in place of its own chain."""

    credentials: Credentials

    def load_credentials(self) -> Credentials:
        return self.credentials


@dataclass(slots=True)
class AwsSession:
    """Clients for one account, by service and region. Safe to share between threads."""

    access: Access
    limits: Limits = field(default_factory=Limits)
    partition: str = field(init=False)
    generation: int = field(init=False, default=0)
    _botocore: botocore.session.Session = field(init=False, repr=False)
    _credentials: _RoleCredentials | None = field(init=False, repr=False, default=None)
    _clients: dict[tuple[str, str], BaseClient] = field(init=False, repr=False, default_factory=dict)
    _account_id: str = field(init=False, default="")
    _entering: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if isinstance(self.access, RoleAccess):
            self.partition = self.access.partition
            self._credentials = _role_credentials(self.access, self.limits)
            self._botocore = _sharing_session(None)
            self._botocore.register_component("credential_provider", _Provider(self._credentials))
        else:
            self._botocore = _sharing_session(self.access.profile)
            self.partition = _ambient_partition(self._botocore)

    def region(self, name: str) -> str:
        """The region itself; for GLOBAL the home region. Raises ValueError for an unknown one."""
        return check_region(self.partition, name)

    def client(self, service: str, region: str = GLOBAL) -> BaseClient:
        """The client of a service in a region; GLOBAL is the partition's home region.

        Raises ValueError for a region that the partition doesn't have.
        """
        place = (service, self.region(region))
        found = self._clients.get(place)
        if found is None:
            with _BUILD:
                found = self._clients.get(place) or _build_client(self._botocore, *place, self.limits)
                self._clients[place] = found
        return found

    def account_id(self) -> str:
        """The account that AWS says these credentials belong to, asked once.

        Raises AwsCallFailed where AWS gives no answer, WrongAccount where a role's ARN names another.
        """
        with self._entering:  # the first units of a run ask at the same time
            if not self._account_id:
                self._account_id = self._ask_account_id()
        return self._account_id

    def _ask_account_id(self) -> str:
        found = str(self.identity()["Account"])
        if isinstance(self.access, RoleAccess):
            expected = parse_role_arn(self.access.role_arn).account_id
            if found != expected:
                raise WrongAccount(expected, found)
        return found

    def renew(self, generation: int) -> bool:
        """Assumes the role anew if nobody has since `generation` was read. False: it can't."""
        if self._credentials is None:
            return False
        with _BUILD:
            if generation == self.generation:
                self.generation += 1
                self._credentials.forget()
        return True

    def _caller(self) -> dict[str, Any]:
        client: Any = self.client("sts")
        answer: dict[str, Any] = client.get_caller_identity()
        return answer

    def identity(self) -> dict[str, Any]:
        """What GetCallerIdentity says now: Account, Arn, UserId. Raises AwsCallFailed."""
        try:
            return self._caller()
        except CALL_ERRORS as error:
            raise AwsCallFailed(
                gap_from(error, service="sts", operation="GetCallerIdentity", region=GLOBAL)
            ) from error


def open_session(access: Access, limits: Limits | None = None) -> AwsSession:
    """A session for an account, the same one for ten minutes, so that the units of a run share it.

    Each unit of its own would cost one AssumeRole, one GetCallerIdentity and its clients anew.
    """
    place, now = (access, limits or Limits()), time.monotonic()
    with _BUILD:
        opened_at, session = _KEPT.pop(place, (-_KEPT_SECONDS, None))
        if session is None or now - opened_at >= _KEPT_SECONDS:
            opened_at, session = now, AwsSession(*place)
        _KEPT[place] = (opened_at, session)
        while len(_KEPT) > _KEPT_SESSIONS:
            _KEPT.popitem(last=False)
    return session


def own_principal() -> str:
    """The ARN to name in customers' trust policies: our user, or our account where we are ourselves a role.

    A session's ARN lacks its role's path, so the role can't be named from it; an operator may name it in the
    settings instead. Raises AwsCallFailed without credentials.
    """
    identity = AwsSession(AmbientAccess()).identity()
    arn = str(identity["Arn"])
    if ":assumed-role/" in arn or ":federated-user/" in arn:
        return f"arn:{arn.split(':')[1]}:iam::{identity['Account']}:root"
    return arn


@cache
def source_session() -> botocore.session.Session:
    """The process's own identity, with which roles are assumed."""
    return _sharing_session(None)


def assume_role_once(access: RoleAccess, limits: Limits | None = None) -> dict[str, Any]:
    """Assumes a role now and returns AWS's answer. Raises what botocore raises; for the probe."""
    fetcher = _fetcher(access, limits or Limits())
    return dict(fetcher.fetch_credentials())


def _role_credentials(access: RoleAccess, limits: Limits) -> _RoleCredentials:
    def refresh() -> dict[str, Any]:
        # A fresh fetcher: its cache would give the forgotten credentials back.
        return assume_role_once(access, limits)

    return _RoleCredentials(refresh_using=refresh, method="assume-role")


def _fetcher(access: RoleAccess, limits: Limits) -> AssumeRoleCredentialFetcher:
    source = source_session().get_credentials()
    if source is None:
        raise NoCredentialsError
    return AssumeRoleCredentialFetcher(
        client_creator=partial(_build_source_client, home_region(access.partition), limits),
        source_credentials=source,
        role_arn=access.role_arn,
        extra_args=access.assume_arguments(),
        expiry_window_seconds=0,
    )


def _build_source_client(region: str, limits: Limits, service: str, **credentials: Any) -> BaseClient:
    with _BUILD:
        return _build_client(source_session(), service, region, limits, **credentials)


def _sharing_session(profile: str | None) -> botocore.session.Session:
    session = botocore.session.Session(profile=profile)
    base = base_session()
    session.register_component("data_loader", base.get_component("data_loader"))
    return session


def _ambient_partition(session: botocore.session.Session) -> str:
    try:
        region = session.get_config_variable("region")
    except BotoCoreError as error:
        raise AwsCallFailed(
            gap_from(error, service="sts", operation="GetCallerIdentity", region=GLOBAL)
        ) from error
    return partition_of(region) if region else "aws"


def _build_client(
    session: botocore.session.Session, service: str, region: str, limits: Limits, **credentials: Any
) -> BaseClient:
    overridden = _endpoint_override(session, service)
    client = session.create_client(
        service, region_name=region, config=_config(limits, path_style=overridden), **credentials
    )
    if overridden and service == "s3control":
        client.meta.events.register("before-sign.s3-control", _strip_account_prefix)
    return client


def _endpoint_override(session: botocore.session.Session, service: str) -> bool:
    provider = ConfiguredEndpointProvider(
        full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name=service
    )
    return provider.provide() is not None


@cache
def _config(limits: Limits, *, path_style: bool) -> Config:
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": limits.max_attempts},
        connect_timeout=limits.connect_timeout,
        read_timeout=limits.read_timeout,
        max_pool_connections=limits.concurrency,
        user_agent_extra=USER_AGENT,
        s3={
            "us_east_1_regional_endpoint": "regional",
            "addressing_style": "path" if path_style else "auto",
        },
    )


def _strip_account_prefix(request: AWSRequest, **_event: Any) -> None:
    """Undoes the account id that botocore puts before S3 Control's host: only AWS resolves such names."""
    account = request.headers.get("x-amz-account-id", "")
    request.url = str(request.url).replace(f"://{account}.", "://", 1)
