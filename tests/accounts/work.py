"""What an answer costs apart from the machine: its statements and its hashes of passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.hashers import CheapArgon2

_KIND = re.compile(r'^(select|insert into|update|delete from)\b.*?"(\w+)"', re.IGNORECASE | re.DOTALL)


@dataclass
class Work:
    statements: list[str] = field(default_factory=list)
    """Each by its verb and its first table."""
    hashes: int = 0


@contextmanager
def work_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """What this thread does inside."""
    work, encode = Work(), CheapArgon2.encode
    verify = CheapArgon2.verify

    def encoding(*given: str) -> str:
        work.hashes += 1
        return str(encode(*given))

    def verifying(*given: str) -> bool:
        work.hashes += 1
        return bool(verify(*given))

    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as said:
        patch.setattr(CheapArgon2, "encode", encoding)
        patch.setattr(CheapArgon2, "verify", verifying)
        yield work
    for each in said:
        found = _KIND.match(each["sql"])
        work.statements.append(f"{found[1]} {found[2]}".lower() if found else each["sql"].split(" ")[0])
