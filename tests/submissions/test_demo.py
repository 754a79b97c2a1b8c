"""The demonstration's documents, as its client pushes them."""

from __future__ import annotations

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.submitted.agreement import read_agreements
from evidence.models import Submission
from portal.demo.submissions import seed_submissions
from tests.factories import make_member
from tests.submissions.conftest import Pusher

PARAMETERS = {"to": "effective_to", "for": "citations"}


def test_they_are_pushed_once_and_are_compared_counted_and_held_back(pusher: Pusher):
    make_member(pusher.machine.tenant, Role.SECURITY_OFFICIAL)
    made = []

    def push(_secret, each):
        said = {PARAMETERS.get(name, name): value for name, value in each.said.items()}
        made.append(pusher.push(each.path.read_bytes(), **said))

    seed_submissions(pusher.tenant_id, push)
    seed_submissions(pusher.tenant_id, push)
    assert [(row.state, row.problem, row.counts.get("opened")) for row in made] == [
        ("accepted", "", 84), ("accepted", "", 8), ("quarantined", "", None),
    ]  # fmt: skip
    with open_tenant(pusher.tenant_id):
        assert Submission.objects.count() == 3
        assert len(read_agreements()) > 10
