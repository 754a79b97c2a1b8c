"""What a collector is: a name, the IAM actions it needs, and a function from a reader to recorded answers.

A collector's file is its name:

    # evidence/collectors/secretsmanager.py
    def collect(aws: Reader) -> None:
        aws.list("ListSecrets", "SecretList")

    COLLECTOR = Collector(
        title="Secrets Manager",
        service="secretsmanager",
        scope=Scope.REGIONAL,
        version=1,
        actions=(Action("secretsmanager:ListSecrets", "ListSecrets", "Secrets, their keys and rotation; never values."),),
        collect=collect,
    )
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item")
Items = list[Any]
"""A listing's items. Named here because inside of Reader the word `list` means its method."""


class Scope(StrEnum):
    """Whether a collector runs once per account or once per region."""

    GLOBAL = "global"
    REGIONAL = "regional"


class Reader(Protocol):
    """Reads one AWS service in one region and records every answer and every gap.

    Methods never raise for what AWS refuses: the refusal is recorded as a gap and the caller goes on with
    None or an empty list, so that the rest is still collected.
    """

    account_id: str
    partition: str
    region: str

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
        """Calls an operation (its API name, "GetBucketPolicy") and returns the response.

        `key` names what the call is about and must be unique within the operation. `absent` lists error codes
        that mean "there is no such setting", which is an answer. None: absent, or a gap.
        """

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
        """Calls an operation to its last page and returns the joined list in `field`. A gap returns []."""

    def wait_for(self, operation: str, *, until: Callable[[dict[str, Any]], bool], **params: Any) -> bool:
        """Calls an operation again and again until the response satisfies; the last answer is recorded.

        False: a gap, which is also what is recorded when the waiting takes too long.
        """

    def each(self, function: Callable[[Item], None], items: Iterable[Item]) -> None:
        """Runs a function for every item, several at a time. The function must not call `each` itself."""


@dataclass(frozen=True, slots=True)
class Action:
    """An IAM action, the API operation that it permits (of the collector's service unless named), and why."""

    name: str
    operation: str
    why: str
    service: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", self.name):
            raise ValueError(f"{self.name!r} is no IAM action; write it as service:Action, without wildcards")
        if not self.why.endswith("."):
            raise ValueError(f"{self.name}: say why the action is needed, as a sentence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One collector. `version` grows when what it calls changes, so that provenance can tell."""

    title: str
    service: str
    scope: Scope
    version: int
    actions: tuple[Action, ...]
    collect: Callable[[Reader], None]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError(f"{self.title}: declare the IAM actions that the collector needs")
        operations = [(action.service or self.service, action.operation) for action in self.actions]
        if len(set(operations)) != len(operations):
            raise ValueError(f"{self.title}: an operation is declared twice")


@cache
def collectors() -> Mapping[str, Collector]:
    """Every collector by name, sorted. Raises ValueError for a module without a COLLECTOR."""
    import evidence.collectors as package

    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "base")
    return {name: _load(f"{package.__name__}.{name}", name) for name in names}


def _load(path: str, name: str) -> Collector:
    found = getattr(importlib.import_module(path), "COLLECTOR", None)
    if not isinstance(found, Collector):
        raise ValueError(f"{path} defines no COLLECTOR")  # noqa: TRY004  a module is no type
    object.__setattr__(found, "name", name)
    return found
