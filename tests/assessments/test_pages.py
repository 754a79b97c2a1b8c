"""Pages of safeguards and findings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.checks.base import checks
from assessments.rule.model import SECURITY_RULE
from evidence.keyset import PAGE_SIZE
from tests.accounts.factories import make_ready_person
from tests.collected import VERSIONING, collect
from tests.factories import make_tenant

CHECK = checks()[VERSIONING]
CITATION = CHECK.supports[0]


@pytest.fixture
def client(owner, client_for):
    return client_for(owner)


def _text(answer, status: int = 200) -> str:
    assert answer.status_code == status
    main = answer.content.decode().split("<main")[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def _titles(answer) -> list[str]:
    return [
        unescape(title)
        for title in re.findall(r'class="row-title[^"]*" href="[^"]+">([^<]+)<', answer.content.decode())
    ]


def test_every_safeguard_is_listed_and_none_is_evidenced_before_anything_is_collected(client):
    answer = client.get("/safeguards/")
    assert len(_titles(answer)) == len(SECURITY_RULE)
    assert "evidenced" not in set(
        re.findall(r"status-word[^>]*>.*?<span>([^<]+)</span>", answer.content.decode())
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("section=164.312", {c for c in SECURITY_RULE if c.startswith("164.312")}),
        ("designation=addressable", {c for c, s in SECURITY_RULE.items() if s.designation == "addressable"}),
        (
            "text=emergency+access",
            {c for c, s in SECURITY_RULE.items() if "emergency access" in f"{s.title} {s.summary}".lower()},
        ),
        ("status=satisfied", set()),
    ],
)
def test_safeguards_are_filtered_by_the_address(client, query, expected):
    page = client.get(f"/safeguards/?{query}").content.decode()
    assert set(re.findall(r'/safeguards/([^/"]+)/"', page)) - {""} == expected


def test_a_filter_that_does_not_exist_is_left_open(client):
    assert len(_titles(client.get("/safeguards/?section=nonsense"))) == len(SECURITY_RULE)


def test_a_safeguard_says_why_it_has_its_status_and_what_was_not_seen(client, collected):
    text = _text(client.get(f"/safeguards/{CITATION}/"))
    assert SECURITY_RULE[CITATION].title in text
    assert "1 check failed on 1 resource." in text
    assert CHECK.title in text
    assert "access denied" in text and "s3:GetBucketPolicy" in text
    assert "ecfr.gov" in client.get(f"/safeguards/{CITATION}/").content.decode()


def test_a_safeguard_links_the_snapshot_it_rests_on_for_those_who_may_read_evidence(
    client, client_for, tenant, collected
):
    link = f"/evidence/{collected.snapshot.pk}/"
    assert link in client.get(f"/safeguards/{CITATION}/").content.decode()
    viewer = client_for(make_ready_person(Role.VIEWER, tenant))
    assert link not in viewer.get(f"/safeguards/{CITATION}/").content.decode()


def test_a_safeguard_keeps_its_history(client, tenant):
    first = collect(tenant, at=datetime(2026, 3, 2, tzinfo=UTC), versioned={"logs": False})
    collect(
        tenant, at=datetime(2026, 3, 9, tzinfo=UTC), versioned={"logs": True}, connection=first.connection
    )
    text = _text(client.get(f"/safeguards/{CITATION}/"))
    assert "2026-03-02 00:00:00 UTC to 2026-03-09 00:00:00 UTC" in text
    assert "2026-03-09 00:00:00 UTC until now" in text


def test_an_addressable_safeguard_is_not_called_optional_and_the_decision_is_explained(client):
    text = _text(client.get("/safeguards/164.312(a)(2)(iv)/"))
    assert "Addressable is not optional." in text


def test_a_citation_that_the_rule_does_not_have_is_not_found(client):
    assert client.get("/safeguards/164.999(z)/").status_code == 404


def test_findings_are_grouped_by_check_with_how_many_fail(client, collected):
    answer = client.get("/findings/?outcome=FAIL")
    assert _titles(answer)[0] == CHECK.title  # the others that fail are less severe
    assert (
        f"{CHECK.title} s3, supports {', '.join(CHECK.supports)} {CHECK.severity} fails 1 of 2 resources"
        in _text(answer)
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=FAIL&severity={severity}", True), ("outcome=FAIL&service=s3", True), ("outcome=FAIL&service=rds", False),
        ("outcome=FAIL&region=us-east-1", True), ("outcome=FAIL&region=eu-west-1", False), ("outcome=FAIL&citation={citation}", True),
        ("outcome=FAIL&text=scans", True), ("outcome=FAIL&text=nowhere", False), ("outcome=FAIL&connection={connection}", True),
    ],
)  # fmt: skip
def test_findings_are_filtered_by_the_address(client, collected, query, found):
    url = query.format(severity=CHECK.severity, citation=CITATION, connection=collected.connection.pk)
    assert (CHECK.title in _titles(client.get(f"/findings/?{url}"))) is found


def test_a_check_shows_its_failing_resources_first_and_how_to_mend_them(client, collected):
    answer = client.get(f"/findings/checks/{VERSIONING}/")
    assert _titles(answer) == ["scans"]
    text = _text(answer)
    assert "Fails 1" in text and "Passes 1" in text
    assert CHECK.expected in text and CHECK.rationale in text


def test_a_long_list_goes_on_where_the_last_page_ended(client, tenant):
    names = {f"bucket-{number:03}": False for number in range(PAGE_SIZE + 7)}
    collect(tenant, versioned=names)
    first = client.get(f"/findings/checks/{VERSIONING}/")
    more = re.search(r'rel="next" href="(\?[^"]+)"', first.content.decode())
    assert more
    second = client.get(f"/findings/checks/{VERSIONING}/" + unescape(more.group(1)))
    assert (len(_titles(first)), len(_titles(second))) == (PAGE_SIZE, 7)
    assert {*_titles(first), *_titles(second)} == set(names)
    assert 'rel="next"' not in second.content.decode()


def test_a_page_that_no_list_gave_is_refused(client, collected):
    assert client.get(f"/findings/checks/{VERSIONING}/?after=1%27or").status_code == 400


def test_a_finding_shows_observed_and_expected_its_resource_and_its_evidence(client, collected):
    finding = collected.finding("scans")
    answer = client.get(f"/findings/{finding.pk}/")
    text = _text(answer).lower()
    for words in (finding.observed, CHECK.expected, finding.resource_arn, *CHECK.supports):
        assert words.lower() in text
    assert f"/evidence/{collected.snapshot.pk}/" in answer.content.decode()


def test_an_unseen_resource_names_the_action_that_was_missing(client, collected):
    answer = client.get("/findings/?outcome=UNKNOWN&text=scans")
    unseen = re.findall(r"/findings/checks/(\w+)/", answer.content.decode())
    pages = [
        client.get(f"/findings/checks/{each}/?outcome=UNKNOWN&text=scans").content.decode() for each in unseen
    ]
    assert any("missing action <code>s3:GetBucketPolicy</code>" in page for page in pages)


def test_what_belongs_to_another_tenant_is_not_found(client):
    stranger = collect(make_tenant())
    assert client.get(f"/findings/{stranger.finding('scans').pk}/").status_code == 404
    assert client.get(f"/findings/?connection={stranger.connection.pk}").status_code == 200
    assert _titles(client.get("/findings/")) == []


def test_looking_at_a_safeguard_is_recorded(client, tenant):
    from accounts.models import AuditEntry

    client.get("/safeguards/164.312(b)/")
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act="posture.read", object_id="164.312(b)").count() == 1


def test_no_page_says_compliant(client, collected):
    pages = ["/", "/safeguards/", f"/safeguards/{CITATION}/", "/findings/", f"/findings/checks/{VERSIONING}/"]
    assert not [url for url in pages if "compliant" in client.get(url).content.decode().lower()]


def test_a_finding_that_began_long_ago_says_since_when(client, tenant):
    collect(tenant, at=datetime.now(UTC) - timedelta(days=3, minutes=1))
    assert "3 days ago" in _text(client.get("/findings/?outcome=FAIL"))
