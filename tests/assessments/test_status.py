"""A safeguard's status follows from outcomes by a written rule, and silence never satisfies."""

from __future__ import annotations

from assessments.rule.model import SECURITY_RULE, Designation, Family, Kind
from assessments.status import Status, Tally, derive_statuses, shown_by_aws

TLS = "164.312(e)(2)(ii)"
INTEGRITY = "164.312(e)(2)(i)"
BACKUP = "164.308(a)(7)(ii)(A)"


def _status(citation: str, *tallies: Tally, supports: dict[str, list[str]] | None = None) -> Status:
    supports = supports or {tally.check_id: [citation] for tally in tallies}
    return derive_statuses(tallies, supports)[citation].status


def test_without_any_evidence_every_safeguard_is_undetermined():
    assert {derived.status for derived in derive_statuses([], {}).values()} == {Status.UNDETERMINED}


def test_every_safeguard_says_why_and_what_would_show_it():
    for derived in derive_statuses([], {}).values():
        assert derived.why.endswith(".")
        assert derived.needs


def test_passing_everywhere_evidences_a_technical_safeguard():
    assert _status(TLS, Tally("a", passed=3), Tally("b", passed=1, not_applicable=2)) is Status.SATISFIED


def test_one_failure_is_a_gap_however_much_passes():
    assert _status(TLS, Tally("a", passed=300, failed=1)) is Status.NOT_SATISFIED


def test_a_failure_of_low_severity_is_told_and_makes_no_gap():
    derived = derive_statuses([Tally("a", weighs=False, passed=1, failed=2)], {"a": [TLS]})[TLS]
    assert derived.status is Status.SATISFIED
    assert derived.tallies[0].failed == 2


def test_beside_a_gap_failures_of_low_severity_are_counted_apart():
    tallies = [Tally("a", failed=1), Tally("b", weighs=False, failed=3)]
    derived = derive_statuses(tallies, {"a": [TLS], "b": [TLS]})[TLS]
    assert derived.why == (
        "1 check failed on 1 resource. 1 further failing check of low severity would make no gap."
    )


def test_one_unknown_leaves_it_undetermined_and_lowers_the_coverage():
    derived = derive_statuses([Tally("a", passed=9, unknown=1)], {"a": [TLS]})[TLS]
    assert derived.status is Status.UNDETERMINED
    assert (derived.decided, derived.total) == (9, 10)


def test_only_not_applicable_is_no_evidence():
    assert _status(TLS, Tally("a", not_applicable=4)) is Status.UNDETERMINED


def test_passing_checks_support_and_never_prove_an_administrative_safeguard():
    assert _status(BACKUP, Tally("a", passed=50)) is Status.UNDETERMINED
    assert _status(BACKUP, Tally("a", passed=50, failed=1)) is Status.NOT_SATISFIED


def test_a_gap_in_a_specification_is_a_gap_in_its_standard():
    derived = derive_statuses([Tally("a", failed=1)], {"a": [TLS]})
    assert derived["164.312(e)(1)"].status is Status.NOT_SATISFIED
    assert TLS in derived["164.312(e)(1)"].why


def test_a_standard_is_evidenced_when_all_its_specifications_are():
    tallies = [Tally("a", passed=1), Tally("b", passed=1)]
    derived = derive_statuses(tallies, {"a": [TLS], "b": [INTEGRITY]})
    assert derived["164.312(e)(1)"].status is Status.SATISFIED
    assert derive_statuses(tallies[:1], {"a": [TLS]})["164.312(e)(1)"].status is Status.UNDETERMINED


def test_the_catalogue_counts_as_appendix_a_does():
    specifications = [
        s
        for s in SECURITY_RULE.values()
        if s.kind is Kind.SPECIFICATION
        and s.family in set(Family) - {Family.ORGANIZATIONAL, Family.DOCUMENTATION}
    ]
    assert sum(s.designation is Designation.REQUIRED for s in specifications) == 14
    assert sum(s.designation is Designation.ADDRESSABLE for s in specifications) == 22
    standards = [
        s
        for s in SECURITY_RULE.values()
        if s.kind is Kind.STANDARD
        and s.parent is None
        and s.family in {Family.ADMINISTRATIVE, Family.PHYSICAL, Family.TECHNICAL}
    ]
    assert len(standards) == 18


def test_every_parent_is_in_the_catalogue_and_only_technical_safeguards_are_shown_by_aws_alone():
    assert all(s.parent is None or s.parent in SECURITY_RULE for s in SECURITY_RULE.values())
    assert {s.family for s in SECURITY_RULE.values() if shown_by_aws(s)} == {Family.TECHNICAL}
