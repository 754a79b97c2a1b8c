"""What other tools found is shared as our own checks are: counted alike, and with the tool's name."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import SharedPosture
from assessments.posture import read_safeguards
from assessments.sharing.levels import Level
from assessments.sharing.publishing import publish_grants
from assessments.status import Status
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import make_machine
from tests.factories import make_connection, make_tenant
from tests.partnerships.factories import make_partnership
from tests.sharing.factories import grant
from tests.submissions.conftest import Pusher, ocsf

pytestmark = pytest.mark.django_db(transaction=True)
SCOPE = ("164.312(b)", "164.312(d)")
KNOWN = "s3_bucket_object_versioning"


@pytest.fixture
def partnership(transactional_db):
    upstream = make_tenant()
    made = make_partnership(upstream)
    made.tenant = upstream
    return made


@pytest.fixture
def pusher(partnership) -> Pusher:
    return Pusher(make_machine(tenant=partnership.viewer))


def _publish(partnership, level: Level) -> SharedPosture:
    """What the covered entity has of a new grant at the level."""
    made = grant(partnership, level, SCOPE)
    with open_tenant(partnership.viewer_id):
        publish_grants()
    with open_tenant(partnership.tenant_id):
        return SharedPosture.received.get(grant_id=made.pk)


def test_each_level_names_the_tool_and_no_more_than_it_promises(partnership, pusher):
    make_connection(partnership.viewer, aws_account_id="111122223333")
    pusher.push(
        [
            ocsf(KNOWN, "arn:aws:s3:::scans-of-ada"), ocsf("rdp-on-host-of-ada", "host-of-ada", account=""),
            ocsf("elsewhere", "arn:other", citations=("164.308(a)(5)(i)",)), ocsf("fine", "arn:fine", "PASS"),
        ]
    )  # fmt: skip
    shown = _publish(partnership, Level.FINDINGS)
    assert [(each["source"], each["count"], each["citations"]) for each in shown.findings] == [
        ("prowler", 1, ["164.312(b)"])
    ] * 2
    assert {each["title"] for each in shown.findings} >= {"A check of prowler"}
    assert f"prowler:{KNOWN}" in {each["check"] for each in shown.findings}
    said = json.dumps([shown.findings, shown.statuses])
    assert not any(each in said for each in ("ada", "arn:", "111122223333", "elsewhere"))
    assert shown.collected.keys() == {"164.312(b)"}
    page = sign_in(make_ready_person(Role.VIEWER, partnership.tenant)).get(
        f"/shared-with-us/{shown.grant_id}/?part=findings"
    )
    assert "seen by prowler" in page.content.decode()
    named = _publish(partnership, Level.EVIDENCE)
    assert {(each["check"], each["resources"][0]["arn"]) for each in named.findings} == {
        (f"prowler:{KNOWN}", "arn:aws:s3:::scans-of-ada"), ("prowler:rdp-on-host-of-ada", "host-of-ada"),
    }  # fmt: skip


def test_the_counts_are_those_of_the_sharers_own_page(partnership, pusher):
    pusher.push([ocsf("a", "arn:one"), ocsf("b", "arn:two", "PASS", citations=("164.312(d)",))])
    shown = _publish(partnership, Level.COUNTS)
    with open_tenant(partnership.viewer_id):
        own = {state.safeguard.citation: state for state in read_safeguards()}
    for said in shown.statuses:
        state = own[said["citation"]]
        assert (said["status"], said["failing"], said["passing"], said["outcomes"]) == (
            str(state.status), state.failing, state.passing, state.total,
        )  # fmt: skip
    inside = [own[said["citation"]].status for said in shown.statuses]
    assert shown.gaps == inside.count(Status.NOT_SATISFIED) == 1
    assert shown.evidenced == inside.count(Status.SATISFIED) == 1


def test_publishing_asks_as_much_for_many_grants_as_for_one(partnership, pusher):
    pusher.push([ocsf("a", "arn:one")])
    asked = []
    for others in (0, 3):
        for _each in range(others):
            grant(make_partnership(make_tenant(), partnership.viewer), Level.EVIDENCE, SCOPE)
        grant(partnership, Level.EVIDENCE, SCOPE)
        with open_tenant(partnership.viewer_id), CaptureQueriesContext(connection) as queries:
            publish_grants()
        asked.append(len(queries))
    assert asked[0] == asked[1]
