"""What AWS shows of what held PHI: gone, pending deletion, still there, or not known; never guessed."""

from __future__ import annotations

import json

import pytest

from accounts.tenancy.scope import open_tenant
from assessments.exits.services.evidence import LOOK, plan_looking
from assessments.models import ExitCertificate, ExitEvidence, ExitProof
from tests.exits.factories import (
    ENDED,
    KEY,
    answer_all,
    begin,
    buckets,
    collect,
    keys,
    looks,
    make_account,
    name,
    run_due,
)
from tests.factories import make_connection, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
NAMED = ("global|claims",)
CERTIFY = {"title": "CIO", "authority": "Board", "confirmed": "on"}


@pytest.fixture
def case(parties, hospital, vendor):
    """An exit, the vendor's browser, and an account that lists what is named below."""
    exit_ = begin(parties, hospital)
    account = make_account(parties.downstream)
    assert name(exit_, vendor, account, "bucket", *NAMED).status_code == 302
    assert name(exit_, vendor, account, "key", f"us-east-1|{KEY}").status_code == 302
    told = vendor.post(f"/exits/received/{exit_.pk}/told/", {"disclosure": "names"})
    assert told.status_code == 302
    return exit_, vendor, account


def _seen(shown: ExitEvidence) -> dict[str, str]:
    return {fact["identifier"]: fact["look"] for fact in shown.facts}


def test_it_is_gone_only_when_a_later_listing_does_not_have_it(case):
    exit_, vendor, account = case
    assert _seen(looks(exit_, vendor)) == {"claims": "there", KEY: "there"}
    collect(account, buckets("website"), keys("PendingDeletion", DeletionDate="2026-12-20T00:00:00Z"))
    shown = looks(exit_, vendor)
    assert _seen(shown) == {"claims": "gone", KEY: "pending"}
    assert f"{shown.pending_until:%Y-%m-%d}" == "2026-12-20"
    collect(account, buckets("website"), keys(None))
    shown = looks(exit_, vendor)
    assert _seen(shown) == {"claims": "gone", KEY: "gone"}
    assert all(len(fact["digest"]) == 64 and fact["at"] for fact in shown.facts)
    collect(account, buckets("website", "claims"), keys(None))
    assert _seen(looks(exit_, vendor))["claims"] == "there"  # it came back


@pytest.mark.parametrize(
    "run",
    [
        {"payloads": (), "missing": ("s3",)},
        {"payloads": (buckets("website", calls={}, gaps=[
            {"operation": "ListBuckets", "key": "", "reason": "denied", "code": "AccessDenied"}]),)},
        {"payloads": ()},
        {"payloads": (buckets("website", account_id="000000000000"),)},
    ],
    ids=["nothing came", "the listing was denied", "nobody looked there", "another account"],
)  # fmt: skip
def test_what_the_newest_run_could_not_read_is_not_known(case, run):
    exit_, vendor, account = case
    collect(account, buckets("website"))
    assert _seen(looks(exit_, vendor))["claims"] == "gone"
    collect(account, *run["payloads"], missing=run.get("missing", ()))
    shown = looks(exit_, vendor)
    assert _seen(shown)["claims"] == "unknown"
    assert next(fact["why"] for fact in shown.facts if fact["identifier"] == "claims")
    assert (shown.unknown, shown.gone) == (2, 0)  # the key wasn't read in either


def test_a_key_that_was_listed_and_not_described_is_not_known(case):
    exit_, vendor, account = case
    undescribed = keys("Enabled")
    undescribed["calls"]["DescribeKey"] = {}
    collect(account, buckets("claims"), undescribed)
    assert _seen(looks(exit_, vendor))[KEY] == "unknown"


