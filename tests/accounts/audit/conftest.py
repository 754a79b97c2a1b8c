"""A database of each test's own, since the sealer works on all tenants: cloned from the migrated template."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from accounts.audit.anchor import DirectoryAnchor
from tests import conftest
from tests.accounts.audit.kit import Log


@pytest.fixture
def log(django_db_setup: None, transactional_db: None, tmp_path: Path) -> Iterator[Log]:
    """The audit log of a fresh database, and its sealer; Django is connected to it as portal_app."""
    name = f"surety_log_{secrets.token_hex(6)}"
    with conftest._Locked("template"):
        conftest._recreate(name, conftest.TEMPLATE)
    default = connections["default"]
    before = default.settings_dict["NAME"]
    default.close()
    default.settings_dict["NAME"] = name
    found = Log(name, DirectoryAnchor(tmp_path / "anchor"))
    try:
        yield found
    finally:
        found.close()
        default.close()
        default.settings_dict["NAME"] = before
        with psycopg.connect(conftest.superuser_dsn(), autocommit=True) as database:
            database.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
