"""What is shared follows the posture: written when something changed, for those alone who are shown it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import NotFound
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_timers
from assessments.models import Partnership, SharedPosture, SharedPosturePoint, SharingGrant, Timer
from assessments.sharing.levels import Level
from assessments.sharing.publishing import PUBLISH, publish_grants
from assessments.timers.services import run_timer
from evidence.models import AwsConnection
from tasks.timers import HANDLERS
from tests.collected import collect
from tests.partnerships.factories import make_partnership
from tests.sharing.factories import SCOPE, grant

pytestmark = pytest.mark.django_db(transaction=True)


def _publish(partnership):
    with open_tenant(partnership.viewer_id):
        return publish_grants()


def _shown(partnership) -> SharedPosture:
    with open_tenant(partnership.tenant_id):
        return SharedPosture.received.get()


def _mend(partnership) -> None:
    """Every bucket keeps versions from now on."""
    with open_tenant(partnership.viewer_id):
        aws = AwsConnection.objects.get()
    collect(partnership.viewer, versioned={"a": True, "b": True}, at=timezone.now(), connection=aws)


def _ring(partnership) -> int:
    """Lets the worker do what is due for the downstream party; how many timers acted."""
    due = due_timers(timezone.now() + timedelta(seconds=1), 100_000)
    mine = [row for tenant, row in due if tenant == partnership.viewer_id]
    return sum(run_timer(tenant_id=partnership.viewer_id, timer_id=row, handlers=HANDLERS) for row in mine)


def test_an_evaluation_has_the_worker_publish_what_changed(partnership):
    grant(partnership, Level.FINDINGS)
    _ring(partnership)
    before = _shown(partnership)
    _mend(partnership)
    assert _shown(partnership).digest == before.digest, "the evaluation itself writes nothing to others"
    assert _ring(partnership) == 1
    after = _shown(partnership)
    assert before.findings and before.digest != after.digest
    assert "s3_bucket_versioning" not in {each["check"] for each in after.findings}
    assert after.as_of > before.as_of
    assert after.oldest_evidence_at > before.oldest_evidence_at


def test_without_a_grant_an_evaluation_asks_for_nothing(partnership):
    with open_tenant(partnership.viewer_id):
        assert not Timer.objects.filter(kind=PUBLISH).exists()


def test_what_is_unchanged_is_not_written_again_but_its_freshness(partnership):
    grant(partnership, Level.COUNTS)
    before = _shown(partnership)
    with open_tenant(partnership.viewer_id):
        aws = AwsConnection.objects.get()
    collect(
        partnership.viewer,
        versioned={"secretbucket-logs": True, "secretbucket-scans": False},
        at=timezone.now(),
        connection=aws,
    )
    done = _publish(partnership)
    after = _shown(partnership)
    assert (done.changed, done.points) == (0, 0)
    assert after.oldest_evidence_at > before.oldest_evidence_at
    assert after.digest == before.digest


def test_at_the_level_of_status_alone_freshness_is_not_shown(partnership):
    grant(partnership, Level.STATUS)
    shown = _shown(partnership)
    assert (shown.oldest_evidence_at, shown.collected, shown.findings, shown.evidence) == (None, {}, [], [])
    assert {tuple(sorted(each)) for each in shown.statuses} == {("citation", "status")}
    assert shown.as_of == shown.published_at


def test_the_history_has_a_point_for_each_change_of_the_counts(partnership):
    grant(partnership, Level.COUNTS, SCOPE)
    _publish(partnership)
    _mend(partnership)
    _publish(partnership)
    _publish(partnership)
    with open_tenant(partnership.tenant_id):
        points = list(SharedPosturePoint.received.order_by("at"))
    assert len(points) == 2
    assert points[0].gaps > points[1].gaps


def test_the_counts_are_those_of_the_statuses(partnership):
    grant(partnership, Level.STATUS)
    shown = _shown(partnership)
    said = [each["status"] for each in shown.statuses]
    assert shown.gaps == said.count("not_satisfied") > 0
    assert shown.evidenced == said.count("satisfied")
    assert shown.not_evidenced + shown.undetermined == said.count("undetermined")
    assert shown.required_gaps <= shown.gaps


def test_equal_scopes_are_composed_once(partnership):
    others = [make_partnership(downstream=partnership.viewer) for _ in range(3)]
    for each in (partnership, *others):
        grant(each, Level.COUNTS)
    grant(others[-1], Level.STATUS)
    done = _publish(partnership)
    assert (done.grants, done.contents) == (4, 2)


def test_a_grant_that_begins_later_is_published_when_it_begins(partnership):
    made = grant(partnership, begins_at=timezone.now() + timedelta(hours=1))
    with open_tenant(partnership.viewer_id):
        timer = Timer.objects.get(kind=PUBLISH, row_id=made.pk)
        assert not SharedPosturePoint.objects.exists()
    assert timer.due_at == made.shown_from


def test_publishing_never_brings_back_what_was_revoked(partnership):
    made = grant(partnership)
    with open_tenant(partnership.viewer_id):
        SharingGrant.objects.update(withdrawn_at=timezone.now())
        SharedPosture.objects.update(withdrawn_at=timezone.now())
        SharedPosturePoint.objects.update(withdrawn_at=timezone.now())
    _mend(partnership)
    assert _publish(partnership).grants == 0
    with open_tenant(partnership.tenant_id):
        assert not SharedPosture.received.filter(grant_id=made.pk).exists()
        assert not SharedPosturePoint.received.exists()


def test_what_was_shown_in_a_partnership_that_has_ended_is_withdrawn(partnership):
    made = grant(partnership)
    with open_tenant(partnership.tenant_id):
        Partnership.objects.update(withdrawn_at=timezone.now())
    _publish(partnership)
    with open_tenant(partnership.viewer_id):
        assert SharingGrant.objects.get(pk=made.pk).withdrawn_at
        assert SharedPosture.objects.get().withdrawn_at
        assert SharedPosturePoint.objects.get().withdrawn_at


def test_who_leaves_a_partnership_shows_nothing_from_then_on_and_grants_nothing(vendor, partnership):
    grant(partnership)
    page = f"/covered-entities/{partnership.pk}/?tab=posture"
    assert "sharing/partnerships" in vendor.get(page).content.decode()
    assert (
        vendor.post(f"/covered-entities/{partnership.pk}/leave/", {"reason": "It is over."}).status_code
        == 302
    )
    with open_tenant(partnership.tenant_id):
        assert not SharingGrant.received.exists()
        assert not SharedPosture.received.exists()
    assert "sharing/partnerships" not in vendor.get(page).content.decode()
    assert vendor.get(f"/sharing/partnerships/{partnership.pk}/grant/").status_code == 404
    # Even with a page that was opened before.
    with pytest.raises(NotFound):
        grant(partnership)
