"""What is told up a chain of real tenants: no more than each agreed to, and no longer."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_chains
from assessments.agreements.sharing import show_terms
from assessments.chain import telling
from assessments.chain.facts import links_of
from assessments.chain.impact import Clock
from assessments.chain.models import LEVELS
from assessments.models import Agreement, ChainAlert, ChainNode, Partnership, Timer, VerificationDelivery
from assessments.partnerships.services import leave_partnership
from assessments.timers.services import run_timer
from assessments.verifications.dates import due_after
from assessments.verifications.services import delivering
from tasks.timers import HANDLERS
from tests.agreements.factories import in_days
from tests.chain.conftest import join, make_party, work
from tests.factories import make_tenant
from tests.partnerships.factories import make_associate
from tests.verifications.everything import make_delivery
from tests.verifications.factories import make_relation

pytestmark = pytest.mark.django_db(transaction=True)


def _breaks_told() -> list[str]:
    return [each.to[0] for each in mail.outbox if "chain of subcontractors" in each.subject]


def _identities(party) -> list[str]:
    """What would say who a party is."""
    return [party.tenant.name, str(party.tenant.pk), party.tenant.pk.hex, party.tenant.slug, party.email]


def _all_that_is_seen(party) -> str:
    """Its pages of the chain, the rows that its database role reads, and its mails."""
    with open_tenant(party.tenant.pk):
        rows = [str(list(model.objects.values())) for model in (ChainAlert, ChainNode)]
        rows.append(str(list(ChainNode.received.values())))
    mails = [f"{each.subject} {each.body}" for each in mail.outbox if party.email in each.to]
    return " ".join([party.tab(), *rows, *mails])


def test_the_top_sees_each_level_by_a_pseudonym_alone(chain):
    top, _, third, bottom = chain
    assert [row.depth for row in top.rows()] == [1, 2]
    page = top.tab()
    assert "agreement in force" in page.lower() and page.count("Subcontractor ") >= 2
    seen = _all_that_is_seen(top)
    assert not [word for party in (third, bottom) for word in _identities(party) if word in seen]


def test_an_agreement_that_expires_three_levels_down_alerts_everyone_above_and_names_nobody(chain, bell):
    top, second, third, bottom = chain
    mail.outbox.clear()
    third.agree(until=-1)
    work(bell)
    for party in (top, second):
        page = party.tab()
        assert "its agreement has expired" in page
        assert _breaks_told().count(party.email) == 1
    seen = _all_that_is_seen(top)
    assert not [word for party in (third, bottom) for word in _identities(party) if word in seen]
    third.agree(until=-3)
    work(bell)
    assert len(_breaks_told()) == 2, "one message a break"


def test_a_link_that_lapses_by_the_calendar_is_told_by_its_timer(chain, bell):
    top, _, third, _ = chain
    third.agree(until=0)
    work(bell)
    with open_tenant(third.tenant.pk):
        timer = Timer.objects.get(kind=telling.CHAIN_TIMER)
        assert timer.ring_at == datetime.combine(in_days(1), time.min, UTC)
        # The day after has come.
        yesterday = {"ends_on": in_days(-1), "last_on": in_days(-1)}
        Agreement.objects.filter(associate=third.below.associate_id).update(**yesterday)
        Timer.objects.filter(pk=timer.pk).update(ring_at=timezone.now())
    assert run_timer(tenant_id=third.tenant.pk, timer_id=timer.pk, handlers=HANDLERS)
    work(bell)
    assert "its agreement has expired" in top.tab()


def _verify(sender, recipient, days_ago: int) -> None:
    """A delivery that was certified so many days ago, as the recipient's people are told of it."""
    at, relation = timezone.now() - timedelta(days=days_ago), recipient.below
    with open_tenant(sender.tenant.pk):
        VerificationDelivery.objects.update(state="superseded")
        made = make_delivery(
            recipient.tenant, "x", partnership_id=relation.pk, certified_at=at, due_on=due_after(at)
        )
    delivering._tell_all(sender.tenant.pk, made.packet_id)


def test_when_a_subcontractor_was_verified_is_told_and_that_it_is_overdue_breaks_the_link(chain, bell):
    top, _, third, bottom = chain
    assert top.rows()[-1].verified_at is None
    _verify(bottom, third, 400)
    work(bell)
    assert "its annual verification is overdue" in top.tab()
    assert [row.broken for row in top.rows()] == [[], ["verification_overdue"]]
    _verify(bottom, third, 41)
    work(bell)
    assert [row.broken for row in top.rows()] == [[], []]
    assert (timezone.now() - top.rows()[-1].verified_at).days == 41
    with open_tenant(third.tenant.pk):
        day_after = due_after(timezone.now() - timedelta(days=41)) + timedelta(days=1)
        [link] = links_of([third.below.associate_id]).values()
        assert link.changes_at == datetime.combine(day_after, time.min, UTC)


