from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from evidence.aws.reader import AwsReader
from evidence.collectors.base import Action, Collector, Scope
from evidence.types import Answers, GapReason
from tests.evidence.fake_aws import FakeSession, client_error, collect, pool

WHY = "Because the test reads it."


def collector(function, *operations: str, service: str = "kms") -> Collector:
    actions = tuple(Action(f"{service}:{name}", name, WHY) for name in operations)
    return Collector(
        title="Sample",
        service=service,
        scope=Scope.REGIONAL,
        version=3,
        actions=actions,
        collect=function,
        name="sample",
    )


def describe(aws: AwsReader, name: str) -> None:
    aws.get("DescribeKey", key=name, KeyId=name)


LIST_KEYS = collector(lambda aws: aws.list("ListKeys", "Keys", Limit=2), "ListKeys")
PAGES = {None: ("a", "second"), "second": ("b", "third"), "third": ("c", None)}


def page(Marker: str | None = None, **_limit: int) -> dict[str, Any]:  # noqa: N803  AWS's name
    key, following = PAGES[Marker]
    token = {"NextMarker": following} if following else {}
    return {"Keys": [{"KeyId": key}], "Truncated": bool(following), **token}


def failing_once(error: Exception, at: int):
    """The pages, but the call with this number raises."""
    calls = iter(range(1000))

    def answer(**params):
        if next(calls) == at:
            raise error
        return page(**params)

    return answer


def keys_of(payload) -> list[str]:
    return [key["KeyId"] for key in Answers.from_payload(payload).items("ListKeys", "Keys")]


def test_pages_are_joined_to_the_last_and_the_tokens_are_not_kept():
    collected = collect(LIST_KEYS, FakeSession({"kms:ListKeys": page}))
    assert collected.payload["calls"] == {
        "ListKeys": {"": {"response": {"Keys": [{"KeyId": "a"}, {"KeyId": "b"}, {"KeyId": "c"}]}}}
    }
    assert collected.calls == {"kms:ListKeys": 3}
    assert len({found.request_id for found in collected.request_ids}) == 3


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_a_session_that_expires_on_any_page_loses_nothing(at, code):
    session = FakeSession({"kms:ListKeys": failing_once(client_error(code), at)})
    assert keys_of(collect(LIST_KEYS, session).payload) == ["a", "b", "c"]
    assert session.calls["kms:ListKeys"] == 4


def test_a_session_that_stays_expired_is_a_gap():
    collected = collect(LIST_KEYS, FakeSession({"kms:ListKeys": client_error("ExpiredTokenException")}))
    assert [gap.reason for gap in collected.gaps] == [GapReason.EXPIRED]
    assert collected.calls["kms:ListKeys"] == 2


@pytest.mark.parametrize("at", [1, 2])
def test_a_listing_whose_token_went_stale_starts_again(at):
    session = FakeSession({"kms:ListKeys": failing_once(client_error("InvalidNextTokenException"), at)})
    assert keys_of(collect(LIST_KEYS, session).payload) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "loop", [{None: "x", "x": "x"}, {None: "x", "x": "y", "y": "x"}], ids=["itself", "in turns"]
)
def test_a_listing_that_never_ends_is_given_up_and_is_a_gap(loop):
    def answer(Marker=None, **_limit):  # noqa: N803  AWS's name
        return {"Keys": [{"KeyId": "a"}], "Truncated": True, "NextMarker": loop[Marker]}

    collected = collect(LIST_KEYS, FakeSession({"kms:ListKeys": answer}))
    assert [(gap.reason, gap.code) for gap in collected.gaps] == [(GapReason.FAILED, "RepeatedPage")]
    assert collected.payload["calls"] == {}


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_listing_that_breaks_on_any_page_is_a_gap_and_never_half_a_list(at):
    collected = collect(
        LIST_KEYS, FakeSession({"kms:ListKeys": failing_once(client_error("AccessDeniedException"), at)})
    )
    assert collected.payload["calls"] == {}
    assert collected.payload["gaps"] == [
        {
            "service": "kms",
            "operation": "ListKeys",
            "key": "",
            "reason": "denied",
            "code": "AccessDeniedException",
        }
    ]


def test_what_comes_after_the_deadline_is_timed_out_and_not_called():
    session = FakeSession({"kms:ListKeys": page})
    collected = collect(LIST_KEYS, session, deadline_seconds=-1)
    assert [gap.reason for gap in collected.gaps] == [GapReason.TIMED_OUT]
    assert not session.calls


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadTimeoutError(endpoint_url="https://x"), GapReason.TIMED_OUT),
        (EndpointConnectionError(endpoint_url="https://x"), GapReason.FAILED),
    ],
)
def test_network_failures_are_gaps(error, reason):
    assert [gap.reason for gap in collect(LIST_KEYS, FakeSession({"kms:ListKeys": error})).gaps] == [reason]


