"""SARIF, XCCDF and JUnit: what scanners and test runners write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.formats.kit.outcomes import Result, Severity
from tests.evidence.formats.kit import read, read_sample, refusal, table


def sarif(*results: Any, rules: Any = (), **run: Any) -> dict[str, Any]:
    # The tool stands after the results on purpose: JSON has no order.
    tool = {"driver": {"name": "semgrep", "semanticVersion": "1.2.3", "rules": list(rules)}}
    return {"version": "2.1.0", "runs": [{"results": list(results), "tool": tool, **run}]}


def at(uri: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def test_bandits_sarif_gives_an_outcome_at_every_line() -> None:
    header, outcomes = read_sample("bandit.sarif")
    assert (header.format, header.producer, header.producer_version) == ("sarif", "Bandit", "1.9.4")
    assert header.period_to and header.period_to.tzinfo is UTC
    assert outcomes[0].check.id == "B101"
    assert outcomes[0].check.title == "assert_used"
    assert outcomes[0].resource and outcomes[0].resource.id == "accounts/audit/epochs.py:130"
    assert (outcomes[0].result, outcomes[0].severity) == (Result.FAIL, Severity.LOW)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"kind": "pass"}, Result.PASS),
        ({"kind": "review"}, Result.UNKNOWN),
        ({"kind": "open"}, Result.UNKNOWN),
        ({"kind": "notApplicable"}, Result.NOT_APPLICABLE),
        ({}, Result.FAIL),
        ({"baselineState": "absent"}, Result.PASS),
    ],
)
def test_a_results_kind_decides(result: dict[str, Any], expected: Result) -> None:
    assert read(sarif({"ruleId": "r", "message": {"text": "m"}, **result}))[1][0].result is expected


def test_a_rule_that_stands_after_its_result_gives_title_severity_and_citations() -> None:
    rule = {
        "id": "tls",
        "shortDescription": {"text": "TLS is required"},
        "properties": {"tags": ["HIPAA 164.312(e)(1)"], "security-severity": "9.8"},
    }
    _, [outcome] = read(
        sarif(
            {
                "ruleId": "tls/1",
                "message": {"text": "{0} is open", "arguments": ["x"]},
                "locations": [at("a.tf", 3)],
            },
            rules=[rule],
        )
    )
    assert (outcome.check.title, outcome.severity) == ("TLS is required", Severity.CRITICAL)
    assert outcome.citations == ("164.312(e)(1)",)
    assert outcome.message == "x is open"
    assert outcome.resource and outcome.resource.id == "a.tf:3"


def test_a_suppression_counts_once_it_is_accepted() -> None:
    def suppressed(**suppression: str) -> bool:
        return read(sarif({"ruleId": "r", "suppressions": [{"kind": "external", **suppression}]}))[1][
            0
        ].suppressed

    assert suppressed()
    assert suppressed(status="accepted")
    assert not suppressed(status="underReview")


def test_a_bad_sarif_is_refused_with_its_place() -> None:
    assert '/version: SARIF 2.1.0 is read, not "1.0.0"' in refusal({**sarif(), "version": "1.0.0"})
    assert '/runs/0/results/0/kind: "odd" is no kind' in refusal(sarif({"ruleId": "r", "kind": "odd"}))
    assert "/runs/0/results/1: the check has no id" in refusal(sarif({"ruleId": "r"}, {"message": {}}))


@pytest.mark.parametrize("name", ["openscap.xccdf.xml", "openscap.arf.xml"])
def test_openscaps_results_carry_the_citations_of_their_rules(name: str) -> None:
    header, outcomes = read_sample(name)
    assert (header.format, header.producer, header.producer_version) == ("xccdf", "openscap", "1.3.7")
    assert header.period_from == datetime(2026, 11, 22, 14, 56, 7, tzinfo=UTC)
    results = {o.check.id.removeprefix("xccdf_org.ssgproject.content_rule_"): o for o in outcomes}
    assert results["file_permissions_systemmap"].result is Result.FAIL
    assert results["file_groupowner_etc_group"].result is Result.PASS
    audit = results["partition_for_var_log_audit"]
    assert (audit.result, audit.citations) == (Result.NOT_APPLICABLE, ("164.312(a)(2)(ii)",))
    assert audit.check.title == "Ensure /var/log/audit Located On Separate Partition"
    assert audit.resource and (audit.resource.id, audit.resource.kind) == ("vm", "host")


def test_a_benchmark_without_results_is_no_evidence() -> None:
    assert "no TestResult" in refusal(b'<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="b"/>')


def test_an_unknown_result_of_xccdf_is_refused_with_its_place() -> None:
    document = b"""<TestResult xmlns="http://checklists.nist.gov/xccdf/1.1"><target>h</target>
        <rule-result idref="a"><result>pass</result></rule-result>
        <rule-result idref="b"><result>perhaps</result></rule-result></TestResult>"""
    assert refusal(document) == '/TestResult[1]/rule-result[2]: "perhaps" is no result of XCCDF'


def test_pytests_report_gives_an_outcome_a_test_and_citations_from_properties() -> None:
    header, outcomes = read_sample("pytest.xml")
    assert (header.format, header.title) == ("junit", "pytest tests")
    assert table(outcomes) == [
        ("PASS", "test_x.test_backup_is_restored", "arn:aws:rds:us-east-1:111122223333:db:records"),
        ("FAIL", "test_x.test_log_is_kept", "vm"),
        ("UNKNOWN", "test_x.test_broken", "vm"),
        ("UNKNOWN", "test_x.test_failover", "vm"),
    ]
    assert outcomes[0].citations == ("164.308(a)(7)(ii)(D)",)
    assert outcomes[1].message.startswith("AssertionError: logs are kept 30 days")
