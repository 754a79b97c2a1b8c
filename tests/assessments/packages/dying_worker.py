"""A worker that stops in the middle of a package, to be killed there: says "middle" and waits for its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import django

django.setup()

from assessments.packages import contents  # noqa: E402 (Django first)
from assessments.packages.build import build_package  # noqa: E402

WHOLE = contents.evidence_parts


def half(pieces: list[Any], *others: Any) -> Iterator[Any]:
    """Half of the evidence, and then nothing any more."""
    yield from WHOLE(pieces[: len(pieces) // 2], *others)
    print("middle", flush=True)  # noqa: T201 (to whoever kills it)
    time.sleep(600)


contents.evidence_parts = half  # type: ignore[assignment]
tenant_id, package_id = map(UUID, sys.argv[1:])
while build_package(tenant_id=tenant_id, package_id=package_id):
    time.sleep(0.1)
