"""Requests made up out of the interface's description, sent to a portal that runs, each answer held against it.

For an operation there are the borders of its description, each once (schemathesis's coverage: deterministic, and
nearly free), then requests at random: fit ones, and ones of which something is unfit. What most of them name exists,
since a request that names nothing is refused before most of a view runs.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.api.kit import FORM, TOKEN, ApiMachine
from tests.architecture.everything import ROUTES, Everything
from tests.architecture.foreign_ids import KINDS, NOBODYS, OTHERWISE

LEFT_OUT = [ignored_auth, positive_data_acceptance]
"""It can't take our token away, and no schema says which cursors are ours."""
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "414", "415", "422", "429"]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
BATCH = 200
MOST_EMPTY_BATCHES = 20
TOKEN_SECONDS = 8 * 60
TIMEOUT = 300
KEY = "Idempotency-Key"


@dataclass
class Caller:
    """A machine in front of a portal that listens at `base`."""

    base: str
    machine: ApiMachine
    session: requests.Session
    _token: str = ""
    _fetched_at: float = -math.inf

    def headers(self) -> dict[str, str]:
        """With a token that the portal made, another one every few minutes."""
        if time.monotonic() - self._fetched_at > TOKEN_SECONDS:
            given = {"Authorization": self.machine.basic, "Content-Type": FORM}
            form = "grant_type=client_credentials"
            answer = self.session.post(self.base + TOKEN, form, headers=given, timeout=TIMEOUT)
            answer.raise_for_status()
            self._token, self._fetched_at = answer.json()["access_token"], time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}


@dataclass
class Asked:
    """What came of the requests: how many of each operation, how many that differ, and which answers were wrong."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    _different: set[int] = field(default_factory=set)

    def note(self, case: Case, answer: Any, wrong: str) -> None:
        self.sent[case.operation.label] += 1
        self.statuses[answer.status_code] += 1
        self._different.add(
            hash((answer.request.method, answer.request.url, repr(case.headers), answer.request.body))
        )
        if wrong:
            self.wrong.setdefault(case.operation.label, []).append(wrong)

    def figures(self) -> dict[str, Any]:
        return {
            "requests": self.sent.total(), "different": len(self._different), "statuses": dict(self.statuses),
            "wrong": sum(map(len, self.wrong.values())),
        }  # fmt: skip

    def report(self, most: int = 10) -> str:
        """The first wrong answer of each operation."""
        shown = [
            f"{name}: {len(said)} of {self.sent[name]} answers are wrong\n{said[0]}"
            for name, said in self.wrong.items()
        ]
        return "\n\n".join(shown[:most])


def all_operations(description: dict[str, Any]) -> list[Any]:
    """In an order that only the description decides: what changes things comes after what reads them."""
    checks = {
        "missing_required_header": {"expected-statuses": REFUSED},
        "negative_data_rejection": {"expected-statuses": REFUSED},
    }
    config = SchemathesisConfig.from_dict({"checks": checks, "request-retries": 2})
    api = schemathesis.openapi.from_dict(description, config=config)
    found = [each.ok() for each in api.get_all_operations()]
    return sorted(found, key=lambda each: (each.method.upper() != "GET", each.label))


def known_ids(its: Everything, path: str) -> dict[str, str]:
    """The parameters of an address of the description, such that it names something."""
    route = _routes()[path]
    return {
        name: str(OTHERWISE.get((route, name), KINDS[name]).of(its)) if name in KINDS else NOBODYS[name][0]
        for name in ROUTES[route].pattern.converters
    }


def _routes() -> dict[str, str]:
    return {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{route}"): route for route in ROUTES}


def ask(
    asked: Asked, caller: Caller, operation: Any, ids: Mapping[str, str], *, each: int, chance: int
) -> None:
    """Sends `each` requests of an operation, and notes what is wrong about the answers. `chance` is the seed."""
    for number, case in enumerate(itertools.islice(_make_up(operation, ids, each, chance), each)):
        headers = caller.headers()
        if KEY in case.headers and _is_fit(case, ParameterLocation.HEADER):
            # A new one each time: under a key that was used, all but the first are refused for that.
            headers[KEY] = f"{_mix(operation, chance)}-{number}"
        answer = case.call(base_url=caller.base, session=caller.session, headers=headers, timeout=TIMEOUT)
        asked.note(case, answer, _what_is_wrong(case, answer))


@contextlib.contextmanager
def sparing_garbage() -> Iterator[None]:
    """Making up requests leaves much garbage and little of it in cycles: to look for them seldom saves time."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _what_is_wrong(case: Case, answer: Any) -> str:
    try:
        case.validate_response(answer, excluded_checks=LEFT_OUT)
    except FailureGroup as failures:
        return str(failures)
    return ""


def _make_up(operation: Any, ids: Mapping[str, str], each: int, chance: int) -> Iterator[Case]:
    """At least `each` requests; fewer where no more can be made up. A quarter at least are random."""
    borders = _spread(_borders(operation, ids), each * 3 // 4)
    yield from borders
    turns = itertools.cycle([(MODES[0], ids), (MODES[0], {}), (MODES[1], {}), (MODES[0], ids)])
    left, empty = each - len(borders), 0
    size = min(BATCH, math.ceil(left / 4))
    for number, (mode, named) in enumerate(turns):
        made = _at_random(operation, mode, named, size, _mix(operation, chance, number))
        yield from made
        left, empty = left - len(made), 0 if made else empty + 1
        if left <= 0 or empty > MOST_EMPTY_BATCHES:
            return


def _mix(operation: Any, *numbers: int) -> int:
    return zlib.crc32(f"{operation.label} {numbers}".encode())


def _borders(operation: Any, ids: Mapping[str, str]) -> list[Case]:
    """Every other one by ids that name something, where the address has ids and they are fit."""
    schema = operation.schema
    config = schema.config.generation_for(operation=operation, phase="coverage")
    found = list(schema.iter_coverage_cases(operation, generation_modes=MODES, generation_config=config))
    for case in found[1::2] if ids else ():
        if _is_fit(case, ParameterLocation.PATH):
            case.path_parameters = dict(ids)
    return found


def _spread(cases: list[Case], most: int) -> list[Case]:
    if len(cases) <= most:
        return cases
    return [cases[number * len(cases) // most] for number in range(most)]


def _is_fit(case: Case, place: ParameterLocation) -> bool:
    component = case.meta.components.get(place) if case.meta else None
    return component is None or component.mode.is_positive


def _at_random(
    operation: Any, mode: GenerationMode, ids: Mapping[str, str], count: int, chance: int
) -> list[Case]:
    """Cases that are sent elsewhere: hypothesis is not to shrink, nor to judge what changes between two tries."""
    made: list[Case] = []

    @seed(chance)
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=dict(ids) or None))
    def keep(case: Case) -> None:
        made.append(case)

    keep()
    return made
