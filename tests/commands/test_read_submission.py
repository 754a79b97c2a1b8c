"""`manage.py read_submission`: what a document says, without storing it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from assessments.checks.base import Outcome as OwnOutcome
from assessments.checks.base import Severity as OwnSeverity
from assessments.rule.model import SECURITY_RULE
from evidence.formats.kit.crosswalk import crosswalk
from evidence.formats.kit.outcomes import Result, Severity
from tests.evidence.formats.kit import SAMPLES


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("read_submission", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_a_line_for_every_outcome_and_what_they_come_to() -> None:
    lines = printed(str(SAMPLES / "prowler.ocsf.json")).splitlines()
    assert lines[:2] == ["format: OCSF findings (JSON)", "made by: Prowler 5.46.0"]
    assert lines[-1] == "2 FAIL, 2 PASS, 1 UNKNOWN"
    assert (
        "iam_root_mfa_enabled  arn:aws:iam::111122223333:root  164.308(a)(3)(ii)(A) 164.312(d) (suppressed)"
        in lines[5]
    )


def test_as_json_it_prints_the_header_each_outcome_and_the_counts() -> None:
    rows = [
        json.loads(line)
        for line in printed(str(SAMPLES / "pytest.xml"), "--output", "json", "--limit", "1").splitlines()
    ]
    assert rows[0]["header"]["format"] == "junit"
    assert rows[1]["result"] == "PASS" and rows[1]["citations"] == ["164.308(a)(7)(ii)(D)"]
    assert rows[2] == {"counts": {"PASS": 1, "FAIL": 1, "UNKNOWN": 2}}


def test_bad_input_ends_it_with_one_line_and_exit_code_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(b'[{"class_uid": 2004, "time": "no\\u202etime"}]')
    with pytest.raises(CommandError) as caught:
        printed(str(bad))
    assert caught.value.returncode == 2
    assert str(caught.value) == 'bad.json: /0/time: "no?time" is no time; write it as 2026-01-31T12:00:00Z'
    with pytest.raises(CommandError, match="No such file"):
        printed(str(tmp_path / "none.json"))


def test_outcomes_and_severities_have_the_words_of_our_own_checks() -> None:
    assert [each.value for each in Result] == [each.value for each in OwnOutcome]
    assert [each.value for each in Severity] == [each.value for each in OwnSeverity]


def test_the_crosswalk_cites_what_the_rule_has_and_nothing_that_most_tenants_are_not() -> None:
    cited = {citation for citations in crosswalk().values() for citation in citations}
    assert cited <= set(SECURITY_RULE)
    assert not {c for c in cited if c == "164.308(a)(4)(ii)(A)" or c.startswith("164.314(b)")}


def test_asked_for_identifiers_it_prints_their_places_and_forms_never_their_values(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Rounds\nPatient: Ada Okafor, MRN 00482913\nadmin@example.org\n")
    said = printed(str(notes), "--phi")
    assert [line.split() for line in said.splitlines()] == [
        ["block", "medical_record_number", "line", "2", "00000000"],
        ["block", "name", "line", "2", "xxx", "xxxxxx"],
        ["note", "email", "line", "3", "xxxxx@xxxxxxx.xxx"],
        ["2", "block,", "1", "note"],
    ]
    assert "Okafor" not in said and "00482913" not in said
