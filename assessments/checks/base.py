"""What a check is: a pure function from what was seen of a resource to an outcome.

A check's file name is its id, unique over all folders:

    # assessments/checks/s3/s3_bucket_versioning.py
    def judge(bucket: Resource, seen: Seen) -> Verdict:
        versioning = seen["s3"].get("GetBucketVersioning", bucket.name) or {}
        if versioning.get("Status") == "Enabled":
            return passed("versioning is enabled")
        return failed(f"versioning is {versioning.get('Status', 'never enabled')}")

    CHECK = Check(
        title="S3 buckets keep earlier versions of objects",
        severity=Severity.MEDIUM,
        collectors=("s3",),
        supports=("164.308(a)(7)(ii)(A)", "164.312(c)(1)"),
        rationale="...", expected="Versioning is enabled.",
        fix=Fix(console="...", cli="aws s3api put-bucket-versioning ...", terraform="..."),
        resources=subjects.buckets, judge=judge,
        passing=({"s3": {"ListBuckets": {"": {"Buckets": [{"Name": "logs"}]}},
                         "GetBucketVersioning": {"logs": {"Status": "Enabled"}}}},),
        failing=(...,),
    )

Reading an answer that was not seen raises Unseen, which the engine turns into UNKNOWN: a check needs no
code for what was denied.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from assessments.rule.model import SECURITY_RULE
from evidence.types import GLOBAL, Answers, Gap, GapReason, Json, Seen


class Outcome(StrEnum):
    """What a check says of one resource."""

    PASS = "PASS"  # noqa: S105 (an outcome, not a password)
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Severity(StrEnum):
    """How much a failing outcome matters, most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class Resource(NamedTuple):
    """The AWS thing that an outcome is about. `data` is what the listing said of it."""

    arn: str
    name: str
    kind: str
    region: str
    data: Json


class Verdict(NamedTuple):
    """A check's word on one resource, with what was observed as a sentence without final stop."""

    outcome: Outcome
    observed: str


class Result(NamedTuple):
    """An outcome with the resource it is about; `gap` is set where the outcome is UNKNOWN for want of an answer."""

    check_id: str
    outcome: Outcome
    observed: str
    arn: str
    name: str
    kind: str
    region: str
    scope: str
    gap: Gap | None = None


def passed(observed: str) -> Verdict:
    """The resource is as expected."""
    return Verdict(Outcome.PASS, observed)


def failed(observed: str) -> Verdict:
    """The resource is not as expected."""
    return Verdict(Outcome.FAIL, observed)


def unknown(observed: str) -> Verdict:
    """What was seen does not decide it."""
    return Verdict(Outcome.UNKNOWN, observed)


def not_applicable(observed: str) -> Verdict:
    """The expectation does not concern this resource."""
    return Verdict(Outcome.NOT_APPLICABLE, observed)


class Absent(NamedTuple):
    """In an example: AWS said, by this error code, that there is no such setting."""

    code: str


