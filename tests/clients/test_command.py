"""The command `surety`, as a job runs it."""

from __future__ import annotations

import io
import json
import logging
import sys
from types import SimpleNamespace

import pytest
from surety.command import main, run

from tests.clients.portal import CLIENT, RESET, SECRET, Answer

PUSHES = "submissions"
JUDGED = {
    "state": "accepted",
    "counts": {
        "outcomes": 1200,
        "passed": 1000,
        "failed": 200,
        "opened": 3,
        "gone": 1,
        "statuses_changed": 2,
    },
    "citations": ["164.312(b)"],
}


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "findings.json"
    path.write_bytes(b"[]")
    return str(path)


@pytest.fixture
def surety(portal, retry, capsys, monkeypatch):
    """Runs the command; gives its exit code and both outputs.

    Handlers that other tests left at the root may write to streams that are closed by now.
    """
    monkeypatch.setattr(logging.getLogger("surety"), "handlers", [logging.NullHandler()])
    monkeypatch.setattr(logging.getLogger("surety"), "propagate", False)

    def run_it(*arguments: str, **environment: str) -> tuple[int, str, str]:
        settings = {
            "SURETY_URL": portal.origin, "SURETY_CLIENT_ID": CLIENT, "SURETY_CLIENT_SECRET": SECRET, **environment,
        }  # fmt: skip
        code = main(arguments, settings, retry)
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        return code, said.out, said.err

    return run_it


def test_a_push_waits_and_says_what_came_of_it(surety, portal, document):
    portal.asked_before_judged, portal.outcome = 2, JUDGED
    code, out, err = surety("push", document, "--for", "164.312(b)", "--stream", "nightly", "--complete")
    [row] = portal.submissions.values()
    assert out.splitlines() == [
        f"Received as {row['id']}.",
        f"  2 bytes, SHA-256 {row['digest']}, receipt number 1",
        "Accepted: ocsf from prowler.",
        "  1,200 outcomes: 1,000 passed, 200 failed",
        "  findings: 3 opened, 1 gone",
        "  statuses changed: 2",
        f"  {portal.origin}/safeguards/164.312(b)/",
        f"  {portal.origin}/submissions/{row['id']}/",
    ]
    assert (code, err) == (0, "")
    assert ("complete", "true") in portal.asked(PUSHES)[0].query
    again = surety("push", document, "--for", "164.312(b)", "--stream", "nightly", "--complete")
    assert again[0] == 0 and "which the portal had before" in again[1]
    surety("push", document, "--for", "164.312(b)", "--again")
    assert len(portal.submissions) == 2


@pytest.mark.parametrize(
    ("state", "said"),
    [("refused", "Refused: /3: no class_uid"), ("quarantined", "Held back: /3: no class_uid")],
)
def test_a_document_that_is_refused_or_held_back_fails_the_job(surety, portal, document, state, said):
    portal.outcome = {"state": state, "problem": "/3: no class_uid\x1b[2J"}
    code, out, _ = surety("push", document)
    assert code == 1 and f"{said}\N{REPLACEMENT CHARACTER}[2J" in out
    [name] = portal.submissions
    assert surety("status", name)[0] == 1


def test_what_is_held_back_says_what_was_found_and_where_but_not_what_it_is(surety, portal, document):
    found = [
        {"weight": "block", "kind": "ssn", "place": f"/{row}/id", "form": "###-##-####"} for row in range(7)
    ]
    portal.outcome = {"state": "quarantined", "found": found}
    code, out, _ = surety("push", document)
    lines = out.splitlines()[2:]
    assert code == 1
    assert lines[:2] == ["Held back: it may hold what identifies patients", "  ssn at /0/id"]
    assert (
        lines[6] == "  and 2 more"
        and lines[-1] == f"  {portal.origin}/submissions/{next(iter(portal.submissions))}/"
    )


def test_several_documents_are_pushed_by_one_identity_and_the_worst_counts(
    surety, portal, document, tmp_path
):
    other = tmp_path / "other.json"
    other.write_bytes(b"{}")
    portal.outcome_of = {"other.json": {"state": "refused"}}
    assert surety("push", str(other), document)[0] == 1
    assert len(portal.submissions) == 2 and len(portal.tokens) == 1
    with pytest.raises(SystemExit) as ended:
        surety("push", document, str(other), "--name", "x")
    assert ended.value.code == 2


def test_standard_input_is_pushed(surety, portal, monkeypatch):
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Pipe(b"from a pipe")))
    assert surety("push", "-", "--name", "report.csv", "--no-wait")[0] == 0
    [seen] = portal.asked(PUSHES)
    assert (seen.body, seen.query) == (b"from a pipe", [("name", "report.csv")])


