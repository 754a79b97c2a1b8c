"""Whatever tenants do in whatever order: each read is allowed or refused as the oracle says, never otherwise."""

from __future__ import annotations

import os
import random

import pytest
from django.db import connection

from tests.conftest import superuser_dsn
from tests.sharing.model import World

OPERATIONS = int(os.environ.get("SHARING_OPERATIONS", "400"))

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_read_is_allowed_or_refused_as_the_oracle_says():
    seed = random.randrange(1 << 32)
    world = World(seed, superuser_dsn(connection.settings_dict["NAME"]))
    try:
        done = world.run(OPERATIONS)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    finally:
        world.close()
    assert done["shown"] > OPERATIONS / 40
    assert done["refused"] > OPERATIONS / 40
    assert done["HTTP 200"] and done["HTTP 404"]