@pytest.mark.parametrize(("age", "overdue"), [(364, False), (368, True)])
def test_who_never_delivered_is_overdue_a_year_after_the_beginning(transactional_db, age, overdue):
    upstream = make_tenant()
    relation = make_relation(upstream, make_tenant(), age_days=age)
    with open_tenant(upstream.pk):
        [link] = links_of([relation.associate_id]).values()
        assert (link.verified_at, link.overdue) == (None, overdue)


def test_a_mended_link_ends_the_alert_and_a_new_break_is_a_new_one(chain, bell):
    top, _, third, _ = chain
    for days in (-1, 300, -2):
        third.agree(until=days)
        work(bell)
    with open_tenant(top.tenant.pk):
        assert [alert.ending for alert in ChainAlert.objects.order_by("began_at")] == ["mended", ""]
    assert _breaks_told().count(top.email) == 2


def test_a_name_rises_only_as_far_as_each_on_the_way_lets_it(chain, bell):
    top, second, third, bottom = chain
    third.decide("name/")
    work(bell)
    assert bottom.tenant.name in second.tab()
    assert bottom.tenant.name not in _all_that_is_seen(top)
    second.decide("name/")
    work(bell)
    assert third.tenant.name in top.tab() and bottom.tenant.name not in _all_that_is_seen(top)
    second.decide("name/", below="on")
    work(bell)
    assert bottom.tenant.name in top.tab()


@pytest.mark.parametrize("way", ["mask/", "stop/"])
def test_what_is_taken_back_is_gone_from_everyones_next_request(chain, bell, way):
    top, second, third, bottom = chain
    third.decide("name/")
    second.decide("name/", below="on")
    work(bell)
    assert bottom.tenant.name in top.tab()
    assert third.decide(way).status_code == 200
    # No worker has run since.
    for party in (second, top):
        assert bottom.tenant.name not in _all_that_is_seen(party)
    assert len(top.rows()) == (2 if way == "mask/" else 1)


def test_nothing_is_told_before_a_consent_and_a_subcontractor_outside_of_the_portal_is_told_of_too(
    transactional_db, bell
):
    above, below = make_party("Above"), make_party("Below")
    join(above, below)
    outside = make_associate(below.tenant, name="Paper Archive")
    path = f"/subcontractors/{below.above.pk}/{outside.pk}/"
    assert below.client.post(path, {"service": "backup"}, follow=True).status_code == 200
    assert above.rows() == []
    assert "has not agreed to tell" in above.tab()
    below.client.post(path, {"service": "backup", "tell": "on"})
    assert [row.service for row in above.rows()] == ["backup"]
    assert "Paper Archive" not in above.tab() and str(outside.pk) not in str(above.rows()[0].__dict__)


def test_the_preview_and_the_page_of_who_tells_show_what_is_seen(chain):
    top, second, _, _ = chain
    path = f"/subcontractors/{second.above.pk}/"
    preview = second.client.get(f"{path}{second.below.associate_id}/").content.decode()
    page = second.client.get(path).content.decode()
    for row in top.rows():
        assert row.pseudonym in page and row.pseudonym in preview and row.pseudonym in top.tab()


def test_two_viewers_know_the_same_subcontractor_by_different_pseudonyms_and_one_by_the_same(bell):
    tops, middles, shared = (
        [make_party("T1"), make_party("T2")],
        [make_party("M1"), make_party("M2")],
        make_party("S"),
    )
    below = [join(middle, shared) for middle in middles]
    for top in tops:
        for middle, subcontractor in zip(middles, below, strict=True):
            partnership = join(top, middle)
            path = f"/subcontractors/{partnership.pk}/{subcontractor.associate_id}/"
            middle.client.post(path, {"service": "hosting", "tell": "on"})
    work(bell)
    seen = [{row.pseudonym for row in top.rows()} for top in tops]
    assert [len(each) for each in seen] == [1, 1] and not seen[0] & seen[1]
    assert "M1" in tops[0].tab() and "M2" in tops[0].tab(), "both rely on it"
    subjects = {bytes(row.subject) for top in tops for row in top.rows()}
    assert len(subjects) == 4, "not even the sealed subject can be compared"


