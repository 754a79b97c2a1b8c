"""Codes: each opens once, also when raced; wrong ones wait, and never for long."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.devices import TotpDevice
from accounts.sealing import SealBrokenError, seal, unseal
from accounts.services.second_factor import confirm_totp, create_recovery_codes, match_code, prepare_totp
from tests.accounts.factories import PASSWORD, code_for, give_second_factor, make_ready_person, post_password
from tests.factories import make_member, make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

TRIALS, RACERS = 25, 8


def _race(act) -> list[object]:
    """The results of RACERS threads that do the same at the same moment, each on its own connection."""
    barrier, results = threading.Barrier(RACERS), []

    def run() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=180)
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    assert len(results) == RACERS
    return results


def test_one_code_of_the_app_opens_once_however_it_is_raced():
    for _ in range(TRIALS):
        person = make_person()
        give_second_factor(person)
        code = code_for(person)
        assert sum(result is not None for result in _race(partial(match_code, person=person, code=code))) == 1


def test_one_recovery_code_opens_once_however_it_is_raced():
    for _ in range(TRIALS):
        person = make_person()
        code = create_recovery_codes(person=person)[0]
        assert sum(result is not None for result in _race(partial(match_code, person=person, code=code))) == 1


def test_two_set_ups_at_once_make_one_device():
    person = make_person()
    assert len({device.secret for device in _race(lambda: prepare_totp(person=person))}) == 1
    assert TotpDevice.objects.filter(user=person).count() == 1


@pytest.mark.parametrize(
    "dress",
    ["+{}", " {}", "{} ", "{}\n", "0{}", "{}.0", lambda c: f"{c[:3]}_{c[3:]}", lambda c: f"{c[:3]} {c[3:]}",
     lambda c: c.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)}), lambda c: c.translate({ord(str(n)): chr(0x660 + n) for n in range(10)})],
)  # fmt: skip
def test_only_six_ascii_digits_are_a_code(dress):
    person = make_person()
    give_second_factor(person)
    code = code_for(person)
    given = dress.format(code) if isinstance(dress, str) else dress(code)
    assert match_code(person=person, code=given) is None
    assert match_code(person=person, code=code) is not None


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(-6, False), (-5, True), (0, True), (29, True), (34, True), (36, False), (60, False)],
)
def test_a_code_lives_for_its_thirty_seconds_and_five_on_either_side(seconds, accepted):
    person = make_person()
    give_second_factor(person)
    begin = datetime.fromtimestamp(time.time() // 30 * 30, UTC)
    with time_machine.travel(begin, tick=False) as clock:
        code = code_for(person)
        clock.shift(timedelta(seconds=seconds))
        assert (match_code(person=person, code=code) is not None) is accepted


def test_an_older_code_is_not_taken_after_a_newer_one():
    person = make_person()
    give_second_factor(person)
    with time_machine.travel(timezone.now(), tick=False):
        assert match_code(person=person, code=code_for(person)) is not None
        assert match_code(person=person, code=code_for(person, steps=-1)) is None


def test_waiting_after_wrong_codes_never_exceeds_fifteen_minutes():
    person = make_person()
    device = give_second_factor(person)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        waits = []
        for _ in range(14):
            assert match_code(person=person, code="000000") is None
            device.refresh_from_db()
            waits.append((device.blocked_until() - timezone.now()).total_seconds())
            clock.shift(timedelta(seconds=waits[-1]))
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
        assert match_code(person=person, code=code_for(person)) is not None


def test_tries_during_the_wait_do_not_prolong_it_and_the_right_code_waits_too():
    person = make_person()
    device = give_second_factor(person)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            match_code(person=person, code="000000")
        device.refresh_from_db()
        assert device.throttling_failure_count == 1
        assert match_code(person=person, code=code_for(person)) is None
        clock.shift(timedelta(seconds=1))
        assert match_code(person=person, code=code_for(person)) is not None


def test_whoever_knows_the_password_cannot_keep_the_owner_from_a_recovery_code():
    person = make_person()
    give_second_factor(person)
    codes = create_recovery_codes(person=person)
    for _ in range(50):
        match_code(person=person, code="000000")
    assert match_code(person=person, code=codes[0]) is not None


def test_new_recovery_codes_end_the_old_ones():
    person = make_person()
    old = create_recovery_codes(person=person)[0]
    new = create_recovery_codes(person=person)[0]
    assert match_code(person=person, code=old) is None
    assert match_code(person=person, code=new) is not None


def test_no_code_confirms_by_itself_a_device_that_is_not_set_up():
    person = make_person()
    device = prepare_totp(person=person)
    with pytest.raises(Exception, match="isn't right"):
        confirm_totp(person=person, code="000000")
    device.refresh_from_db()
    assert not device.confirmed
    assert match_code(person=person, code="000000") is None


def test_a_seed_copied_to_another_persons_row_does_not_open():
    mine, theirs = give_second_factor(make_person()), give_second_factor(make_person())
    TotpDevice.objects.filter(pk=theirs.pk).update(sealed_seed=mine.sealed_seed)
    theirs.refresh_from_db()
    with pytest.raises(SealBrokenError):
        _ = theirs.seed


def test_sealed_secrets_survive_a_rotation_of_the_key(settings):
    sealed = seal(b"seed", place="totp:1")
    settings.FIELD_KEYS_RETIRED = {"1": settings.FIELD_KEY}
    settings.FIELD_KEY, settings.FIELD_KEY_ID = b"another key of 32 characters or more", "2"
    assert unseal(sealed, place="totp:1") == b"seed"
    assert seal(b"seed", place="totp:1")[1:2] == b"2"
    settings.FIELD_KEYS_RETIRED = {}
    with pytest.raises(SealBrokenError):
        unseal(sealed, place="totp:1")


def test_sealing_twice_gives_different_bytes():
    assert seal(b"seed", place="totp:1") != seal(b"seed", place="totp:1")


def test_verify_token_is_called_by_nobody():
    """A device's verify_token doesn't lock: one code raced through it opens up to eight times."""
    checkout = Path(__file__).resolve().parents[2]
    calls = [
        path.name
        for app in ("accounts", "evidence", "assessments", "tasks", "portal")
        for path in (checkout / app).rglob("*.py")
        if re.search(r"(?<!def )\bverify_token\(|import .*verify_token", path.read_text(encoding="utf-8"))
    ]
    assert calls == []


def test_wrong_codes_are_recorded_and_say_how_long_to_wait():
    person, client = make_ready_person(), Client()
    post_password(client, person)
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 422
    answer = client.post("/sign-in/code/", {"code": "000000"})
    assert answer.status_code in {422, 429}


def test_password_alone_opens_no_page_after_a_hundred_guesses():
    person, client = make_member(make_tenant(), password=PASSWORD), Client()
    give_second_factor(person)
    post_password(client, person)
    right = code_for(person), code_for(person, steps=1), code_for(person, steps=-1)
    for guess in range(100):
        if f"{guess:06}" not in right:
            assert client.post("/sign-in/code/", {"code": f"{guess:06}"}).status_code in {422, 429}
    assert client.get("/profile/").status_code == 302
