"""The WSGI layer around moto's server application: identity, faults, authorization, then moto."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from portal.demo.aws import answers, control
from portal.demo.aws.assume_role import assume_role, get_caller_identity, mark_role_used
from portal.demo.aws.authorize import ordered_refusal, refusal, request_context
from portal.demo.aws.callers import Caller, access_key_of
from portal.demo.aws.conditions import MalformedCondition
from portal.demo.aws.corrections import install_corrections
from portal.demo.aws.faults import (
    DeniedBy,
    Fault,
    FaultKind,
    denial,
    expired_token,
    server_error,
    throttling,
    unknown_key,
)
from portal.demo.aws.state import StandInState
from portal.demo.aws.wire import (
    AwsError,
    Call,
    Environ,
    Reply,
    read_body,
    read_call,
    write_error,
    write_result,
)

StartResponse = Callable[..., Any]


class ConnectionCut(Exception):
    """A fault asked for the connection to end without an answer; the server obeys."""


class StandInApplication:
    """AWS as far as the product can tell: wraps moto, answers what moto lacks, refuses what AWS refuses."""

    def __init__(self, state: StandInState | None = None) -> None:
        self.state = state or StandInState()
        install_corrections(self.state)
        self._moto = DomainDispatcherApplication(_create_backend_app)
        # It tries the patterns of all 200 services at every request, and the answer never changes.
        self._moto.get_backend_for_host = cache(self._moto.get_backend_for_host)  # type: ignore[method-assign]
        self._known_to_moto: dict[str, bool] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_standin/"):
            return _send(control.answer_control(environ, read_body(environ), self.state), start_response)
        call = read_call(environ)
        if call is None:
            return _send(_collect(self._moto, environ), start_response)
        try:
            reply = self._answer(call)
        except AwsError as error:
            reply = write_error(call, error)
        except MalformedCondition as error:
            reply = write_error(call, AwsError(400, "MalformedPolicyDocument", str(error)))
        return _send(reply, start_response)

    def _answer(self, call: Call) -> Reply:
        token = call.environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        key = access_key_of(call.environ["HTTP_AUTHORIZATION"])
        caller = self.state.callers.identify(key, token)
        if caller is None:
            raise unknown_key(call)
        self.state.count(call, caller.account_id)
        self._let_faults_strike(call, caller)
        self._check_session(call, caller)
        if call.name == "sts:AssumeRole":
            scp = self.state.organisation_policy(caller.account_id)
            return write_result(call, assume_role(call, caller, self.state.callers, scp=scp))
        if call.name == "sts:GetCallerIdentity":
            return write_result(call, get_caller_identity(caller))
        self._authorize(call, caller)
        return self._own_answer(call, caller.account_id) or self._ask_moto(call, caller.account_id)

    def _let_faults_strike(self, call: Call, caller: Caller) -> None:
        for fault in self.state.faults.strike(call, caller.account_id):
            _strike(fault, call, caller)

    def _check_session(self, call: Call, caller: Caller) -> None:
        if caller.session is None:
            return
        if self.state.callers.is_expired(caller.session):
            raise expired_token(call)
        mark_role_used(caller.session, call.region, datetime.now(UTC).replace(tzinfo=None))

    def _authorize(self, call: Call, caller: Caller) -> None:
        if caller.unrestricted:
            return
        context = request_context(caller, call.region, call.environ.get("REMOTE_ADDR", "127.0.0.1"))
        scp = self.state.organisation_policy(caller.account_id)
        message = refusal(call, caller, context=context, service_control_policy=scp)
        if message is not None:
            raise denial(call, message)

    def _own_answer(self, call: Call, account_id: str) -> Reply | None:
        set_answer = self.state.set_answer_for(call, account_id)
        if set_answer is not None:
            return write_result(call, set_answer.result)
        answer = answers.ANSWERS.get(call.name)
        return None if answer is None else write_result(call, answer(call, account_id, self.state))

    def _ask_moto(self, call: Call, account_id: str) -> Reply:
        # moto takes the account from this header before it looks the access key up.
        call.environ["HTTP_X_MOTO_ACCOUNT_ID"] = account_id
        if not self._moto_knows(call):
            raise _unsupported(call)
        reply = _collect(self._moto, call.environ)
        if reply.status == _NOT_IMPLEMENTED or _is_page(reply, 404):
            raise _unsupported(call)
        if _is_page(reply, 500):
            raise server_error(call, 500)
        return reply

    def _moto_knows(self, call: Call) -> bool:
        if call.service not in self._known_to_moto:
            host = self._moto.infer_service_region_host(call.environ, call.environ["PATH_INFO"])
            self._known_to_moto[call.service] = self._moto.get_backend_for_host(host) is not None
        return self._known_to_moto[call.service]


_NOT_IMPLEMENTED = 501


def _create_backend_app(service: Any) -> Any:
    """moto's own application for a service, set to answer its failures rather than to raise them."""
    # It makes a backend of the default account, whose ids must not shift those of the seeded accounts.
    before = mock_random.getstate()
    application = create_backend_app(service)
    mock_random.setstate(before)
    application.config["PROPAGATE_EXCEPTIONS"] = False
    application.register_error_handler(NotImplementedError, lambda error: (str(error), _NOT_IMPLEMENTED))
    return application


def _is_page(reply: Reply, status: int) -> bool:
    # By its beginning: moto labels many a JSON answer text/html.
    return reply.status == status and reply.body[:14].lower() == b"<!doctype html"


def _unsupported(call: Call) -> AwsError:
    # 501, for botocore retries 500 and 503.
    return AwsError(501, "NotImplemented", f"The stand-in has no answer to {call.name}")


def _strike(fault: Fault, call: Call, caller: Caller) -> None:
    match fault.kind:
        case FaultKind.DELAY:
            time.sleep(fault.milliseconds / 1000)
        case FaultKind.CUT:
            raise ConnectionCut
        case FaultKind.CLOSE_REGION:
            raise unknown_key(call)
        case FaultKind.SERVER_ERROR:
            raise server_error(call, fault.status)
        case FaultKind.THROTTLE:
            raise throttling(call)
        case FaultKind.DENY:
            explicit = fault.denied_by is DeniedBy.SERVICE_CONTROL_POLICY
            raise denial(call, ordered_refusal(call, caller, explicit=explicit))


def _collect(application: Any, environ: Environ) -> Reply:
    """Run a WSGI application and keep its answer."""
    head: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        head.update(status=int(status.split(" ", 1)[0]), headers=dict(headers))

    body = application(environ, start_response)
    try:
        return Reply(body=b"".join(body), **head)
    finally:
        if hasattr(body, "close"):
            body.close()


def _send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    headers = [(name, str(value)) for name, value in reply.headers.items() if name != "Content-Length"]
    length = reply.headers.get("Content-Length") if not reply.body else None
    start_response(
        f"{reply.status} {HTTPStatus(reply.status).phrase}",
        [*headers, ("Content-Length", length or str(len(reply.body)))],
    )
    return [reply.body]
