"""The public cases of SCIM conformance (scim2-tester) by a public client, over HTTP against a running server."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import httpx2
import pytest
import scim2_tester.filling
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.accounts.scim_client import make_provider

ALWAYS_ACTIVE_OR_NOT = "check_remove_attribute (User): PATCH modify() did not remove attribute 'active'"
"""Whether a user is active is whether there is a membership, which can't be neither: removing it changes nothing."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider(transactional_db):
    return make_provider()


@pytest.fixture
def addresses_of_the_tenant(provider, monkeypatch):
    """The cases make addresses up at random domains, which the portal refuses on purpose."""
    random_value = scim2_tester.filling.generate_random_value

    def value(context, path, *args, **kwargs):
        made = random_value(context, path, *args, **kwargs)
        return (
            f"{uuid4()}@{provider.domain}"
            if made and str(path).endswith(("userName", "emails.value"))
            else made
        )

    for module in ("filling", "checkers.patch_add", "checkers.patch_replace", "checkers.patch_remove"):
        monkeypatch.setattr(f"scim2_tester.{module}.generate_random_value", value, raising=False)


def test_the_public_cases_of_conformance_hold(provider, live_server, addresses_of_the_tenant):
    http = httpx2.Client(
        base_url=f"{live_server.url}/scim/v2",
        headers={"Authorization": f"Bearer {provider.text}"},
        timeout=180,
    )
    with http:
        results = check_server(SyncSCIMClient(http))
    wrong = {
        f"{result.title} ({result.resource_type}): {result.reason}"
        for result in results
        if result.status not in {Status.SUCCESS, Status.SKIPPED, Status.ACCEPTABLE}
    }
    assert wrong - {ALWAYS_ACTIVE_OR_NOT} == set()
    counted = Counter(result.status.name for result in results)
    assert counted["SUCCESS"] >= 60, counted