def test_whom_one_names_is_not_named_for_another_that_tells_of_the_same(bell):
    top, named, masked, shared = (make_party(word) for word in ("Top", "Named by", "Masked by", "Shared"))
    for middle in (named, masked):
        middle.above, middle.below = join(top, middle), join(middle, shared)
        middle.tell()
    named.decide("name/")
    work(bell)
    for middle in (named, masked):
        top.below = middle.above
        relying = {impact.what: impact.through for impact in top.impacts()}
        assert relying.pop(middle.tenant.name) == ()
        assert list(relying.values()) == [(middle.tenant.name,)]
        assert (shared.tenant.name in relying) == (middle is named)


def test_who_is_touched_is_named_with_the_hours_of_the_agreement_that_it_shows(chain, bell):
    top, second, third, _ = chain
    with open_tenant(top.tenant.pk):
        Agreement.objects.filter(associate=top.below.associate_id).update(incident_hours=72)
        show_terms(Agreement.objects.get(associate=top.below.associate_id))
    found = {impact.what: impact.touched for impact in second.impacts()}
    assert set(found) == {third.tenant.name, second.rows()[0].pseudonym}
    for touched in found.values():
        assert [(party.name, party.clocks) for party in touched] == [
            (top.tenant.name, (Clock("incident notice", 72),))
        ]
    assert [impact.touched for impact in top.impacts()] == [(), (), ()]


def test_what_is_read_of_another_tenant_stands_in_its_log_without_the_persons_name(chain):
    top, second, _, _ = chain
    top.tab()
    with open_tenant(second.tenant.pk):
        entry = AuditEntry.objects.filter(act="chain.read", actor_id=str(top.tenant.pk)).get()
    assert (entry.actor_name, entry.actor_kind) == (top.tenant.name, "partner")


def test_a_circle_ends(bell):
    parties = [make_party(word) for word in ("Ash", "Beech", "Cherry")]
    for at, party in enumerate(parties):
        join(party, parties[(at + 1) % 3])
    for at, party in enumerate(parties):
        party.above, party.below = parties[at - 1].below, party.below
        party.tell()
    work(bell)
    # Each is told of one: the next would be itself.
    assert [len(party.rows()) for party in parties] == [1, 1, 1]


def test_no_more_than_six_levels_are_told(bell):
    parties = [make_party(f"Level {number}") for number in range(LEVELS + 3)]
    for above, below in itertools.pairwise(parties):
        join(above, below)
    for party in parties[1:-1]:
        party.tell()
    work(bell)
    assert [row.depth for row in parties[0].rows()] == [1, 2, 3, 4, 5, 6]


def test_an_ended_partnership_ends_what_was_told_below_it(chain, bell):
    top, second, third, _ = chain
    third.agree(until=-1)
    work(bell)
    with open_tenant(second.tenant.pk):
        Partnership.objects.filter(pk=second.below.pk).update(withdrawn_at=timezone.now())
    assert "expired" not in second.tab()
    due = due_chains(timezone.now())
    assert second.tenant.pk in due
    bell.extend(each for each in due if each == second.tenant.pk)
    work(bell)
    # The subcontractor is still the second's, by its register; what hung below it isn't told any more.
    assert [row.depth for row in top.rows()] == [1]
    with open_tenant(top.tenant.pk):
        assert ChainAlert.objects.get().ending == "withdrawn"


def test_who_leaves_takes_back_what_it_told_at_once(chain, bell):
    top, second, third, _ = chain
    third.agree(until=-1)
    work(bell)
    with open_tenant(second.tenant.pk):
        leave_partnership(partnership_id=second.above.pk, reason="")
    assert top.rows() == [] and "still broken" not in top.tab()
    with open_tenant(top.tenant.pk):
        assert ChainAlert.objects.get().ending == "withdrawn"
    assert second.client.get(f"/subcontractors/{second.above.pk}/").status_code == 404


def test_a_lost_message_is_found_by_the_sweeper_and_a_chain_at_rest_is_not(chain, bell):
    top, second, third, _ = chain
    third.decide("name/")
    bell.clear()
    now = timezone.now()
    assert second.tenant.pk in due_chains(now) and top.tenant.pk not in due_chains(now)
    bell.append(second.tenant.pk)
    work(bell)
    assert not {party.tenant.pk for party in chain} & set(due_chains(timezone.now()))


def test_only_rows_that_change_are_written(chain, bell):
    top, second, third, _ = chain
    before = {row.pk: row.changed_at for row in top.rows()}
    third.decide("name/")
    work(bell)
    assert {row.pk: row.changed_at for row in top.rows()} == before
    assert max(row.changed_at for row in second.rows()) > max(before.values())
