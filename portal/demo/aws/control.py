"""The control endpoint under /_standin/, for the demonstration and the tests; JSON in and out.

=========================  ===================================================================
GET  health                {"ready": true}
GET  calls                 {"calls": [{"name", "account", "region", "count"}]}
POST calls/reset           start counting anew
POST faults                one fault: see portal.demo.aws.faults.Fault for the fields
POST faults/reset          no fault is in force any more
POST expire                every session issued so far has expired
POST answers               {"name", "result", "account"?, "region"?, "when"?}
POST settings              {"account", "region", "key", "value"}: see portal.demo.aws.answers
POST organisation          {"account", "policy"}: a service control policy, null for none
POST backdate              {"account", "kind", "identifier", "days"}: age something that moto holds
POST seed                  {"seed"}: seed moto's generator of ids
POST reset                 forget everything, moto's resources included
=========================  ===================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.moto_api._internal import mock_random as moto_random
from moto.moto_api._internal.models import moto_api_backend

from portal.demo.aws.backdate import backdate
from portal.demo.aws.faults import parse_fault
from portal.demo.aws.state import SetAnswer, StandInState
from portal.demo.aws.wire import Environ, Reply, unknown_members

Handler = Callable[[StandInState, dict[str, Any]], Any]


def _faults(state: StandInState, fields: dict[str, Any]) -> None:
    state.faults.order(parse_fault(fields))


def _answers(state: StandInState, fields: dict[str, Any]) -> None:
    answer = SetAnswer(**fields)
    service, _, operation = answer.name.partition(":")
    unknown = unknown_members(service, operation, answer.result)
    if unknown:
        raise ValueError(f"{answer.name} has no output member {', '.join(unknown)}")
    state.set_answer(answer)


def _settings(state: StandInState, fields: dict[str, Any]) -> None:
    state.set_setting(fields["account"], fields["region"], fields["key"], fields["value"])


def _organisation(state: StandInState, fields: dict[str, Any]) -> None:
    state.set_organisation_policy(fields["account"], fields["policy"])


def _seed(_state: StandInState, fields: dict[str, Any]) -> None:
    moto_random.seed(fields["seed"])


def _reset(state: StandInState, _fields: dict[str, Any]) -> None:
    state.forget_everything()
    moto_api_backend.reset()


def _calls(state: StandInState, _fields: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {"name": key.name, "account": key.account_id, "region": key.region, "count": count}
        for key, count in sorted(state.counts().items())
    ]
    return {"calls": rows}


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): lambda _state, _fields: {"ready": True},
    ("GET", "calls"): _calls,
    ("POST", "calls/reset"): lambda state, _fields: state.forget_counts(),
    ("POST", "faults"): _faults,
    ("POST", "faults/reset"): lambda state, _fields: state.faults.clear(),
    ("POST", "expire"): lambda state, _fields: state.callers.expire_sessions(),
    ("POST", "answers"): _answers,
    ("POST", "settings"): _settings,
    ("POST", "organisation"): _organisation,
    ("POST", "backdate"): lambda _state, fields: backdate(**fields),
    ("POST", "seed"): _seed,
    ("POST", "reset"): _reset,
}
_BAD_INPUT = (KeyError, TypeError, ValueError, LookupError, UnknownServiceError, OperationNotFoundError)


def answer_control(environ: Environ, body: bytes, state: StandInState) -> Reply:
    """Answer one control request: 404 for an unknown path, 400 with the reason for bad input."""
    path = environ["PATH_INFO"].removeprefix("/_standin/").strip("/")
    handler = _HANDLERS.get((environ["REQUEST_METHOD"], path))
    if handler is None:
        return _json(404, {"error": f"no such control: {environ['REQUEST_METHOD']} {path}"})
    try:
        return _json(200, handler(state, json.loads(body or b"{}")) or {})
    except _BAD_INPUT as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _json(status: int, value: Any) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