def test_the_covered_entity_is_told_as_much_as_was_chosen(parties, hospital, vendor):
    exit_ = begin(parties, hospital)
    account = make_account(parties.downstream)
    name(exit_, vendor, account, "bucket", *NAMED)
    page = f"/exits/{exit_.pk}/"
    assert "It shows nothing of its accounts" in hospital.get(page).content.decode()
    vendor.post(f"/exits/received/{exit_.pk}/told/", {"disclosure": "counts"})
    collect(account, buckets("website"))
    assert looks(exit_, vendor).facts == []
    shown = hospital.get(page).content.decode()
    assert "Of 1 resource that it named" in shown
    assert "claims" not in shown
    vendor.post(f"/exits/received/{exit_.pk}/told/", {"disclosure": "names"})
    assert "claims" in hospital.get(page).content.decode()
    vendor.post(f"/exits/received/{exit_.pk}/told/", {"disclosure": "counts"})
    assert "claims" not in hospital.get(page).content.decode()


def test_only_what_the_own_account_lists_can_be_named(case):
    exit_, vendor, account = case
    foreign = make_connection(make_tenant())
    assert name(exit_, vendor, account, "bucket", "global|never-listed").status_code == 422
    assert name(exit_, vendor, foreign, "bucket", *NAMED).status_code == 404
    listing = f"/exits/received/{exit_.pk}/resources/?connection={account.pk}&kind"
    assert "website" in vendor.get(f"{listing}=bucket&q=WEB").content.decode()
    assert "alias/claims" not in vendor.get(f"{listing}=key").content.decode()  # it is named already
    page = vendor.get(f"/exits/received/{exit_.pk}/").content.decode()
    for path in {each for each in page.split('"') if each.endswith("/remove/")}:
        vendor.post(path)
    assert "alias/claims" in vendor.get(f"{listing}=key&q=claims").content.decode()


def test_a_certificate_stays_incomplete_until_the_key_is_gone(case, parties):
    exit_, vendor, account = case
    collect(account, buckets("website"), keys("PendingDeletion", DeletionDate="2026-12-20T00:00:00Z"))
    looks(exit_, vendor)
    answer_all(exit_, vendor)
    vendor.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY)
    collect(account, buckets("website"), keys(None))
    vendor.post(f"/exits/received/{exit_.pk}/certify/", CERTIFY)
    with open_tenant(parties.upstream.pk):
        first, second = ExitCertificate.received.order_by("number")
        kept = ExitProof.received.get(item="keys")
    assert (first.complete, second.complete) == (False, True)
    assert json.loads(first.content)["exceptions"] == [
        "1 resource is pending deletion, the last on 2026-12-20."
    ]
    assert kept.evidence["facts"][0]["look"] == "pending"
    assert json.loads(second.content)["evidence"]["counts"]["gone"] == 2


def test_what_was_named_is_told_at_least_by_number_before_it_is_certified(parties, hospital, vendor):
    exit_ = begin(parties, hospital)
    name(exit_, vendor, make_account(parties.downstream), "bucket", *NAMED)
    answer_all(exit_, vendor)
    certify = f"/exits/received/{exit_.pk}/certify/"
    assert vendor.post(certify, CERTIFY).status_code == 409
    vendor.post(f"/exits/received/{exit_.pk}/told/", {"disclosure": "counts"})
    assert vendor.post(certify, CERTIFY).status_code == 302
    with open_tenant(parties.upstream.pk):
        said = json.loads(ExitCertificate.received.get().content)
    assert said["exceptions"] == ["1 resource is still there, as AWS shows."]
    assert "global|claims" not in json.dumps(said)
    assert '"identifier"' not in json.dumps(said)
    assert len(said["evidence"]["snapshots"]) == 1


def test_after_a_collection_it_is_looked_at_again_without_anybody(case, parties):
    exit_, _vendor, account = case
    collect(account, buckets("website"), keys(None))
    with open_tenant(parties.downstream.pk):
        plan_looking()
    assert run_due(parties.downstream, LOOK, exit_.pk)
    with open_tenant(parties.upstream.pk):
        assert ExitEvidence.received.get(exit_id=exit_.pk).gone == 2


def test_a_resource_that_was_named_by_mistake_is_taken_back(case):
    exit_, vendor, _account = case
    page = vendor.get(f"/exits/received/{exit_.pk}/").content.decode()
    path = next(each for each in page.split('"') if each.endswith("/remove/"))
    assert vendor.post(path).status_code == 302
    assert looks(exit_, vendor).total == 1
    assert ENDED["reason"] in page