def test_an_absent_setting_is_an_answer_only_where_the_collector_says_so():
    def read(aws):
        aws.get("GetKeyPolicy", key="one", absent=("NotFoundException",), KeyId="one", PolicyName="default")
        aws.get("GetKeyPolicy", key="two", KeyId="two", PolicyName="default")

    collected = collect(
        collector(read, "GetKeyPolicy"), FakeSession({"kms:GetKeyPolicy": client_error("NotFoundException")})
    )
    assert collected.payload["calls"]["GetKeyPolicy"] == {"one": {"absent": "NotFoundException"}}
    assert [gap.key for gap in collected.gaps] == ["two"]


def test_the_same_question_is_asked_once_and_a_key_means_one_question():
    heard = []

    def read(aws):
        heard.append(aws.get("DescribeKey", key="one", KeyId="one"))
        heard.append(aws.get("DescribeKey", key="one", KeyId="one"))

    session = FakeSession({"kms:DescribeKey": {"KeyMetadata": {"KeyId": "one"}}})
    collect(collector(read, "DescribeKey"), session)
    assert heard[0] == heard[1] == {"KeyMetadata": {"KeyId": "one"}}
    assert session.calls["kms:DescribeKey"] == 1

    def mistake(aws):
        aws.get("DescribeKey", key="one", KeyId="one")
        aws.get("DescribeKey", key="one", KeyId="two")

    with pytest.raises(ValueError, match="two different ways"):
        collect(collector(mistake, "DescribeKey"), FakeSession({"kms:DescribeKey": {}}))


def test_items_are_read_several_at_a_time():
    together = threading.Barrier(4, timeout=180)

    def meet(**_params):
        together.wait()
        return {}

    def read(aws: AwsReader) -> None:
        aws.each(lambda name: describe(aws, name), "abcd")

    collected = collect(collector(read, "DescribeKey"), FakeSession({"kms:DescribeKey": meet}))
    assert list(collected.payload["calls"]["DescribeKey"]) == ["a", "b", "c", "d"]


def test_a_pool_that_is_busy_with_others_delays_nothing_for_ever():
    release = threading.Event()

    def read(aws: AwsReader) -> None:
        aws.each(lambda name: describe(aws, name), "abcd")

    with ThreadPoolExecutor(1) as busy:
        busy.submit(release.wait)
        session: Any = FakeSession({"kms:DescribeKey": {}})
        reader = AwsReader(session, collector(read, "DescribeKey"), "us-east-1", busy, time.monotonic() + 600)
        read(reader)
        release.set()
    assert session.calls["kms:DescribeKey"] == 4


def test_a_mistake_in_a_collector_is_raised_from_other_threads_too():
    def read(aws):
        aws.each(lambda name: aws.get("Decrypt", key=name), "abcdefgh")

    with pytest.raises(LookupError):
        collect(collector(read, "DescribeKey"), FakeSession({}))


def test_an_unknown_region_is_refused_before_any_call():
    session = FakeSession({"kms:ListKeys": page})
    with pytest.raises(ValueError, match="us-east-1"):
        collect(LIST_KEYS, session, "us-esat-1")
    assert not session.calls


def report(states: list[str], until_deadline: float = 600) -> tuple[AwsReader, list[float], bool]:
    answers = iter([*states, *["STARTED"] * 1000])
    session: Any = FakeSession({"iam:GenerateCredentialReport": lambda: {"State": next(answers)}})
    pauses: list[float] = []
    sample = collector(lambda _aws: None, "GenerateCredentialReport", service="iam")
    with pool() as executor:
        reader = AwsReader(
            session, sample, "global", executor, time.monotonic() + until_deadline, pauses.append
        )
        done = reader.wait_for("GenerateCredentialReport", until=lambda answer: answer["State"] == "COMPLETE")
    return reader, pauses, done


def test_waiting_records_the_last_answer_alone():
    reader, pauses, done = report(["STARTED", "INPROGRESS", "COMPLETE"])
    assert done
    assert len(pauses) == 2
    assert reader.payload()["calls"] == {
        "GenerateCredentialReport": {"": {"response": {"State": "COMPLETE"}}}
    }


def test_waiting_ends_at_the_deadline_with_a_gap():
    reader, _, done = report([], until_deadline=0.5)
    assert not done
    assert [gap.reason for gap in reader.record.gaps()] == [GapReason.TIMED_OUT]
    assert reader.payload()["calls"] == {}
