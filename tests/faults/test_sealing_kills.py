"""The sealer is killed and PostgreSQL stops at once while writers append: nothing acknowledged is lost or doubled, and
the log has no gap and no wrong signature. bench/audit.py does it two hundred times."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from accounts.models import Tenant
from accounts.tenancy.models import new_id
from portal.embedded import Role, postgres_address, running_servers
from tests.embedded.conftest import remove_state
from tests.faults.sealing import KilledLog

KILLS = 6
CHECKOUT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("kills")


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="surety-sealing-"))
    environment = {**os.environ, "SURETY_STATE": str(folder), "SURETY_DATABASE_ROLE": "migrate"}
    with running_servers(folder, redis=False):
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"], cwd=CHECKOUT,
            env=environment, check=True,
        )  # fmt: skip
        yield folder
    remove_state(folder)


def insert_tenant(state: Path) -> UUID:
    """Into a database that Django isn't connected to."""
    key = new_id()
    tenant = Tenant(
        id=key, name="A hospital", slug=str(key), kind="covered_entity", created_at=datetime.now(UTC)
    )
    fields = Tenant._meta.concrete_fields
    statement = (
        f"insert into accounts_tenant ({', '.join(str(each.column) for each in fields)})"
        f" values ({', '.join(['%s'] * len(fields))})"
    )
    with psycopg.connect(postgres_address(state).dsn(Role.SUPERUSER)) as database:
        database.execute(statement, [getattr(tenant, each.attname) for each in fields])
    return key


def test_kills_in_mid_seal_lose_double_and_skip_nothing(state):
    log = KilledLog(state, [insert_tenant(state) for _ in range(2)])
    found = log.run(kills=KILLS, postgres_share=1 / 3, seed=random.randrange(10**6))
    assert found.kills.total() == KILLS
    assert found.acknowledged > 50
    assert (found.lost, found.doubled, found.gaps, found.wrong) == (0, 0, 0, 0)
    assert found.leaves == log.query("select count(*) n from accounts_auditentry")[0]["n"]
    assert found.checkpoints >= 2  # one of each tenant at least; how many more depends on the machine
