"""Evaluates checks on answers written as dict literals, and takes fields out of examples one by one."""

from collections.abc import Iterator, Mapping
from typing import Any

from assessments.checks.base import Check, Example, Outcome, Result, checks, seen_in_example
from assessments.checks.engine import evaluate
from evidence.collectors.base import Scope, collectors

REGION = "us-east-1"


def checks_of(service: str) -> list[Check]:
    """All checks of one folder, or a failure where there are none."""
    found = [check for check in checks().values() if check.service == service]
    assert found, f"no checks of {service}"
    return found


def results(check_id: str, example: Example) -> list[Result]:
    """What a check says of answers in short form, in every region that they name."""
    everywhere = {name for name, collector in collectors().items() if collector.scope is Scope.GLOBAL}
    places = {place.partition("@")[2] or REGION for place in example}
    return list(
        evaluate([checks()[check_id]], seen_in_example(example, global_collectors=everywhere), places)
    )


def outcomes(check_id: str, example: Example) -> dict[str, Outcome]:
    """The outcome by the resource's name."""
    return {result.name: result.outcome for result in results(check_id, example)}


def only(check_id: str, example: Example) -> Outcome:
    """The outcome of a single resource."""
    (result,) = results(check_id, example)
    return result.outcome


def without_each_field(
    example: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The example without one operation, key or field, for each of them, and where that was."""
    if isinstance(example, Mapping):
        for name, value in example.items():
            if path:
                yield (*path, name), {other: kept for other, kept in example.items() if other != name}
            for place, changed in without_each_field(value, (*path, name)):
                yield place, {**example, name: changed}
    elif isinstance(example, list):
        for number, value in enumerate(example):
            for place, changed in without_each_field(value, (*path, number)):
                yield place, [*example[:number], changed, *example[number + 1 :]]


def assert_no_field_is_relied_on(service: str, meaningful: Mapping[tuple[str, str], str]) -> None:
    """Without any one field no check of a service raises, and none passes what it failed before.

    `meaningful`: (check, field) whose absence is AWS's way to say that there is no such thing, and why.
    """
    for check in checks_of(service):
        for example in (*check.passing, *check.failing):
            before = [result.outcome for result in results(check.id, example)].count(Outcome.PASS)
            for path, changed in without_each_field(example):
                after = [result.outcome for result in results(check.id, changed)].count(Outcome.PASS)
                if (check.id, path[-1]) not in meaningful:
                    assert after <= before, f"{check.id} passes without {path}"
