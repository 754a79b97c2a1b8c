"""An AWS in memory: validates what is asked and what is answered against botocore's models, and counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from evidence.aws.partitions import base_session, check_region
from evidence.aws.reader import Collected, collect_unit
from evidence.aws.session import Limits
from evidence.collectors.base import Collector

Answer = Mapping[str, Any] | Callable[..., Mapping[str, Any]] | Exception

ACCOUNT = "222222222222"


def client_error(code: str, message: str = "no", operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def denied(operation: str) -> ClientError:
    return client_error("AccessDenied", f"User is not authorized to perform {operation}", operation)


class FakeSession:
    """Stands where an AwsSession does. `answers` are by "service:Operation"; one may raise."""

    def __init__(self, answers: Mapping[str, Answer], *, concurrency: int = 4) -> None:
        self.answers = dict(answers)
        self.limits = Limits(concurrency=concurrency)
        self.partition = "aws"
        self.generation = 0
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.lock = threading.Lock()

    def region(self, name: str) -> str:
        return check_region("aws", name)

    def account_id(self) -> str:
        return ACCOUNT

    def renew(self, generation: int) -> bool:
        self.generation = generation + 1
        return True

    def client(self, service: str, region: str = "global") -> FakeClient:
        return FakeClient(self, service, self.region(region))

    def respond(self, service: str, region: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        name = f"{service}:{operation}"
        with self.lock:
            self.calls[name] += 1
            self.asked.append((name, region, params))
            number = len(self.asked)
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        response = dict(answer(**params) if callable(answer) else answer)
        return {**response, "ResponseMetadata": {"RequestId": f"request-{number}", "RetryAttempts": 0}}


class FakeClient:
    """One service's client; only operations that AWS knows, with parameters and answers that it knows."""

    def __init__(self, session: FakeSession, service: str, region: str) -> None:
        self._session, self._service, self._region = session, service, region
        self._model = base_session().get_service_model(service)
        self._operations = {xform_name(name): name for name in self._model.operation_names}

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._operations[method]
        model = self._model.operation_model(operation)

        def call(**params: Any) -> dict[str, Any]:
            _validate(params, model.input_shape)
            response = self._session.respond(self._service, self._region, operation, params)
            _validate(
                {name: part for name, part in response.items() if name != "ResponseMetadata"},
                model.output_shape,
            )
            return response

        return call


def _validate(value: Mapping[str, Any], shape: Any) -> None:
    if shape is None:
        assert not value
        return
    assert set(value) <= set(shape.members), f"{set(value) - set(shape.members)} is not in {shape.name}"
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()


@contextmanager
def pool(size: int = 4) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(size) as executor:
        yield executor


def collect(
    collector: Collector, session: FakeSession, region: str = "us-east-1", *, deadline_seconds: float = 60
) -> Collected:
    with pool() as executor:
        return collect_unit(
            session,  # type: ignore[arg-type]
            collector,
            "global" if collector.scope == "global" else region,
            pool=executor,
            deadline_seconds=deadline_seconds,
        )
