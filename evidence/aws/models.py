"""Service models cut down to what collectors declare.

botocore builds a method for each of EC2's 760 operations for every client, in every region and account; with
the declared ones alone a client is built several times faster and smaller. It is a fence as well: a client of
ours has no method that could read a secret or write anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.loaders import Loader

from evidence.collectors.base import collectors

_WHOLE = frozenset({"sts"})
"""Services whose model stays whole: botocore's own credential providers use them."""


class DeclaredLoader(Loader):
    """A loader whose service models hold the declared operations; a service nobody declared stays whole."""

    def __init__(self, declared: Mapping[str, frozenset[str]] | None = None) -> None:
        super().__init__()
        self._declared = declared_operations() if declared is None else declared
        self._cut: dict[str, dict[str, Any]] = {}

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """As botocore's; not safe for several threads at once, no more than building a client is."""
        wanted = self._declared.get(service_name)
        if type_name != "service-2" or wanted is None or service_name in _WHOLE:
            return super().load_service_model(service_name, type_name, api_version)
        if service_name not in self._cut:
            # By a loader of its own, so that the whole model isn't kept in this one's cache.
            whole = Loader().load_service_model(service_name, type_name, api_version)
            self._cut[service_name] = cut_model(whole, wanted)
        return self._cut[service_name]


def declared_operations() -> dict[str, frozenset[str]]:
    """The operations that collectors declare, by botocore's service name."""
    found: dict[str, set[str]] = {}
    for collector in collectors().values():
        for action in collector.actions:
            found.setdefault(action.service or collector.service, set()).add(action.operation)
    return {service: frozenset(operations) for service, operations in found.items()}


def cut_model(model: Mapping[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    """The model with these operations and the shapes that they reach."""
    kept = {name: body for name, body in model["operations"].items() if name in operations}
    shapes = model["shapes"]
    reached: set[str] = set()
    waiting = deque(_shape_names(kept.values()))
    while waiting:
        name = waiting.popleft()
        if name not in reached:
            reached.add(name)
            waiting.extend(_shape_names([shapes[name]]))
    return {**model, "operations": kept, "shapes": {name: shapes[name] for name in shapes if name in reached}}


def _shape_names(parts: Iterable[Any]) -> Iterator[str]:
    """The names of all shapes that a part of a model refers to."""
    waiting = deque(parts)
    while waiting:
        part = waiting.popleft()
        if isinstance(part, Mapping):
            if isinstance(part.get("shape"), str):
                yield part["shape"]
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