class Refused(NamedTuple):
    """In an example: the call gave no answer."""

    reason: GapReason = GapReason.DENIED


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend it: in the console (steps), with the AWS CLI, in Terraform. At least one is given."""

    console: str = ""
    cli: str = ""
    terraform: str = ""

    def __post_init__(self) -> None:
        if not (self.console or self.cli or self.terraform):
            raise ValueError("a fix names at least one way: console, cli or terraform")


class Per(StrEnum):
    """Whether a check is evaluated once in every region or once for the account."""

    REGION = "region"
    ACCOUNT = "account"


Example = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. Cannot be constructed malformed: each ValueError names the remedy.

    `collectors`: what it reads, its own subject first. `supports`: citations of the Security Rule that a
    passing outcome is evidence for. `resources` lists what to judge in one region (or in the account, for
    `per=Per.ACCOUNT`); `judge` gives the verdict on one.
    Examples are answers in short form, {collector: {operation: {key: response | Absent | Refused}}}, seen in
    us-east-1 of account 111122223333 on 2026-01-15.
    """

    title: str
    severity: Severity
    collectors: tuple[str, ...]
    supports: tuple[str, ...]
    rationale: str
    expected: str
    fix: Fix
    resources: Callable[[Seen], Iterable[Resource]]
    judge: Callable[[Resource, Seen], Verdict]
    passing: tuple[Example, ...]
    failing: tuple[Example, ...]
    per: Per = Per.REGION
    id: str = ""
    service: str = ""

    def __post_init__(self) -> None:
        if not self.collectors:
            raise ValueError(f"{self.title}: name the collectors that the check reads")
        if not self.passing or not self.failing:
            raise ValueError(f"{self.title}: give at least one passing and one failing example")
        for citation in self.supports:
            if citation not in SECURITY_RULE:
                raise ValueError(f"{self.title}: {citation} is not in the Security Rule's catalogue")
        if not self.supports:
            raise ValueError(f"{self.title}: name the citations that the check supports")
        if self.title.endswith(".") or not self.expected.endswith(".") or not self.rationale.endswith("."):
            raise ValueError(f"{self.title}: a title has no final stop; rationale and expected are sentences")


@cache
def checks() -> Mapping[str, Check]:
    """Every check by id, sorted. Raises ValueError for a module without a CHECK or an id used twice."""
    import assessments.checks as package

    found: dict[str, Check] = {}
    for folder in pkgutil.iter_modules(package.__path__):
        if not folder.ispkg or folder.name == "subjects":
            continue
        path = f"{package.__name__}.{folder.name}"
        for module in pkgutil.iter_modules(importlib.import_module(path).__path__):
            if module.name in found:
                raise ValueError(f"{path}.{module.name}: another folder has a check of this id")
            found[module.name] = _load(f"{path}.{module.name}", module.name, folder.name)
    return dict(sorted(found.items()))


def _load(path: str, name: str, service: str) -> Check:
    check = getattr(importlib.import_module(path), "CHECK", None)
    if not isinstance(check, Check):
        raise ValueError(f"{path} defines no CHECK")  # noqa: TRY004 (a malformed file, not a wrong argument)
    if not re.fullmatch(rf"{service}_[a-z0-9_]+", name):
        raise ValueError(f"{path}: a check's id starts with its folder's name, {service}_")
    object.__setattr__(check, "id", name)
    object.__setattr__(check, "service", service)
    return check


EXAMPLE_TIME = datetime(2026, 1, 15, 12, tzinfo=UTC)


def seen_in_example(
    example: Example, *, region: str = "us-east-1", global_collectors: Iterable[str] = ()
) -> Seen:
    """Builds what a check sees from an example's short form.

    A collector named `name@region` is seen in that region; others in `region`, which for a global collector
    works too, since it is looked up wherever it was seen.
    """
    answers: dict[tuple[str, str], Answers] = {}
    for place, operations in example.items():
        collector, _, where = place.partition("@")
        where = where or (GLOBAL if collector in set(global_collectors) else region)
        answers[collector, where] = _example_answers(collector, where, operations)
    return Seen("111122223333", "aws", region, EXAMPLE_TIME, answers)


def _example_answers(collector: str, region: str, operations: Mapping[str, Mapping[str, Any]]) -> Answers:
    calls: dict[str, dict[str, Json]] = {}
    gaps: dict[tuple[str, str], Gap] = {}
    for operation, answers in operations.items():
        for key, answer in answers.items():
            if isinstance(answer, Refused):
                gaps[operation, key] = Gap(collector, operation, region, answer.reason, key)
            elif isinstance(answer, Absent):
                calls.setdefault(operation, {})[key] = {"absent": answer.code}
            else:
                calls.setdefault(operation, {})[key] = {"response": answer}
    return Answers(collector, region, calls, gaps)
