"""The Reader that collectors are handed: it calls AWS and records every answer, absence and gap."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore import xform_name
from botocore.exceptions import ClientError

from evidence.aws.errors import (
    CALL_ERRORS,
    DeadlinePassed,
    RepeatedPage,
    StillWaiting,
    error_code,
    gap_from,
    is_expiry,
)
from evidence.aws.jsonsafe import json_safe
from evidence.aws.paging import Paging, join_page, paging_of
from evidence.aws.record import Call, Record, RequestId
from evidence.aws.session import AwsSession
from evidence.collectors.base import Action, Collector, Items
from evidence.types import Gap

Item = TypeVar("Item")

_STALE_TOKEN = frozenset(
    {
        "ExpiredNextToken",
        "ExpiredNextTokenException",
        "InvalidNextToken",
        "InvalidNextTokenException",
        "InvalidPaginationToken",
        "InvalidPaginationTokenException",
    }
)
_POLL_SECONDS = 1.0
_POLL_LIMIT_SECONDS = 60.0


class UndeclaredCall(LookupError):
    """A collector called what its declaration doesn't name: a mistake in the collector."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one unit brought home.

    `payload` is the snapshot's payload (see evidence.types) and depends on AWS's answers alone; the rest is
    provenance. `gaps` carry AWS's text and the IAM action. `calls` counts HTTP requests, retries included,
    by "service:Operation". `seconds_in_aws` is the sum over all threads.
    """

    payload: dict[str, Any]
    gaps: tuple[Gap, ...]
    calls: Counter[str]
    request_ids: tuple[RequestId, ...]
    seconds_in_aws: float
    started_at: datetime
    finished_at: datetime


def collect_unit(
    session: AwsSession,
    collector: Collector,
    region: str,
    *,
    pool: ThreadPoolExecutor,
    deadline_seconds: float = 300,
) -> Collected:
    """Runs one collector in one region (GLOBAL for a collector of the whole account).

    Raises AwsCallFailed or WrongAccount where the account itself can't be entered, ValueError for an unknown
    region; everything that AWS refuses afterwards is a gap.
    """
    started_at, deadline = datetime.now(UTC), time.monotonic() + deadline_seconds
    reader = AwsReader(session, collector, region, pool, deadline)
    collector.collect(reader)
    return Collected(
        payload=reader.payload(),
        gaps=reader.record.gaps(),
        calls=reader.record.calls,
        request_ids=reader.record.request_ids(),
        seconds_in_aws=reader.record.seconds_in_aws,
        started_at=started_at,
        finished_at=datetime.now(UTC),
    )


@dataclass(slots=True)
class AwsReader:
    """Reads for one collector in one region. `deadline` is a time.monotonic() value."""

    session: AwsSession
    collector: Collector
    region: str
    pool: ThreadPoolExecutor
    deadline: float
    pause: Callable[[float], None] = time.sleep
    account_id: str = field(init=False)
    partition: str = field(init=False)
    record: Record = field(init=False, repr=False, default_factory=Record)
    _declared: Mapping[tuple[str, str], Action] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.session.region(self.region)  # a ValueError for an unknown region comes before any call
        self.account_id = self.session.account_id()
        self.partition = self.session.partition
        self._declared = {
            (action.service or self.collector.service, action.operation): action
            for action in self.collector.actions
        }

    def get(
        self,
        operation: str,
        *,
        key: str = "",
        absent: Iterable[str] = (),
        service: str = "",
        region: str = "",
        **params: Any,
    ) -> dict[str, Any] | None:
        """See Reader.get. Asking the same again gives the recorded answer without a call."""
        call = self._plan(operation, key, service, region, params)
        return self._answer(call, absent, self._one_response)

    def list(
        self,
        operation: str,
        field: str,
        *,
        key: str = "",
        absent: Iterable[str] = (),
        service: str = "",
        region: str = "",
        **params: Any,
    ) -> Items:
        """See Reader.list. All of the pages' lists are recorded; the one in `field` is returned."""
        call = self._plan(operation, key, service, region, params)
        response = self._answer(call, absent, self._all_pages)
        items: Items = [] if response is None else response.get(field) or []
        return items

    def wait_for(self, operation: str, *, until: Callable[[dict[str, Any]], bool], **params: Any) -> bool:
        """See Reader.wait_for. Gives up after a minute, or at the deadline, with a gap."""
        call = self._plan(operation, "", "", "", params)
        give_up = min(self.deadline, time.monotonic() + _POLL_LIMIT_SECONDS)
        while True:
            self.record.forget(call)
            response = self._answer(call, (), self._one_response)
            if response is None or until(response):
                return response is not None
            if time.monotonic() + _POLL_SECONDS > give_up:
                self.record.forget(call)
                self._keep_gap(call, StillWaiting())
                return False
            self.pause(_POLL_SECONDS)

    def each(self, function: Callable[[Item], None], items: Iterable[Item]) -> None:
        """See Reader.each. The calling thread works too, so a busy pool delays but never blocks."""
        waiting = deque(items)

        def work() -> None:
            while waiting:
                try:
                    item = waiting.popleft()
                except IndexError:  # another thread took the last one
                    return
                function(item)

        helpers = min(len(waiting), self.session.limits.concurrency) - 1
        futures = [self.pool.submit(work) for _ in range(helpers)]
        try:
            work()
        finally:
            waiting.clear()
            for future in futures:
                if not future.cancel():
                    future.result()

    def payload(self) -> dict[str, Any]:
        """The snapshot's payload; the same answers give the same payload, whatever order they came in."""
        return {
            "collector": self.collector.name,
            "version": self.collector.version,
            "account_id": self.account_id,
            "partition": self.partition,
            "region": self.region,
            "calls": self.record.calls_json(),
            "gaps": self.record.gaps_json(),
        }

    def _plan(self, operation: str, key: str, service: str, region: str, params: Mapping[str, Any]) -> Call:
        service = service or self.collector.service
        action = self._declared.get((service, operation))
        if action is None:
            raise UndeclaredCall(f"{self.collector.name} calls {service}:{operation} without declaring it")
        name = operation if service == self.collector.service else f"{service}:{operation}"
        return Call(service, operation, name, region or self.region, key, action.name, params)

    def _answer(
        self, call: Call, absent: Iterable[str], fetch: Callable[[Call], dict[str, Any]]
    ) -> dict[str, Any] | None:
        if not self.record.begin(call):
            return self.record.response(call)
        try:
            self.record.keep(call, response=fetch(call))
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) in set(absent):
                self.record.keep(call, absent=error_code(error))
            else:
                self._keep_gap(call, error)
        return self.record.response(call)

    def _keep_gap(self, call: Call, error: Exception) -> None:
        gap = gap_from(
            error,
            service=call.service,
            operation=call.operation,
            region=call.region,
            key=call.key,
            action=call.action,
        )
        self.record.keep_gap(call, gap)

    def _one_response(self, call: Call) -> dict[str, Any]:
        return json_safe(self._request(call, call.params), service=call.service)

    def _all_pages(self, call: Call) -> dict[str, Any]:
        paging = paging_of(call.service, call.operation)
        if paging is None:
            return self._one_response(call)
        try:
            return self._joined_pages(call, paging)
        except ClientError as error:
            if error_code(error) not in _STALE_TOKEN:
                raise
            return self._joined_pages(call, paging)  # a token went stale on the way: once from the first page

    def _joined_pages(self, call: Call, paging: Paging) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        seen: set[tuple[Any, ...]] = set()
        token: dict[str, Any] = {}
        while True:
            page = self._request(call, {**call.params, **token})
            safe = json_safe(page, service=call.service, without=paging.token_fields)
            join_page(joined, safe, paging.results)
            token = paging.next_params(page)
            if not token:
                return joined
            if (mark := tuple(token.values())) in seen:
                raise RepeatedPage(pages=len(seen) + 1)
            seen.add(mark)

    def _request(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """One request, with one more try where the session had expired."""
        generation = self.session.generation
        try:
            return self._counted(call, params)
        except ClientError as error:
            if not is_expiry(error) or not self.session.renew(generation):
                raise
        return self._counted(call, params)

    def _counted(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        if started > self.deadline:
            raise DeadlinePassed
        method = getattr(self.session.client(call.service, call.region), xform_name(call.operation))
        metadata: Mapping[str, Any] = {}
        try:
            response: dict[str, Any] = method(**params)
            metadata = response.get("ResponseMetadata", {})
        except ClientError as error:
            metadata = error.response.get("ResponseMetadata", {})
            raise
        finally:
            self.record.count(call, time.monotonic() - started, metadata)
        return response
