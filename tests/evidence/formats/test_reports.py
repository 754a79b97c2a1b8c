"""OSCAL, CycloneDX, CSV and JSON by mapping, documents, and Audit Manager's report."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.formats.base import BadDocument
from evidence.formats.document import ACTIVE_NOTE
from evidence.formats.kit.mapping import FieldMapping, mapping_from
from evidence.formats.kit.outcomes import Basis, Resource, Result, Severity
from tests.evidence.formats.kit import read, read_sample, refusal, table


def test_trestles_assessment_results_give_an_outcome_for_each_subject() -> None:
    header, outcomes = read_sample("trestle.json")
    assert (header.format, header.title, header.version) == ("oscal", "Assessment of the clinic", "1.1.3")
    assert header.period_to == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert table(outcomes) == [
        ("PASS", "hipaa-164.312.a.2.iv", "arn:aws:rds:us-east-1:111122223333:db:records"),
        ("PASS", "hipaa-164.312.a.2.iv", "db-archive"),
        ("FAIL", "cp-4_obj", ""),
    ]
    assert [o.citations for o in outcomes] == [("164.312(a)(2)(iv)",)] * 2 + [("164.308(a)(7)(ii)(D)",)]
    assert outcomes[0].at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_results_of_aws_config_that_trestle_wrote_are_cited_by_their_rules() -> None:
    header, outcomes = read_sample("trestle-config.json")
    assert (header.format, header.title) == ("oscal", "AWS Config Compliance Evaluation")
    assert table(outcomes) == [
        ("PASS", "cloudtrail-enabled", "111122223333"),
        ("FAIL", "s3-bucket-server-side-encryption-enabled", "clinic-records"),
        ("NOT_APPLICABLE", "rds-storage-encrypted", "db-CLINIC"),
    ]
    assert outcomes[1].citations == ("164.312(a)(2)(iv)", "164.312(c)(2)", "164.312(e)(2)(ii)")
    assert outcomes[1].basis is Basis.CROSSWALK
    assert outcomes[1].resource == Resource("clinic-records", "AWS::S3::Bucket")
    assert outcomes[1].at == datetime(2026, 11, 20, 8, 0, 7, tzinfo=UTC)
    assert outcomes[1].message.endswith("This bucket has no default encryption.")


def test_results_of_xccdf_that_trestle_wrote_say_the_same_as_the_original() -> None:
    _header, original = read_sample("openscap.xccdf.xml")
    _header, outcomes = read_sample("trestle-xccdf.json")
    assert table(outcomes) == table(original)
    assert outcomes[0].severity is Severity.MEDIUM


def observed(*, told: bool = False, **properties: str) -> dict[str, Any]:
    """OSCAL with an observation of the properties, of which a finding tells or not."""
    target = {"target-id": "a", "status": {"state": "satisfied"}}
    finding = {"target": target, "related-observations": [{"observation-uuid": "o"}]}
    props = [{"name": name.replace("_", "-"), "value": value} for name, value in properties.items()]
    result = {
        "start": "2026-11-20T10:00:00Z",
        "observations": [{"uuid": "o", "props": props, "subjects": [{"subject-uuid": "s", "type": "host"}]}],
        "findings": [finding] if told else [],
    }
    return {"assessment-results": {"metadata": {"title": "t"}, "results": [result]}}


def test_an_observation_is_told_once_and_only_where_it_names_a_check_and_a_result() -> None:
    said = {"config_rule_name": "r", "compliance_type": "COMPLIANT"}
    assert table(read(observed(**said))[1]) == [("PASS", "r", "s")]
    assert table(read(observed(told=True, **said))[1]) == [("PASS", "a", "s")]
    assert read(observed(config_rule_name="r"))[1] == []
    assert read(observed(result="pass"))[1] == []
    [unsure] = read(observed(idref="r", result="INSUFFICIENT_DATA"))[1]
    assert (unsure.result, unsure.message) == (Result.UNKNOWN, "the source's result is INSUFFICIENT_DATA")


def test_results_alone_need_a_title() -> None:
    assert refusal({"results": [{"uuid": "u", "start": "2026-11-20T10:00:00Z"}]}).startswith(
        "/: the document has"
    )


def test_an_unknown_state_of_oscal_is_refused_with_its_place() -> None:
    document = {
        "assessment-results": {
            "metadata": {"title": "t"},
            "results": [{"findings": [{"target": {"target-id": "x", "status": {"state": "done"}}}]}],
        }
    }
    assert refusal(document).startswith(
        '/assessment-results/results/0/findings/0/target/status/state: "done"'
    )


def test_this_products_own_sbom_is_counted_and_gives_no_outcomes() -> None:
    header, outcomes = read_sample("cyclonedx-py.json")
    assert (header.format, header.producer, header.producer_version) == ("cyclonedx", "cyclonedx-py", "7.5.0")
    assert header.notes == ("4 components, 0 vulnerabilities",)
    assert outcomes == []


def bom(**vulnerability: Any) -> dict[str, Any]:
    return {
        # The flaws stand before the components on purpose.
        "vulnerabilities": [{"id": "CVE-2026-1", "affects": [{"ref": "a"}, {"ref": "b"}], **vulnerability}],
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": "2026-11-01T00:00:00Z"},
        "components": [
            {
                "bom-ref": "a",
                "name": "x",
                "purl": "pkg:pypi/x@1",
                "components": [{"bom-ref": "b", "name": "y", "version": "2"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (None, Result.FAIL),
        ("exploitable", Result.FAIL),
        ("in_triage", Result.UNKNOWN),
        ("resolved", Result.PASS),
        ("not_affected", Result.NOT_APPLICABLE),
    ],
)
def test_a_vex_statements_analysis_decides_for_each_component(state: str | None, result: Result) -> None:
    _, outcomes = read(
        bom(analysis={"state": state} if state else None, ratings=[{"severity": "low"}, {"score": 9.1}])
    )
    assert table(outcomes) == [
        (result.value, "CVE-2026-1", "pkg:pypi/x@1"),
        (result.value, "CVE-2026-1", "y@2"),
    ]
    assert outcomes[0].severity is Severity.CRITICAL


def test_a_bad_bom_is_refused_with_its_place() -> None:
    assert '/vulnerabilities/0/analysis/state: "odd"' in refusal(bom(analysis={"state": "odd"}))
    assert "/specVersion: CycloneDX 1.4" in refusal({**bom(), "specVersion": "1.2"})


CSV = FieldMapping(
    check="rule", resource="host", result="state", time="when", time_format="%d.%m.%Y", citations="hipaa",
    results={"ok": Result.PASS, "bad": Result.FAIL}, severity="level", producer="Scanner",
)  # fmt: skip
HEAD = "rule,host,state,when,hipaa,level,more\n"


def test_a_csv_is_read_by_what_the_mapping_says_of_its_columns() -> None:
    rows = (
        HEAD + 'backup,db-1,OK,01.11.2026,164.308(a)(7)(ii)(A),High,\n"log, kept",db-2,Bad,,,,"two\nlines"\n'
    )
    header, outcomes = read(rows.encode("utf-8-sig"), "csv", CSV)
    assert header.producer == "Scanner"
    assert table(outcomes) == [("PASS", "backup", "db-1"), ("FAIL", "log, kept", "db-2")]
    assert outcomes[0].at == datetime(2026, 11, 1, tzinfo=UTC)
    assert (outcomes[0].citations, outcomes[0].severity) == (("164.308(a)(7)(ii)(A)",), Severity.HIGH)
    assert outcomes[0].place == "line 2"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the first row"),
        (b"rule,host\n", 'line 1: the column "state" of the mapping is missing'),
        (
            (HEAD + "a,b,maybe,,,,\n").encode(),
            'line 2: the mapping doesn\'t say what the result "maybe" means',
        ),
        ((HEAD + "a,b\n").encode(), "line 2: 2 fields, where the first row has 7"),
        ((HEAD + "a,b,ok,yesterday,,,\n").encode(), 'line 2: "yesterday" is no time in the form %d.%m.%Y'),
        ((HEAD + '"a,b,ok').encode(), "no CSV"),
        (HEAD.encode() + b"\xff,b,ok,,,,\n", "not UTF-8"),
        (HEAD.encode() + b"a\0,b,ok,,,,\n", "NUL"),
        (b"c," * 1_000_000 + b"\n", "longer than"),
        (b"c," * 2_000 + b"\n", "more than 1000 columns"),
        (HEAD.encode() + b"x" * 200_000 + b",b,ok,,,,\n", "no CSV: field larger"),
    ],
)
def test_a_bad_csv_is_refused_with_its_line(data: bytes, words: str) -> None:
    assert words in refusal(data, "csv", CSV)


def test_a_mapping_is_refused_for_what_is_wrong_in_it() -> None:
    good = {"check": "rule", "result": "state", "results": {"OK": "PASS"}}
    assert mapping_from(good).results == {"ok": Result.PASS}
    for change, words in (
        ({"results": {"ok": "GREEN"}}, "a word means one of PASS"),
        ({"odd": "x"}, 'there is no "odd"'),
        ({"check": ""}, "the mapping names no field for check"),
        ({"delimiter": "x"}, "a delimiter is one of"),
        ({"check": 1}, "text is expected"),
    ):
        with pytest.raises(BadDocument, match=words):
            mapping_from({**good, **change})
    assert "is read by a saved mapping" in refusal(b"a,b\n", "csv")


def by_schema(schema: Any, **more: Any) -> FieldMapping:
    return mapping_from(
        {
            "items": "/data/rows",
            "check": "/test/id",
            "resource": "/on/0",
            "result": "/ok",
            "results": {"True": "PASS", "False": "FAIL"},
            "schema": schema,
            **more,
        }
    )


ROW = {"test": {"id": "t1"}, "on": ["host-1"], "ok": True}
DOCUMENT = {"data": {"rows": [ROW, {**ROW, "ok": False}]}}


def test_plain_json_is_read_by_pointers_into_each_item() -> None:
    schema = {
        "type": "object",
        "required": ["test"],
        "properties": {"test": {"$ref": "#/$defs/test"}},
        "$defs": {"test": {"properties": {"id": {"pattern": "^t[0-9]+$"}}}},
    }
    _, outcomes = read(DOCUMENT, "json", by_schema(schema))
    assert table(outcomes) == [("PASS", "t1", "host-1"), ("FAIL", "t1", "host-1")]
    assert outcomes[1].place == "/data/rows/1"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"required": ["extra"]}, '/data/rows/0: "extra" is missing'),
        ({"properties": {"ok": {"type": "string"}}}, "/data/rows/0/ok: the schema's type refuses it"),
        (
            {"properties": {"test": {"properties": {"id": {"pattern": "^x"}}}}},
            "/data/rows/0/test/id: the schema's pattern",
        ),
        ({"$ref": "http://127.0.0.1:1/schema.json"}, "mapping/schema: "),
        ({"$ref": "#"}, "mapping/schema: "),
        ({"pattern": "(a)\\1"}, "can't be read by RE2"),
        ({"type": "odd"}, "no valid JSON Schema"),
        ({"patternProperties": {"^(a+)+$": {}}}, "the keyword patternProperties is not read"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "2020-12 is read"),
    ],
)
def test_a_schema_refuses_items_and_is_refused_itself_when_hostile(schema: Any, words: str) -> None:
    assert words in refusal(DOCUMENT, "json", by_schema(schema))


def test_a_schema_that_grows_with_every_reference_ends_soon() -> None:
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 10} for n in range(12)} | {"l12": {}}
    began = time.process_time()
    assert "steps to validate" in refusal(
        DOCUMENT, "json", by_schema({"$ref": "#/$defs/l0", "$defs": levels})
    )
    assert time.process_time() - began < 5


def test_a_pattern_that_backtracks_elsewhere_takes_no_time_here() -> None:
    schema = {"properties": {"test": {"properties": {"id": {"pattern": "^(a+)+$"}}}}}
    document = {"data": {"rows": [{**ROW, "test": {"id": "a" * 50_000 + "!"}}]}}
    read(DOCUMENT, "json", by_schema({}))  # the library is imported with the first schema
    began = time.process_time()
    assert "pattern refuses" in refusal(document, "json", by_schema(schema))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("data", "kind", "active"),
    [
        (b"%PDF-1.7\n", "application/pdf", False),
        (b"%PDF-1.7\n/JavaScript (x)", "application/pdf", True),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png", False),
        (b"GIF89a/*\0<script>alert(1)</script>", "image/gif", True),
        (b"Minutes of the meeting\n", "text/plain", False),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", True),
        (b"<!DOCTYPE html><p>", "text/html", True),
        ("Protokoll: Übung".encode(), "text/plain", False),
    ],
)
def test_any_file_is_a_document_of_the_kind_that_its_bytes_show(data: bytes, kind: str, active: bool) -> None:
    header, outcomes = read(data, name="evil.pdf.exe")
    assert (header.format, header.media_type, outcomes) == ("document", kind, [])
    assert (ACTIVE_NOTE in header.notes) is active


@pytest.mark.parametrize("data", [b"MZ\x90\0", b"\x7fELF\x02", b"\0\1\2"])
def test_programs_and_unknown_bytes_are_no_document(data: bytes) -> None:
    assert "of no kind that is taken as a document" in refusal(data, "document")


REPORT = "Clinic-a1b2/Report-c3d4"
PDF = f"{REPORT}/Encryption-e5f6/AWS Config/2026-11-01/evidence-1.pdf"


def report(digest: str | None, **changes: bytes) -> bytes:
    files = {
        f"{REPORT}/AssessmentReportSummary.pdf": b"%PDF-1.7 summary",
        f"{REPORT}/README.txt": b"read",
        PDF: b"%PDF-1.7 one",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in (files | changes).items():
            archive.writestr(name, data)
        if digest is not None:
            archive.writestr(f"{REPORT}/digest.txt", digest)
    return packed.getvalue()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def lines(one: bytes = b"%PDF-1.7 one") -> str:
    coded = base64.b64encode(hashlib.sha256(b"read").digest()).decode()
    return f"{sha(b'%PDF-1.7 summary')}  AssessmentReportSummary.pdf\n{REPORT}/README.txt: {coded}\n{sha(one)} *{PDF}\n"


def test_audit_managers_report_is_verified_by_its_digests() -> None:
    header, outcomes = read(report(lines()))
    assert (header.format, header.title, header.verified, outcomes) == (
        "audit_manager",
        "Clinic-a1b2",
        True,
        [],
    )
    assert header.notes[0] == "1 controls, 1 evidence files"
    as_json = json.dumps(
        {
            PDF: sha(b"%PDF-1.7 one"),
            "README.txt": sha(b"read"),
            "AssessmentReportSummary.pdf": sha(b"%PDF-1.7 summary"),
        }
    )
    assert read(report(as_json))[0].verified is True


def test_a_changed_report_is_refused_and_one_that_cant_be_verified_says_so() -> None:
    assert "its SHA-256 is not what digest.txt says" in refusal(report(lines(b"another")))
    assert read(report("signed by key 7"))[0].verified is False
    assert read(report(lines().splitlines()[0]))[0].verified is False
    assert read(report(None))[0].verified is None
