"""What the product says of the demonstration: collected with its collectors, judged by its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from assessments.checks.base import Outcome, Result, Severity, checks
from assessments.checks.engine import evaluate
from assessments.status import Derived, Status, Tally, derive_statuses
from evidence.aws import session as sessions
from evidence.aws.policy import role_policy
from evidence.aws.reader import collect_unit
from evidence.aws.session import AwsSession, RoleAccess
from evidence.collectors.base import Scope, collectors
from evidence.types import GLOBAL, Answers, Gap, Seen
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from portal.demo.hospital import MERCY_LAKES_ACCOUNT_ID, NORTHWIND_ACCOUNT_ID, REGIONS, seed
from tests.standin.conftest import EXTERNAL_ID

pytestmark = pytest.mark.xdist_group("standin")  # seeded once, by one process


@dataclass(frozen=True)
class Assessed:
    """One account's results, gaps and statuses."""

    results: tuple[Result, ...]
    gaps: tuple[Gap, ...]
    statuses: Mapping[str, Derived]

    def citations(self, status: Status) -> set[str]:
        return {citation for citation, found in self.statuses.items() if found.status is status}

    def failing(self, check_id: str) -> set[str]:
        return {
            each.name for each in self.results if (each.check_id, each.outcome) == (check_id, Outcome.FAIL)
        }

    @property
    def said(self) -> set[tuple[str, ...]]:
        return {(each.check_id, each.scope, each.arn, each.outcome, each.observed) for each in self.results}


def assess(aws: AwsStandIn, account_id: str) -> Assessed:
    role = seed(
        aws.url, account_id=account_id, external_id=EXTERNAL_ID, portal_account_id=PORTAL_ACCOUNT_ID,
        role_policy=role_policy(),
    ).role_arn  # fmt: skip
    session = AwsSession(RoleAccess(role, EXTERNAL_ID))
    answers: dict[tuple[str, str], Answers] = {}
    gaps: list[Gap] = []
    with ThreadPoolExecutor(4) as pool:
        for name, collector in collectors().items():
            for region in [GLOBAL] if collector.scope is Scope.GLOBAL else REGIONS:
                found = collect_unit(session, collector, region, pool=pool)
                answers[name, region] = Answers.from_payload(found.payload)
                gaps += found.gaps
    seen = Seen(account_id, "aws", "", datetime.now(UTC), answers)
    results = tuple(evaluate(checks().values(), seen, REGIONS))
    supports = {check.id: check.supports for check in checks().values()}
    return Assessed(results, tuple(gaps), derive_statuses(tallies(results), supports))


def tallies(results: tuple[Result, ...]) -> Iterator[Tally]:
    for check in checks().values():
        counts = Counter(each.outcome for each in results if each.check_id == check.id)
        weighs = check.severity.rank <= Severity.MEDIUM.rank
        of = partial(counts.__getitem__)
        yield Tally(
            check.id,
            weighs,
            of(Outcome.PASS),
            of(Outcome.FAIL),
            of(Outcome.UNKNOWN),
            of(Outcome.NOT_APPLICABLE),
        )


@pytest.fixture(scope="module")
def both() -> Iterator[Mapping[str, Assessed]]:
    with AwsStandIn() as aws, pytest.MonkeyPatch.context() as patched:
        for name, value in aws.environment().items():
            patched.setenv(name, value)
        sessions.source_session.cache_clear()
        yield {account: assess(aws, account) for account in (MERCY_LAKES_ACCOUNT_ID, NORTHWIND_ACCOUNT_ID)}
        sessions.source_session.cache_clear()


@pytest.fixture
def mercy(both: Mapping[str, Assessed]) -> Assessed:
    return both[MERCY_LAKES_ACCOUNT_ID]


@pytest.fixture
def northwind(both: Mapping[str, Assessed]) -> Assessed:
    return both[NORTHWIND_ACCOUNT_ID]


def test_the_imaging_partner_is_well_kept_with_a_few_gaps(northwind: Assessed) -> None:
    assert northwind.gaps == ()
    assert northwind.citations(Status.SATISFIED) == {
        "164.312(a)(2)(i)", "164.312(b)", "164.312(c)(1)", "164.312(c)(2)", "164.312(d)", "164.312(e)(2)(i)",
        "164.312(e)(2)(ii)",
    }  # fmt: skip
    gaps = northwind.citations(Status.NOT_SATISFIED)
    assert {each for each in gaps if each.startswith("164.312")} == {
        "164.312(a)(1)", "164.312(a)(2)(iv)", "164.312(e)(1)",
    }  # fmt: skip
    assert Outcome.UNKNOWN not in {each.outcome for each in northwind.results}


def test_the_hospital_has_gaps_and_two_safeguards_evidenced(mercy: Assessed) -> None:
    assert mercy.citations(Status.SATISFIED) == {"164.312(c)(1)", "164.312(c)(2)"}
    assert 20 <= len(mercy.citations(Status.NOT_SATISFIED)) <= 30
    assert 60 <= sum(each.outcome is Outcome.FAIL for each in mercy.results) <= 115


def test_what_the_organisation_forbids_is_not_seen_and_leaves_a_safeguard_undetermined(
    mercy: Assessed,
) -> None:
    assert {(gap.action, gap.region) for gap in mercy.gaps} == {
        ("iam:ListSAMLProviders", GLOBAL), ("kms:GetKeyPolicy", "us-west-2"),
    }  # fmt: skip
    assert all("explicit deny in a service control policy" in gap.message for gap in mercy.gaps)
    found = mercy.statuses["164.312(a)(2)(i)"]
    assert found.status is Status.UNDETERMINED
    assert "not seen" in found.why
    unknown = {each.check_id for each in mercy.results if each.outcome is Outcome.UNKNOWN}
    assert {"kms_key_not_public", "iam_people_federated"} <= unknown


def test_the_traps_are_found(mercy: Assessed) -> None:
    assert "mercy-lakes-imaging-archive" in mercy.failing("s3_bucket_tls_only")
    assert mercy.failing("iam_user_mfa") == {"omar.haddad", "lee.contractor"}
    assert mercy.failing("iam_policy_not_everything") == {"legacy-full-access"}
    for check_id, found in (
        ("vpc_sg_admin_ports_closed", 2),
        ("ec2_snapshot_not_public", 1),
        ("ec2_snapshot_not_shared", 1),
        ("rds_instance_snapshot_not_public", 1),
        ("rds_instance_snapshot_not_shared", 1),
        ("kms_key_not_public", 1),
    ):
        assert len(mercy.failing(check_id)) == found, check_id


def test_a_second_seeding_says_the_same(
    both: Mapping[str, Assessed], monkeypatch: pytest.MonkeyPatch
) -> None:
    with AwsStandIn() as again:
        for name, value in again.environment().items():
            monkeypatch.setenv(name, value)
        sessions.source_session.cache_clear()
        found = {account: assess(again, account) for account in both}
    sessions.source_session.cache_clear()
    for account, assessed in both.items():
        assert found[account].said ^ assessed.said == set()
