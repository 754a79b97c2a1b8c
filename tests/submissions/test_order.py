"""Documents in any order, each more than once: what stands in the end is the same."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.collected import collect
from tests.submissions.conftest import Pusher, ocsf

RANK = {"PASS": 1, "MANUAL": 2, "FAIL": 3}
SAID = {"MANUAL": "UNKNOWN"}
DOCUMENTS = 14


@pytest.mark.parametrize("seed", [3, 4])
def test_shuffled_and_doubled_documents_lead_to_what_an_oracle_says(pusher: Pusher, seed: int):
    chance = random.Random(seed)
    documents = [_document(chance) for _ in range(DOCUMENTS)]
    orders = [*range(DOCUMENTS), *range(DOCUMENTS)]
    chance.shuffle(orders)
    for index in orders:
        findings, complete_at = documents[index]
        query = {"complete": "true", "effective_to": complete_at} if complete_at else {}
        answer = pusher.post(json.dumps(findings).encode(), key=f"document-{index}", **query)
        pusher.work(answer.json()["id"])
    assert {key: said[::2] for key, said in pusher.findings().items()} == _expected(documents)


def _document(chance: random.Random) -> tuple[list[dict], str]:
    """Few checks and resources, so that documents contradict each other; some are complete as of a time."""
    named = {(chance.randrange(2), chance.randrange(4)) for _ in range(3)}
    findings = [
        ocsf(
            f"c{check}",
            f"r{resource}",
            chance.choice(list(RANK)),
            at=1_780_000_000 + chance.randrange(10_000),
        )
        for check, resource in sorted(named)
    ]
    moment = datetime.fromtimestamp(1_780_000_000 + chance.randrange(10_000), UTC).isoformat()
    return findings, moment.replace("+00:00", "Z") if chance.random() < 0.4 else ""


def _expected(documents: list[tuple[list[dict], str]]) -> dict[tuple[str, str], tuple[str, bool]]:
    words: dict[tuple[str, str], tuple[float, int, str]] = {}
    complete_at = 0.0
    for findings, moment in documents:
        fixed = datetime.fromisoformat(moment).timestamp() if moment else 0.0
        complete_at = max(complete_at, fixed)
        for each in findings:
            key = (f"prowler:{each['metadata']['event_code']}", each["resources"][0]["uid"])
            status = each["status_code"]
            word = (fixed or each["time"], RANK[status], status)
            words[key] = max(words.get(key, word), word)
    return {key: (SAID.get(word[2], word[2]), word[0] < complete_at) for key, word in words.items()}


@pytest.mark.parametrize("said", ["a\x1fb", "\\ ' {} , \" \n %s null", "é𝄞"])
def test_a_finding_says_what_the_document_says_whatever_its_letters(pusher: Pusher, said: str):
    pusher.push([ocsf("c", "r", message=said), ocsf("c", "s", message="")])
    observed = {resource: said for (_check, resource), (_, said, _) in pusher.findings().items()}
    assert observed == {"r": said.replace("\x1f", " "), "s": "c on s"}


def test_a_document_joins_what_our_own_checks_say_without_counting_their_findings_again(pusher: Pusher):
    collect(pusher.machine.tenant)
    safeguard = "safeguards/164.312(c)(1)"
    ours = pusher.machine.ask("GET", safeguard).json()["checks"]
    received = pusher.post(json.dumps([ocsf("theirs", "a", "PASS", citations=("164.312(c)(1)",))]).encode())
    with CaptureQueriesContext(connection) as statements:
        pusher.work(received.json()["id"])
    asked = [each["sql"] for each in statements]
    theirs = {"id": "prowler:theirs", "title": "About theirs", "severity": "high"}
    counts = {"failed": 0, "unknown": 0, "passed": 1, "not_applicable": 0}
    assert ours
    both = sorted([theirs | counts, *ours], key=lambda each: each["id"])
    assert pusher.machine.ask("GET", safeguard).json()["checks"] == both
    assert asked
    assert not [each for each in asked if re.search('FROM "assessments_finding".*GROUP BY', each)]
