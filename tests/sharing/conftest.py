from __future__ import annotations

import pytest
from django.test import Client

from accounts.permissions import Role
from tests.accounts.factories import make_ready_person, sign_in
from tests.collected import collect
from tests.factories import make_tenant
from tests.partnerships.factories import make_partnership


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("assessments.timers.services.ring_after_commit", lambda *_: None)


@pytest.fixture
def partnership():
    """A hospital and a business associate whose evidence was collected."""
    upstream = make_tenant()
    made = make_partnership(upstream)
    made.tenant = upstream
    collect(made.viewer, versioned={"secretbucket-logs": True, "secretbucket-scans": False})
    return made


@pytest.fixture
def hospital(partnership) -> Client:
    return sign_in(make_ready_person(Role.VIEWER, partnership.tenant))


@pytest.fixture
def vendor(partnership) -> Client:
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, partnership.viewer))
