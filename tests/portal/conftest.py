from __future__ import annotations

import pytest

from tests.collected import Collected, collect


@pytest.fixture
def collected(tenant) -> Collected:
    return collect(tenant)