def test_machines_get_a_line_of_json_for_the_receipt_and_one_for_the_judgement(surety, portal, document):
    portal.outcome = JUDGED
    code, out, _ = surety("push", document, "--json")
    receipt, judged = map(json.loads, out.splitlines())
    assert (code, receipt["state"], receipt["received_at"]) == (0, "received", "2026-03-31T10:00:00+00:00")
    assert (judged["id"], judged["state"]) == (receipt["id"], "accepted")
    assert json.loads(surety("status", receipt["id"], "--json")[1]) == judged
    assert surety("push", document, "--json", "--no-wait")[1].count("\n") == 1


def test_a_receipt_is_printed_and_verified_against_the_document_and_kept_keys(
    surety, portal, document, tmp_path
):
    surety("push", document)
    [name] = portal.submissions
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(portal.answer(_seen("/api/v1/receipt-keys")).said))
    code, out, err = surety("receipt", name, "--verify", "--file", document, "--keys", str(keys))
    assert code == 0 and "The signature is good" in err and json.loads(out)["proof"] is None
    assert not portal.asked("receipt-keys")
    (tmp_path / "findings.json").write_bytes(b"[ ]")
    assert surety("receipt", name, "--file", document)[0] == 2
    portal.submissions["another"] = portal.submissions[name]
    code, _, err = surety("receipt", "another", "--verify")
    assert code == 2 and "another submission's" in err


def _seen(path: str) -> SimpleNamespace:
    return SimpleNamespace(method="GET", path=path, headers={}, query=[], body=b"")


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("push", "/nowhere/x"), {}, "/nowhere/x: No such file or directory"),
        (("check",), {"SURETY_URL": ""}, "SURETY_URL"),
        (("check",), {"SURETY_URL": "http://portal.example.org"}, "begins with https://"),
        (("check",), {"SURETY_CLIENT_ID": ""}, "SURETY_CLIENT_ID"),
        (("check",), {"SURETY_CLIENT_SECRET": ""}, "SURETY_CLIENT_SECRET"),
        (("check",), {"SURETY_CLIENT_SECRET": "other"}, "invalid_client: No such client or secret"),
        (("check",), {"SURETY_KEYLESS": "azure"}, "aws, github, gitlab"),
        (("check", "--keyless", "github"), {}, "id-token: write"),
        (("check", "--keyless", "gitlab"), {}, "id_tokens"),
        (("status", "0190b3f0-0000-7000-8000-00000000dead"), {}, "There is no such thing. (not-found)"),
        (("status", "../x"), {}, "no submission's id"),
    ],
)
def test_what_keeps_it_from_pushing_is_one_line_and_exit_code_2(surety, arguments, environment, said):
    code, out, err = surety(*arguments, **environment)
    assert (code, out) == (2, "")
    assert err.startswith("surety: ") and said in err and err.count("\n") == 1


def test_a_portal_that_never_answers_is_one_line_too(surety, portal, document):
    portal.fail("token", *[RESET] * 7)
    code, _, err = surety("push", document)
    assert code == 2 and "gave no answer, asked 7 times" in err and err.count("\n") == 1


def test_a_client_that_may_not_read_is_told_how_to_push(surety, portal, document):
    portal.submissions["x"] = {}
    name = surety("push", document, "--no-wait", "--json")[1]
    portal.fail(json.loads(name)["id"], Answer.problem(403, "scope-missing"))
    code, out, err = surety("push", document)
    assert code == 2 and "Received as" in out and "--no-wait" in err


def test_what_is_held_back_can_be_deleted_by_whom_pushed_it(surety, portal, document):
    surety("push", document, "--no-wait")
    [row] = portal.submissions.values()
    code, _out, err = surety("delete", row["id"])
    assert (code, "conflict" in err) == (2, True)
    portal.outcome = {"state": "quarantined"}
    portal.fail(row["id"], Answer.problem(503, "unavailable", "Try again shortly."))
    for _again in range(2):
        code, out, _err = surety("delete", row["id"])
        assert (code, out.splitlines()[0]) == (0, "Deleted after it was held back.")
    assert {seen.method for seen in portal.asked(row["id"])} == {"DELETE"}


def test_check_says_what_the_client_may_do(surety, portal):
    assert surety("check") == (
        0, f"{portal.origin} knows API client {CLIENT}: submissions:push submissions:read\n", "",
    )  # fmt: skip


def test_the_program_takes_its_words_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["surety", "push", "--help"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "--for CITATION" in said and "SURETY_CLIENT_SECRET" in said and "exit codes" in said
