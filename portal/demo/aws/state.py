"""What the stand-in knows beside moto: callers, faults, counts, organisation policies and set answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portal.demo.aws.callers import CallerBook
from portal.demo.aws.faults import FaultBook
from portal.demo.aws.policy import Document, statements
from portal.demo.aws.wire import Call

_FULL_ACCESS = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class CallKey(NamedTuple):
    name: str
    account_id: str
    region: str


@dataclass(frozen=True)
class SetAnswer:
    """An answer that the demonstration or a test put in place of moto's.

    ``when`` narrows it to calls whose parameters hold these values; ``result`` follows botocore's output
    shape. ``None`` for account or region means any.
    """

    name: str
    result: Mapping[str, Any]
    account: str | None = None
    region: str | None = None
    when: Mapping[str, Any] = field(default_factory=dict)

    def answers(self, call: Call, account_id: str) -> bool:
        return (
            self.name == call.name
            and self.account in (None, account_id)
            and self.region in (None, call.region)
            and (not self.when or all(call.params.get(key) == value for key, value in self.when.items()))
        )


class StandInState:
    """Everything that outlives one request. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.callers = CallerBook()
        self.faults = FaultBook()
        self._counts: Counter[CallKey] = Counter()
        self._organisation: dict[str, Document] = {}
        self._settings: dict[tuple[str, str, str], Any] = {}
        self._answers: list[SetAnswer] = []

    def forget_everything(self) -> None:
        """Start anew, sessions included."""
        self.callers = CallerBook()
        self.faults.clear()
        with self._lock:
            self._counts.clear()
            self._organisation.clear()
            self._settings.clear()
            self._answers.clear()

    def count(self, call: Call, account_id: str) -> None:
        with self._lock:
            self._counts[CallKey(call.name, account_id, call.region)] += 1

    def counts(self) -> dict[CallKey, int]:
        with self._lock:
            return dict(self._counts)

    def forget_counts(self) -> None:
        with self._lock:
            self._counts.clear()

    def set_organisation_policy(self, account_id: str, document: Document | None) -> None:
        """Attach a service control policy. One that only denies stands beside AWS's FullAWSAccess."""
        with self._lock:
            if document is None:
                self._organisation.pop(account_id, None)
                return
            written = statements(document)
            if all(each.get("Effect") == "Deny" for each in written):
                written = [_FULL_ACCESS, *written]
            self._organisation[account_id] = {**document, "Statement": written}

    def organisation_policy(self, account_id: str) -> Document | None:
        return self._organisation.get(account_id)

    def setting(self, account_id: str, region: str, key: str, default: Any) -> Any:
        return self._settings.get((account_id, region, key), default)

    def set_setting(self, account_id: str, region: str, key: str, value: Any) -> None:
        with self._lock:
            self._settings[(account_id, region, key)] = value

    def drop_setting(self, account_id: str, region: str, key: str) -> None:
        with self._lock:
            self._settings.pop((account_id, region, key), None)

    def set_answer(self, answer: SetAnswer) -> None:
        with self._lock:
            self._answers.insert(0, answer)

    def set_answer_for(self, call: Call, account_id: str) -> SetAnswer | None:
        """The latest answer that fits the call."""
        if not self._answers:
            return None
        return next((each for each in list(self._answers) if each.answers(call, account_id)), None)
