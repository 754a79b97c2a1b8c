"""The two steps of signing in, as a person in front of a browser meets them."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.after_answer import wait_for_work
from accounts.audit.events import Act
from accounts.models import AuditEntry, RecoveryCode, Session, SignInThrottle, TotpDevice
from accounts.services.people import disable_person
from accounts.sessions import session_digest
from accounts.tenancy.scope import open_tenant
from portal import settings as product
from tests.accounts.factories import PASSWORD, code_for, make_ready_person, post_password, sign_in
from tests.accounts.work import work_counted
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def _entries(tenant, act: Act, person) -> list[AuditEntry]:
    with open_tenant(tenant.id):
        return list(AuditEntry.objects.filter(act=act, object_id=str(person.pk)).order_by("occurred_at"))


def _try_password(email: str, password: str = "wrong", address: str = "192.0.2.1"):
    answer = Client(REMOTE_ADDR=address).post("/sign-in/", {"email": email, "password": password})
    wait_for_work()
    return answer


def test_password_and_code_lead_to_the_overview():
    person = make_ready_person()
    client = Client()
    assert post_password(client, person).url == "/sign-in/code/"
    answer = client.post("/sign-in/code/", {"code": code_for(person)})
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.get("/profile/").status_code == 200


def test_the_address_is_found_in_any_case():
    person = make_ready_person()
    answer = _try_password(f" {person.email.upper()} ", PASSWORD)
    assert answer.status_code == 302


def test_the_path_that_was_asked_for_is_reached_after_both_steps():
    person, client = make_ready_person(), Client()
    asked = client.get("/audit/?act=member.add")
    client.post(asked.url, {"email": person.email, "password": PASSWORD, "next": "/audit/?act=member.add"})
    assert client.post("/sign-in/code/", {"code": code_for(person)}).url == "/audit/?act=member.add"


@pytest.mark.parametrize(
    "hostile",
    [
        "//evil.example/",
        "https://evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "http:///evil.example",
    ],
)
def test_a_path_of_another_site_is_not_followed(hostile):
    person, client = make_ready_person(), Client()
    client.post("/sign-in/", {"email": person.email, "password": PASSWORD, "next": hostile})
    assert client.post("/sign-in/code/", {"code": code_for(person)}).url == "/"


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer():
    person = make_ready_person()
    known, unknown = _try_password(person.email), _try_password("x" + person.email)
    assert known.status_code == unknown.status_code == 422
    texts = [
        answer.content.decode().replace(email, "")
        for answer, email in ((known, person.email), (unknown, "x" + person.email))
    ]
    assert [text.split("csrfmiddlewaretoken")[0] for text in texts[:1]] == [
        text.split("csrfmiddlewaretoken")[0] for text in texts[1:]
    ]
    assert "isn&#x27;t right" in texts[0]


def test_a_disabled_person_gets_the_same_answer_as_a_stranger():
    person = make_ready_person()
    disable_person(person=person)
    assert _try_password(person.email, PASSWORD).content.count(b"isn&#x27;t right") == 1


def test_an_unknown_address_is_as_much_work_as_a_known_one(monkeypatch):
    """Work, not time, which other work on the machine makes longer: bench/enumeration.py measures that.

    The entry in the log is written after the answer, so it doesn't count.
    """
    person, client = make_ready_person(), Client()
    _answer_without_close(client, {"email": person.email, "password": "wrong"}, "198.51.100.6")
    work = {}
    for kind, email in (("known", person.email), ("unknown", f"nobody-{person.email}")):
        with work_counted(monkeypatch) as done:
            answer = _answer_without_close(client, {"email": email, "password": "wrong"}, "198.51.100.7")
        assert answer.status_code == 422
        work[kind] = done
    assert work["known"].hashes == work["unknown"].hashes == 1
    assert work["known"].statements == work["unknown"].statements


def _answer_without_close(client, data, address):
    """What the server has sent when the client stops its watch: all but the call of close()."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory

    handler = WSGIHandler()
    request = RequestFactory(REMOTE_ADDR=address).post("/sign-in/", data)
    request._dont_enforce_csrf_checks = True
    return handler.get_response(request)


def test_the_session_key_is_new_after_each_step():
    person, client = make_ready_person(), Client()
    post_password(client, person)
    first = client.cookies["session"].value
    client.post("/sign-in/code/", {"code": code_for(person)})
    second = client.cookies["session"].value
    assert first != second
    assert not Session.objects.filter(session_key=session_digest(first)).exists()


