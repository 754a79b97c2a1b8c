"""The demonstration's document of another tool."""

from __future__ import annotations

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.submitted.agreement import read_agreements
from evidence.models import Submission
from portal.demo.submissions import seed_submission
from tests.factories import make_member
from tests.submissions.conftest import Pusher


def test_it_is_sent_once_and_names_checks_that_are_compared(pusher: Pusher):
    make_member(pusher.machine.tenant, Role.SECURITY_OFFICIAL)
    seed_submission(pusher.tenant_id)
    seed_submission(pusher.tenant_id)
    with open_tenant(pusher.tenant_id):
        sent = Submission.objects.get()
    row = pusher.work(str(sent.pk))
    assert (row.state, row.problem, row.counts["opened"]) == ("accepted", "", 84)
    with open_tenant(pusher.tenant_id):
        assert len(read_agreements()) > 10
