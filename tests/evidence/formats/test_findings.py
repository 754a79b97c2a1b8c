"""OCSF and ASFF: findings of prowler's own making, and the forms of others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.formats.kit.outcomes import Basis, Result, Severity
from tests.evidence.formats.kit import SAMPLES, read, read_sample, refusal, table

ROOT = "arn:aws:iam::111122223333:root"


def ocsf(**changes: Any) -> dict[str, Any]:
    return {
        "class_uid": 2003,
        "time": 1_790_000_000_000,
        "severity_id": 4,
        "metadata": {"product": {"name": "Scanner", "version": "3"}, "version": "1.4.0"},
        "finding_info": {"title": "Logs are kept", "uid": "f-1"},
        "compliance": {"control": "164.312(b)", "status_id": 1, "standards": ["HIPAA"]},
        "resources": [{"uid": "arn:aws:s3:::logs", "type": "bucket", "region": "us-east-1"}],
        "cloud": {"account": {"uid": "111122223333"}},
        **changes,
    }


def asff(**changes: Any) -> dict[str, Any]:
    return {
        "Id": "1",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub",
        "ProductName": "Security Hub",
        "GeneratorId": "security-control/S3.5",
        "AwsAccountId": "111122223333",
        "Region": "us-east-1",
        "UpdatedAt": "2026-11-01T10:00:00.000Z",
        "Severity": {"Label": "MEDIUM"},
        "Title": "Requests use TLS",
        "Description": "...",
        "Resources": [{"Id": "arn:aws:s3:::logs", "Type": "AwsS3Bucket"}],
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.5"},
        **changes,
    }


def test_prowlers_ocsf_gives_its_verdicts_with_hipaas_paragraphs_in_the_regulations_form() -> None:
    header, outcomes = read_sample("prowler.ocsf.json")
    assert (header.format, header.producer, header.producer_version) == ("ocsf", "Prowler", "5.46.0")
    assert table(outcomes) == [
        ("FAIL", "s3_bucket_kms_encryption", "arn:aws:s3:::patient-exports"),
        ("PASS", "cloudtrail_multi_region_enabled", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"),
        ("FAIL", "iam_root_mfa_enabled", ROOT),
        ("PASS", "rds_instance_storage_encrypted", "arn:aws:rds:us-west-2:111122223333:db:records"),
        ("UNKNOWN", "account_maintain_current_contact_details", ROOT),
    ]
    trail, root = outcomes[1], outcomes[2]
    assert trail.citations[:2] == ("164.308(a)(1)(ii)(D)", "164.308(a)(3)(ii)(A)")
    assert trail.basis is Basis.DOCUMENT
    assert trail.at == datetime(2026, 11, 20, 9, 30, 1, tzinfo=UTC)
    assert trail.resource and trail.resource.account_id == "111122223333"
    assert (root.severity, root.suppressed) == (Severity.CRITICAL, True)


def test_prowlers_asff_says_the_same_and_never_half_a_citation() -> None:
    _, outcomes = read_sample("prowler.asff.json")
    _, from_ocsf = read_sample("prowler.ocsf.json")
    whole = {o.check.id: set(o.citations) for o in from_ocsf}
    assert len(outcomes) == 4
    for outcome in outcomes:
        assert set(outcome.citations) <= whole[outcome.check.id.removeprefix("prowler-")]


def test_a_compliance_finding_is_the_same_as_list_alone_and_as_lines() -> None:
    one = ocsf()
    lines = "\n".join(json.dumps(each) for each in (one, one)).encode()
    expected = ("PASS", "164.312(b)", "arn:aws:s3:::logs")
    assert table(read([one])[1]) == [expected]
    assert table(read(one)[1]) == [expected]
    assert table(read(lines)[1]) == [expected, expected]
    outcome = read(one)[1][0]
    assert (outcome.citations, outcome.severity) == (("164.312(b)",), Severity.HIGH)
    assert outcome.at == datetime.fromtimestamp(1_790_000_000, UTC)


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"compliance": {"control": "x", "status_id": 3}}, Result.FAIL),
        ({"compliance": {"control": "x", "status_id": 2}}, Result.UNKNOWN),
        ({"compliance": {"control": "x", "status": "Pass", "status_id": 99}}, Result.PASS),
        ({"compliance": {"control": "x"}}, Result.UNKNOWN),
        ({"class_uid": 2004, "compliance": None}, Result.FAIL),
        ({"class_uid": 2004, "compliance": None, "status_id": 4}, Result.PASS),
        ({"class_uid": 2004, "compliance": None, "status_id": 5}, Result.UNKNOWN),
        ({"class_uid": 2004, "compliance": None, "status_code": "PASS"}, Result.PASS),
    ],
)
def test_what_a_finding_of_ocsf_says(changes: dict[str, Any], result: Result) -> None:
    assert read(ocsf(**changes))[1][0].result is result


def test_a_vulnerability_finding_gives_an_outcome_for_each_weakness_and_resource() -> None:
    finding = ocsf(
        class_uid=2002,
        vulnerabilities=[
            {"cve": {"uid": "CVE-2026-1"}, "severity": "Critical"},
            {"cve": {"uid": "CVE-2026-2"}},
        ],
        resources=[{"uid": "i-1"}, {"uid": "i-2"}],
    )
    _, outcomes = read([finding])
    assert [(o.check.id, o.resource.id, o.severity) for o in outcomes] == [
        ("CVE-2026-1", "i-1", Severity.CRITICAL),
        ("CVE-2026-1", "i-2", Severity.CRITICAL),
        ("CVE-2026-2", "i-1", Severity.HIGH),
        ("CVE-2026-2", "i-2", Severity.HIGH),
    ]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([ocsf(), ocsf(class_uid=1001)], '/1/class_uid: the class "1001" is none of the findings'),
        ([ocsf(time="yesterday")], '/0/time: "yesterday" is no time'),
        ([ocsf(time=1e300)], "/0/time: "),
        ([ocsf(resources={"uid": "x"})], "/0/resources: a list is expected, not an object"),
        ([ocsf(resources=[{"type": "x"}])], "/0/resources/0: the resource has neither uid nor name"),
        ([ocsf(metadata=None, finding_info=None, compliance=None)], "/0: nothing names the check"),
        ([ocsf(), 7], "/1: an object is expected, not a number"),
    ],
)
def test_a_bad_finding_of_ocsf_is_refused_with_its_place(document: Any, words: str) -> None:
    assert words in refusal(document)


@pytest.mark.parametrize(
    "wrap", [lambda f: [f], lambda f: {"Findings": [f]}, lambda f: {"detail": {"findings": [f]}}, lambda f: f]
)
def test_findings_of_security_hub_are_read_however_they_are_wrapped(wrap: Any) -> None:
    header, outcomes = read(wrap(asff()))
    assert header.producer == "Security Hub"
    assert table(outcomes) == [("FAIL", "S3.5", "arn:aws:s3:::logs")]


def test_a_finding_without_citations_takes_them_from_the_crosswalk_and_says_so() -> None:
    _, [outcome] = read([asff()])
    assert "164.312(e)(1)" in outcome.citations
    assert outcome.basis is Basis.CROSSWALK
    by_rule = asff(
        GeneratorId="arn:aws:config:us-east-1:111122223333:config-rule/config-rule-abcdef",
        Compliance={"Status": "PASSED"},
        ProductFields={"RelatedAWSResources:0/name": "securityhub-s3-bucket-ssl-requests-only-1a2b3c4d"},
    )
    assert read([by_rule])[1][0].citations == outcome.citations


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"Compliance": {"Status": "PASSED"}}, Result.PASS),
        ({"Compliance": {"Status": "WARNING"}}, Result.UNKNOWN),
        ({"RecordState": "ARCHIVED"}, Result.UNKNOWN),
        ({"Compliance": None}, Result.FAIL),
        ({"Compliance": None, "Workflow": {"Status": "RESOLVED"}}, Result.PASS),
    ],
)
def test_what_a_finding_of_asff_says(changes: dict[str, Any], result: Result) -> None:
    assert read([asff(**changes)])[1][0].result is result


def test_a_bad_finding_of_asff_is_refused_with_its_place() -> None:
    assert '/0/Compliance/Status: "OK" is none of PASSED' in refusal([asff(Compliance={"Status": "OK"})])
    assert "/0/Resources: the finding names no resource" in refusal([asff(Resources=[])])


def test_the_samples_are_small() -> None:
    assert max(path.stat().st_size for path in SAMPLES.iterdir()) < 20_000