def test_the_table_of_sessions_holds_no_key():
    client = sign_in(make_ready_person())
    key = client.cookies["session"].value
    assert not Session.objects.filter(session_key__contains=key[:20]).exists()
    stolen = Client()
    stolen.cookies["session"] = session_digest(key)
    assert stolen.get("/profile/").status_code == 302


def test_both_steps_and_failures_stand_in_the_logs_of_all_tenants_of_the_person():
    one, other = make_tenant(), make_tenant()
    person = make_ready_person(tenant=one)
    with open_tenant(other.id):
        from accounts.models import Membership

        Membership.objects.create(person=person, role="viewer")
    _try_password(person.email)
    sign_in(person)
    for tenant in (one, other):
        assert [entry.outcome for entry in _entries(tenant, Act.SIGN_IN, person)] == ["failed", "done"]
        assert [entry.outcome for entry in _entries(tenant, Act.SECOND_FACTOR, person)] == ["done"]


def test_a_sign_in_that_cannot_be_recorded_does_not_happen(monkeypatch):
    from django.db import OperationalError

    def refuse(*_args, **_kwargs):
        raise OperationalError("the log can't be written")

    person, client = make_ready_person(), Client()
    monkeypatch.setattr("accounts.services.person_log.record", refuse)
    assert post_password(client, person).status_code == 503
    assert "session" not in client.cookies


class TestWaiting:
    def test_ten_tries_are_free_and_then_the_right_password_waits_too(self):
        person = make_ready_person()
        assert [_try_password(person.email).status_code for _ in range(10)] == [422] * 10
        answer = _try_password(person.email, PASSWORD)
        assert answer.status_code == 429
        assert 1 <= int(answer["Retry-After"]) <= 30

    def test_an_address_that_nobody_has_waits_alike(self):
        email = f"{timezone.now().timestamp()}@example.org"
        assert [_try_password(email).status_code for _ in range(11)][-1] == 429

    def test_a_stranger_in_another_network_cannot_keep_the_owner_out(self):
        person = make_ready_person()
        for _ in range(11):
            _try_password(person.email, address="203.0.113.9")
        assert _try_password(person.email, PASSWORD, address="192.0.2.77").status_code == 302

    def test_neighbours_of_a_network_are_one(self):
        person = make_ready_person()
        for last in range(11):
            _try_password(person.email, address=f"2001:db8:0:{last}::1")
        assert _try_password(person.email, PASSWORD, address="2001:db8:0:ff::2").status_code == 429

    def test_the_wait_never_exceeds_fifteen_minutes(self):
        person, start = make_ready_person(), timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            waits = []
            for _ in range(24):
                answer = _try_password(person.email)
                if answer.status_code == 429:
                    waits.append(int(answer["Retry-After"]))
                    clock.shift(timedelta(seconds=waits[-1]))
            assert waits[:6] == [30, 60, 120, 240, 480, 900]
            assert max(waits) == 900
            assert _try_password(person.email, PASSWORD).status_code in {302, 429}
            clock.shift(timedelta(minutes=15))
            assert _try_password(person.email, PASSWORD).status_code == 302

    def test_a_success_forgets_the_failures(self):
        person = make_ready_person()
        for _ in range(9):
            _try_password(person.email)
        assert _try_password(person.email, PASSWORD).status_code == 302
        assert [_try_password(person.email).status_code for _ in range(10)] == [422] * 10

    def test_old_rows_are_swept_by_later_tries(self):
        _try_password("old@example.org")
        SignInThrottle.objects.update(last_try_at=timezone.now() - timedelta(days=2))
        for number in range(20):
            _try_password(f"{number}-{timezone.now().timestamp()}@example.org", address=f"198.18.{number}.1")
        assert not SignInThrottle.objects.filter(last_try_at__lt=timezone.now() - timedelta(days=1)).exists()


