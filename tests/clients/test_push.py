"""A document is pushed whole and once, whatever happens on the way."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from surety import (
    AnswerUnreadable,
    Client,
    ClientSecret,
    DocumentChanged,
    Problem,
    Receipt,
    ReceiptUnproven,
    SettingUnfit,
    SubmissionState,
    TokenRefused,
    Undecided,
    Unreachable,
    verify,
)

from tests.clients.portal import CLIENT, CUT, KEY, RESET, SECRET, Answer

PUSHES = "submissions"


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "findings.ocsf.json"
    path.write_bytes(b'[{"class_uid": 2003}]')
    return path


def test_what_is_pushed_arrives_with_its_digest_and_what_it_is_evidence_for(client, portal, document):
    receipt = client.push(
        document, citations=["164.312(b)", "164.308(a)(1)(ii)(D)"], stream="nightly", complete=True,
        effective_from=datetime(2026, 3, 1, tzinfo=UTC), effective_to="2026-03-31T00:00:00Z", mapping="m-1", format="ocsf",
    )  # fmt: skip
    [seen] = portal.asked(PUSHES)
    assert seen.body == document.read_bytes()
    assert seen.query == [
        ("for", "164.308(a)(1)(ii)(D),164.312(b)"), ("format", "ocsf"), ("name", "findings.ocsf.json"),
        ("stream", "nightly"), ("complete", "true"), ("effective_from", "2026-03-01T00:00:00+00:00"),
        ("effective_to", "2026-03-31T00:00:00Z"), ("mapping", "m-1"),
    ]  # fmt: skip
    assert seen.headers["content-type"] == "application/json"
    assert (receipt.size, receipt.sequence, receipt.replayed) == (21, 1, False)
    assert receipt.received_at == datetime(2026, 3, 31, 10, tzinfo=UTC)


def test_the_same_push_again_is_the_same_submission(client, portal, document):
    first = client.push(document, citations=["164.312(b)", "164.312(a)(1)"])
    again = client.push(document, citations=["164.312(a)(1)", "164.312(b)"])
    other = client.push(document, citations=["164.312(b)"])
    anew = client.push(document, citations=["164.312(b)"], idempotency_key="another")
    assert again == Receipt.read({**portal.kept[_key(portal, 0)].said}, replayed=True)
    assert again.id == first.id
    assert len({first.id, other.id, anew.id}) == 3


def _key(portal, place: int) -> str:
    return portal.asked(PUSHES)[place].headers["idempotency-key"]


def test_a_stream_is_pushed_from_where_it_stands_and_a_pipe_is_measured_first(client, portal):
    stream = io.BytesIO(b"left out, pushed")
    stream.seek(10)
    client.push(stream, name="x.txt")
    client.push(Pipe(b"from a pipe"))
    assert [seen.body for seen in portal.asked(PUSHES)] == [b"pushed", b"from a pipe"]
    assert [dict(seen.query) for seen in portal.asked(PUSHES)] == [{"name": "x.txt"}, {}]


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_big_document_is_never_held_whole(client, portal, tmp_path):
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.truncate(24 << 20)
    tracemalloc.start()
    try:
        assert client.push(path).size == 24 << 20
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "fault",
    [
        RESET, CUT, Answer.problem(408, "body-cut"), Answer.problem(503, "unavailable"), Answer.problem(429, "too-many-requests"), Answer(502, {}), Answer(504, {}),
        Answer.problem(409, "request-in-flight"),
    ],
)  # fmt: skip
def test_what_passes_is_tried_again_with_the_same_key_and_done_once(client, portal, document, waits, fault):
    portal.fail(PUSHES, fault, fault, fault)
    receipt = client.push(document)
    pushes = portal.asked(PUSHES)
    assert len(pushes) == 4
    assert {(seen.body, seen.headers["idempotency-key"]) for seen in pushes} == {
        (document.read_bytes(), _key(portal, 0))
    }
    assert list(portal.submissions) == [receipt.id]
    assert receipt.replayed == (fault == CUT)
    assert len(waits) == 3 and all(0 <= wait <= most for wait, most in zip(waits, (0.5, 1, 2), strict=True))


@pytest.mark.parametrize("path", ["token", PUSHES])
def test_the_portal_says_how_long_to_wait(client, portal, document, waits, path):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    portal.fail(
        path, Answer.problem(429, "too-many-requests", Retry_After="17"), Answer.problem(503, "unavailable", Retry_After=date)
    )  # fmt: skip
    client.push(document)
    assert 17 <= waits[0] <= 18
    assert 30 <= waits[1] <= 91


def test_nobody_waits_for_longer_than_five_minutes(client, portal, document, waits):
    portal.fail(PUSHES, Answer.problem(429, "too-many-requests", "Wait.", Retry_After="301"))
    with pytest.raises(Problem, match=r"429 too-many-requests: Wait\."):
        client.push(document)
    assert waits == []


@pytest.mark.parametrize(
    ("status", "slug"),
    [(400, "unfit-parameter"), (403, "scope-missing"), (404, "not-found"), (409, "conflict"), (413, "body-too-large"),
     (415, "unsupported-media-type"), (422, "idempotency-key-reused"), (500, "internal")],
)  # fmt: skip
def test_what_does_not_pass_is_raised_at_once_with_its_type_and_detail(
    client, portal, document, waits, status, slug
):
    portal.fail(PUSHES, Answer.problem(status, slug, "Do this."))
    with pytest.raises(Problem) as raised:
        client.push(document)
    problem = raised.value
    assert str(problem) == f"{status} {slug}: Do this."
    assert (problem.status, problem.type, problem.slug, problem.detail) == (
        status, f"urn:surety:problem:{slug}", slug, "Do this.",
    )  # fmt: skip
    assert len(portal.asked(PUSHES)) == 1 and waits == []


def test_after_seven_attempts_the_last_refusal_or_silence_is_raised(client, portal, document, waits):
    portal.fail(PUSHES, *[RESET] * 7)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 gave no answer, asked 7 times"):
        client.push(document)
    assert len(waits) == 6 and not portal.submissions
    portal.fail(PUSHES, *[Answer.problem(503, "unavailable")] * 7)
    with pytest.raises(Problem, match="503 unavailable"):
        client.push(document)


def test_a_document_that_shrinks_meanwhile_is_not_pushed(portal, document, retry):
    class Shrinking(ClientSecret):
        def token(self) -> str:
            document.write_bytes(b"[]")
            return super().token()

    tokens = Shrinking(portal.origin, CLIENT, SECRET, retry=retry)
    with Client(portal.origin, token_source=tokens, retry=retry) as client, pytest.raises(DocumentChanged):
        client.push(document)
    assert not portal.submissions


def test_a_document_that_changes_meanwhile_is_refused_by_its_digest(portal, document, retry):
    class Changing(ClientSecret):
        def token(self) -> str:
            document.write_bytes(b"?" * document.stat().st_size)
            return super().token()

    tokens = Changing(portal.origin, CLIENT, SECRET, retry=retry)
    with (
        Client(portal.origin, token_source=tokens, retry=retry) as client,
        pytest.raises(Problem, match="digest"),
    ):
        client.push(document)


def test_a_receipt_of_another_document_is_no_receipt(client, portal, document):
    client.push(document)
    portal.fail(PUSHES, Answer(201, {**portal.kept[_key(portal, 0)].said, "digest": "00" * 32}))
    with pytest.raises(AnswerUnreadable, match="another document"):
        client.push(document)
    portal.fail(PUSHES, Answer(201, {"id": "x"}))
    with pytest.raises(AnswerUnreadable, match="lacks something"):
        client.push(document)


# What came of it


def test_waiting_ends_when_the_portal_has_judged(client, portal, document, waits):
    portal.asked_before_judged = 3
    portal.outcome = {
        "state": "accepted",
        "counts": {"outcomes": 5, "passed": 3, "failed": 2, "brand_new": 1},
    }
    receipt = client.push(document, citations=["164.312(b)"])
    found = client.wait(receipt.id)
    assert (found.state, found.counts.passed, found.citations) == (
        SubmissionState.ACCEPTED,
        3,
        ("164.312(b)",),
    )
    assert len(waits) == 3
    portal.asked_before_judged = 99
    with pytest.raises(Undecided, match="0 seconds"):
        client.wait(receipt.id, timeout=0)


def test_lists_are_walked_by_their_cursors(client, document):
    made = [client.push(document, idempotency_key=str(number)).id for number in range(3)]
    assert [found.id for found in client.submissions(state="accepted")] == made
    assert [item["id"] for item in client.items("submissions")] == made
    assert [len(page.items) for page in client.pages("submissions", limit=1)] == [1, 1, 1]


def test_a_receipt_is_proven_by_the_portals_key_alone(client, document):
    receipt = client.push(document)
    assert client.verify(receipt)["digest"] == receipt.digest
    assert client.receipt(receipt.id) == {"receipt": receipt.receipt, "proof": None}
    keys = client.receipt_keys()
    head, body, signature = receipt.receipt.split(".")
    altered = Receipt(**{**_members(receipt), "size": 7})
    stranger = {"keys": [{**keys["keys"][0], "x": "A" * 43}]}
    for text, known in (
        (f"{head}.{body}.{'A' * 86}", keys), (receipt.receipt, stranger), (altered, keys),
        (f"eyJhbGciOiJub25lIn0.{body}.", keys), ("x", keys), (f"{head}.{body}", keys),
    ):  # fmt: skip
        with pytest.raises(ReceiptUnproven):
            verify(text, known)
    with pytest.raises(SettingUnfit):
        verify(receipt, {"error": "x"})
    assert signature and KEY.kid == "receipts-1"


def _members(receipt: Receipt) -> dict:
    return {name: getattr(receipt, name) for name in Receipt.__slots__}


# Who pushes


def test_one_token_serves_until_shortly_before_its_end_and_a_refused_one_is_renewed(client, portal, document):
    client.push(document)
    client.push(document)
    assert len(portal.tokens) == 1
    portal.tokens.clear()
    client.push(document)
    assert len(portal.tokens) == 1
    portal.tokens.clear()
    portal.fail("token", Answer.problem(401, "unauthenticated"))
    with pytest.raises(Problem, match="unauthenticated"):
        client.push(document)


def test_a_wrong_secret_says_so_and_is_never_shown(portal, retry, caplog):
    caplog.set_level("DEBUG")
    tokens = ClientSecret(portal.origin, CLIENT, "wrong-secret", retry=retry)
    with Client(portal.origin, token_source=tokens, retry=retry) as client:
        with pytest.raises(TokenRefused, match="invalid_client: No such client or secret") as raised:
            client.get("safeguards")
        shown = f"{client!r} {tokens!r} {vars(raised.value)} {caplog.text}"
    assert raised.value.error == "invalid_client"
    assert "wrong-secret" not in shown and tokens._basic not in shown


@pytest.mark.parametrize(
    "address",
    ["http://portal.example.org", "https://portal.example.org/api/v1", "portal.example.org", "https://me:secret@portal.example.org",
     "ftp://x", "https://", "https://x/?y", ""],
)  # fmt: skip
def test_nothing_secret_goes_to_an_address_that_is_not_a_portals(address):
    with pytest.raises(SettingUnfit) as raised:
        Client(address, client_id=CLIENT, client_secret=SECRET)
    assert "secret" not in str(raised.value).replace(SECRET, "")


@pytest.mark.parametrize("path", ["/safeguards", "../x", "https://elsewhere.example", "a/../../x"])
def test_the_token_goes_nowhere_but_below_the_interface(client, path):
    with pytest.raises(SettingUnfit):
        client.get(path)
    with pytest.raises(SettingUnfit):
        client.submission(f"x/{path}")


def test_something_else_that_answers_is_told_from_the_portal(client, portal):
    portal.fail("safeguards", Answer(200, []))
    with pytest.raises(AnswerUnreadable):
        client.get("safeguards")
    portal.fail(
        "safeguards",
        Answer(301, {}, {"Content-Type": "text/html", "Location": "https://elsewhere.example/x"}),
    )
    with pytest.raises(Problem, match="sends elsewhere"):
        client.get("safeguards")
