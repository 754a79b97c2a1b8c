"""What one unit has heard so far. Threads write to it at the same time; what it gives back is in order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from evidence.types import Gap


class RequestId(NamedTuple):
    """AWS's id of one answer, by the operation's recorded name and the key."""

    operation: str
    key: str
    request_id: str


class Call(NamedTuple):
    """One call: `name` is what it is recorded under, `region` where it goes."""

    service: str
    operation: str
    name: str
    region: str
    key: str
    action: str
    params: Mapping[str, Any]

    @property
    def place(self) -> tuple[str, str]:
        return self.name, self.key


@dataclass(slots=True)
class Record:
    """Answers and gaps by operation and key, and what the calls cost."""

    calls: Counter[str] = field(default_factory=Counter)
    seconds_in_aws: float = 0.0
    _asked: dict[tuple[str, str], Call] = field(default_factory=dict)
    _answers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _gaps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    _request_ids: list[RequestId] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, call: Call) -> bool:
        """Whether the call is still to be made. Raises ValueError where its key was used for another call."""
        with self._lock:
            earlier = self._asked.setdefault(call.place, call)
        if earlier != call:
            raise ValueError(f"{call.name}[{call.key!r}] was asked in two different ways")
        return earlier is call

    def keep(self, call: Call, **answer: Any) -> None:
        with self._lock:
            self._answers[call.place] = answer

    def keep_gap(self, call: Call, gap: Gap) -> None:
        with self._lock:
            self._gaps[call.place] = gap

    def forget(self, call: Call) -> None:
        with self._lock:
            for kept in (self._asked, self._answers, self._gaps):
                kept.pop(call.place, None)

    def response(self, call: Call) -> dict[str, Any] | None:
        """The recorded response; None for an absence or a gap."""
        found: dict[str, Any] | None = self._answers.get(call.place, {}).get("response")
        return found

    def count(self, call: Call, seconds: float, metadata: Mapping[str, Any]) -> None:
        """Counts one answer from its ResponseMetadata; {} where none came."""
        request_id = metadata.get("RequestId")
        with self._lock:
            self.calls[f"{call.service}:{call.operation}"] += 1 + int(metadata.get("RetryAttempts", 0))
            self.seconds_in_aws += seconds
            if request_id:
                self._request_ids.append(RequestId(call.name, call.key, str(request_id)))

    def gaps(self) -> tuple[Gap, ...]:
        return tuple(self._gaps[place] for place in sorted(self._gaps))

    def request_ids(self) -> tuple[RequestId, ...]:
        return tuple(sorted(self._request_ids))

    def calls_json(self) -> dict[str, dict[str, Any]]:
        """The `calls` of a snapshot's payload."""
        calls: dict[str, dict[str, Any]] = {}
        for name, key in sorted(self._answers):
            calls.setdefault(name, {})[key] = self._answers[name, key]
        return calls

    def gaps_json(self) -> list[dict[str, str]]:
        """The `gaps` of a snapshot's payload: without AWS's text, which may differ from day to day."""
        return [
            {
                "service": gap.service,
                "operation": name,
                "key": key,
                "reason": gap.reason.value,
                "code": gap.code,
            }
            for (name, key), gap in sorted(self._gaps.items(), key=lambda item: item[0])
        ]
