"""What this suite relies on of its runner."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("each", ["plain", "with @ and ]"])
def test_groups_hold(each, request):
    """A group's tests run in one worker; where that fails, each worker makes what they share, and CI takes too long."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@together")
