"""Examples use the names and types that AWS's own models give, so that no check reads a field that is never sent."""

from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from assessments.checks.base import Absent, Check, Refused
from tests.examples_kit import checks_of

SERVICES = ("s3", "ec2", "vpc", "rds")
SERVICE_OF = {"vpc": "ec2"}


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(SERVICE_OF.get(service, service))


def misfits(shape: Shape, value: Any, path: str) -> list[str]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        unknown = [f"{path}.{name}" for name in value if name not in shape.members]
        known = [(name, value[name]) for name in value if name in shape.members]
        return unknown + [
            bad for name, held in known for bad in misfits(shape.members[name], held, f"{path}.{name}")
        ]
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [bad for held in value for bad in misfits(shape.member, held, f"{path}[]")]
    scalar = {"boolean": bool, "integer": int, "string": str, "timestamp": str}.get(shape.type_name)
    return [] if scalar is type(value) else [f"{path} is {shape.type_name}"]


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=check.id) for name in SERVICES for check in checks_of(name)]
)
def test_examples_have_the_form_of_awss_answers(check: Check) -> None:
    for example in (*check.passing, *check.failing):
        for place, operations in example.items():
            for written, answers in operations.items():
                service, _, operation = written.rpartition(":")
                shape = model(service or place.partition("@")[0]).operation_model(operation).output_shape
                assert shape is not None
                for answer in answers.values():
                    if not isinstance(answer, (Absent, Refused)):
                        assert misfits(shape, answer, operation) == []