class TestSpraying:
    """One password tried for many people from one network."""

    @pytest.fixture(autouse=True)
    def _limit(self, db, settings):
        settings.NETWORK_TRIES = 10
        SignInThrottle.objects.all().delete()  # what other tests tried from the same networks

    @staticmethod
    def _spray(network: str, tries: int = 10) -> None:
        for number in range(tries):
            answer = _try_password(f"{number}-{network}@example.org", address=f"{network}.{number}")
            assert answer.status_code == 422

    def test_a_network_that_failed_for_many_waits_for_all(self):
        person = make_ready_person()
        self._spray("203.0.1")
        answer = _try_password(person.email, PASSWORD, address="203.0.1.99")
        assert (answer.status_code, 1 <= int(answer["Retry-After"]) <= 60) == (429, True)
        assert _try_password(person.email, PASSWORD, address="203.0.2.99").status_code == 302

    def test_one_try_is_let_in_each_minute(self):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            self._spray("203.0.3")
            clock.shift(timedelta(seconds=61))
            statuses = [_try_password(f"x{n}@example.org", address="203.0.3.7").status_code for n in range(2)]
            assert statuses == [422, 429]

    def test_who_signed_in_with_this_browser_before_comes_in_all_the_same(self):
        person, client = make_ready_person(), Client(REMOTE_ADDR="203.0.4.200")
        post_password(client, person)
        client.post("/sign-in/code/", {"code": code_for(person)})
        client.post("/sign-out/")
        self._spray("203.0.4")
        assert _try_password(person.email, PASSWORD, address="203.0.4.200").status_code == 429
        assert post_password(client, person).status_code == 302
        client.post("/sign-out/")
        assert post_password(client, make_ready_person()).status_code == 429
        forged = Client(REMOTE_ADDR="203.0.4.200")
        forged.cookies["known"] = client.cookies["known"].value.replace(":", "0:", 1)
        assert post_password(forged, person).status_code == 429

    def test_who_signs_in_takes_nothing_from_the_networks_tries(self):
        person = make_ready_person()
        for _ in range(12):
            assert _try_password(person.email, PASSWORD, address="203.0.5.1").status_code == 302

    def test_asking_for_new_passwords_counts_too(self):
        self._spray("203.0.6")
        client = Client(REMOTE_ADDR="203.0.6.1")
        assert client.post("/sign-in/forgotten/", {"email": "a@example.org"}).status_code == 429

    def test_the_products_limit_is_a_hundred(self):
        assert product.NETWORK_TRIES == 100


class TestSetUp:
    @pytest.fixture
    def newcomer(self):
        return make_member(make_tenant(), password=PASSWORD)

    @pytest.fixture
    def client(self, newcomer):
        client = Client()
        post_password(client, newcomer)
        return client

    def test_the_picture_and_the_secret_lead_to_ten_codes_shown_once(self, client, newcomer):
        page = client.get("/sign-in/set-up/")
        assert b"<svg" in page.content
        secret = page.context["secret"].replace(" ", "")
        answer = client.post("/sign-in/set-up/", {"code": pyotp.TOTP(secret).now()})
        assert len(set(answer.context["codes"])) == 10
        assert answer["Cache-Control"] == "no-store"
        assert client.get("/profile/").status_code == 200
        assert client.get("/sign-in/set-up/").status_code == 302

    def test_a_wrong_code_confirms_nothing(self, client, newcomer):
        client.get("/sign-in/set-up/")
        assert client.post("/sign-in/set-up/", {"code": "000000"}).status_code == 422
        assert client.get("/profile/").status_code == 302

    def test_the_seed_is_unreadable_in_the_database(self, client, newcomer):
        client.get("/sign-in/set-up/")
        device = TotpDevice.objects.get(user=newcomer)
        assert device.seed not in bytes(device.sealed_seed)

    def test_who_has_a_second_factor_cannot_set_up_another_by_the_password_alone(self):
        person, client = make_ready_person(), Client()
        post_password(client, person)
        assert client.get("/sign-in/set-up/").url == "/sign-in/code/"
        assert client.post("/sign-in/set-up/", {"code": "123456"}).url == "/sign-in/code/"
        assert TotpDevice.objects.filter(user=person).count() == 1


def test_signing_out_needs_a_post_and_ends_the_session():
    client = sign_in(make_ready_person())
    key = client.cookies["session"].value
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert not Session.objects.filter(session_key=session_digest(key)).exists()
    assert client.get("/profile/").status_code == 302


def test_a_recovery_code_opens_once():
    from accounts.services.second_factor import create_recovery_codes

    person = make_ready_person()
    code = create_recovery_codes(person=person)[3]
    answers = []
    for given in (code.upper(), code):
        client = Client()
        post_password(client, person)
        answers.append(client.post("/sign-in/code/", {"code": given}).status_code)
    assert answers == [302, 422]
    assert RecoveryCode.objects.filter(device__user=person, used_at=None).count() == 9
