"""Answers to operations that moto lacks, from moto's resources and from what was set through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.demo.aws.state import StandInState
from portal.demo.aws.wire import Call

Answer = Callable[[Call, str, StandInState], dict[str, Any]]

ANSWERS: dict[str, Answer] = {}


def answers(name: str) -> Callable[[Answer], Answer]:
    """Register the answer to ``service:Operation`` (botocore's names)."""

    def register(function: Answer) -> Answer:
        ANSWERS[name] = function
        return function

    return register
