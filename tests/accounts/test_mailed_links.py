"""New passwords and new addresses by links in mails: what they change, what they never open, and what strangers learn."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.after_answer import wait_for_work
from accounts.audit.events import Act
from accounts.models import AuditEntry, EmailChange, PasswordReset, Person
from accounts.services.people import disable_person
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import PASSWORD, code_for, grow_stale, make_ready_person, post_password, sign_in
from tests.accounts.work import work_counted
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "four quite plain words"


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def person(tenant) -> Person:
    return make_ready_person(tenant=tenant)


def _ask(email: str):
    answer = Client().post("/sign-in/forgotten/", {"email": email})
    wait_for_work()
    return answer


def _path(body: str) -> str:
    return re.search(r"http://localhost:8000(/\S+)", body)[1]


def _link(person: Person, mailoutbox) -> str:
    mailoutbox.clear()
    _ask(person.email)
    return _path(mailoutbox[0].body)


class TestPasswordReset:
    def test_the_link_changes_the_password_and_the_second_factor_is_still_asked(self, person, mailoutbox):
        link, client = _link(person, mailoutbox), Client()
        assert client.get(link).status_code == 200
        assert client.post(link, {"password": NEW}).url == "/sign-in/"
        assert client.get("/profile/").status_code == 302
        assert post_password(client, person).status_code == 422
        assert post_password(client, person, NEW).url == "/sign-in/code/"
        assert client.get("/profile/").url.startswith("/sign-in/code/")
        assert client.post("/sign-in/code/", {"code": code_for(person)}).url == "/"

    def test_it_ends_every_session_is_recorded_and_told(self, person, tenant, mailoutbox):
        open_one = sign_in(person)
        link = _link(person, mailoutbox)
        Client().post(link, {"password": NEW})
        assert open_one.get("/profile/").status_code == 302
        assert "by a link sent to this address" in mailoutbox[-1].body
        with open_tenant(tenant.pk):
            assert AuditEntry.objects.filter(act=Act.PASSWORD_RESET, object_id=str(person.pk)).count() == 1

    def test_it_works_once(self, person, mailoutbox):
        link = _link(person, mailoutbox)
        assert Client().post(link, {"password": NEW}).status_code == 302
        assert Client().get(link).status_code == 404
        assert Client().post(link, {"password": "another four plain words"}).status_code == 404

    def test_it_works_once_however_it_is_raced(self, person, mailoutbox):
        link, statuses, barrier = _link(person, mailoutbox), [], threading.Barrier(8)

        def race(number: int) -> None:
            barrier.wait(timeout=180)
            statuses.append(Client().post(link, {"password": f"{NEW} {number}"}).status_code)
            connection.close()

        threads = [threading.Thread(target=race, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=180)
        assert sorted(statuses) == [302] + [404] * 7

    def test_it_lasts_half_an_hour_and_a_newer_one_ends_it(self, person, mailoutbox):
        first = _link(person, mailoutbox)
        second = _link(person, mailoutbox)
        assert Client().get(first).status_code == 404
        with time_machine.travel(timezone.now(), tick=False) as clock:
            clock.shift(timedelta(minutes=29))
            assert Client().get(second).status_code == 200
            clock.shift(timedelta(minutes=2))
            assert Client().get(second).status_code == 404

    def test_an_unfit_password_uses_no_link_up(self, person, mailoutbox):
        link = _link(person, mailoutbox)
        assert Client().post(link, {"password": "short"}).status_code == 422
        assert Client().post(link, {"password": NEW}).status_code == 302

    def test_the_table_holds_no_token(self, person, mailoutbox):
        token = _link(person, mailoutbox).split("/")[-2]
        kept = PasswordReset.objects.get(person=person, used_at=None)
        assert token.encode() not in bytes(kept.token_digest)
        assert Client().get(f"/sign-in/forgotten/{bytes(kept.token_digest).hex()}/").status_code == 404

    def test_a_mailbox_gets_three_links_an_hour(self, person, mailoutbox):
        for _ in range(5):
            _ask(person.email)
        assert len(mailoutbox) == 3

    @pytest.mark.parametrize("kind", ["nobody", "disabled", "single sign-on"])
    def test_who_has_no_password_here_gets_the_same_answer_and_no_mail(self, person, mailoutbox, kind):
        email = "nobody-at-all@example.org" if kind == "nobody" else person.email
        if kind == "disabled":
            disable_person(person=person)
        if kind == "single sign-on":
            Person.objects.filter(pk=person.pk).update(password=make_password(None))
        known = make_ready_person()
        answers = [_ask(email), _ask(known.email)]
        assert [message.to for message in mailoutbox] == [[known.email]]
        assert answers[0].status_code == answers[1].status_code == 200
        assert answers[0].content == answers[1].content

    def test_the_answer_is_as_much_work_for_nobody_as_for_somebody(self, person, monkeypatch):
        """Work, not time: bench/enumeration.py measures that. The mail is sent after the answer."""
        _ask(person.email)
        work = []
        for email in (person.email, f"nobody-{person.email}"):
            with work_counted(monkeypatch) as done:
                Client().post("/sign-in/forgotten/", {"email": email})
            work.append(done)
            wait_for_work()
        assert work[0].statements == work[1].statements
        assert work[0].hashes == work[1].hashes

    def test_the_link_begins_with_the_sites_own_address(self, person, mailoutbox, settings):
        settings.ALLOWED_HOSTS = ["*"]
        Client(HTTP_HOST="evil.example").post("/sign-in/forgotten/", {"email": person.email})
        wait_for_work()
        assert "evil" not in mailoutbox[0].body
        assert "http://localhost:8000/sign-in/forgotten/" in mailoutbox[0].body


class TestEmailChange:
    @pytest.fixture
    def client(self, person) -> Client:
        return sign_in(person)

    @pytest.fixture
    def wanted(self, person) -> str:
        return f"new-{person.email}"

    @pytest.fixture
    def links(self, client, wanted, mailoutbox) -> dict[str, str]:
        """The link to the new address, and the link to the old one."""
        assert client.post("/profile/email/", {"email": wanted}).status_code == 302
        return {message.to[0]: _path(message.body) for message in mailoutbox}

    def test_nothing_changes_before_the_proof_and_then_it_does(self, person, client, wanted, links):
        other = sign_in(person)
        person.refresh_from_db()
        assert person.email != wanted
        assert client.get(links[wanted]).status_code == 200
        assert client.post(links[wanted]).status_code == 302
        old = person.email
        person.refresh_from_db()
        assert person.email == wanted
        assert client.get("/profile/").status_code == 200
        assert other.get("/profile/").status_code == 302
        assert Client().post("/sign-in/", {"email": old, "password": PASSWORD}).status_code == 422
        assert post_password(Client(), person).status_code == 302
        assert client.post(links[wanted]).status_code == 404

    def test_the_old_address_is_told_twice_and_undoes_it_for_seven_days(
        self, person, client, wanted, links, mailoutbox
    ):
        old = person.email
        client.post(links[wanted])
        assert [message.to for message in mailoutbox] == [[wanted], [old], [old]]
        assert _path(mailoutbox[1].body) == _path(mailoutbox[2].body) == links[old]
        with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
            assert Client().get(links[old]).status_code == 200
            Person.objects.get(email=wanted)
            assert Client().post(links[old]).url == "/sign-in/forgotten/"
        person.refresh_from_db()
        assert person.email == old
        assert client.get("/profile/").status_code == 302
        assert Client().post(links[old]).status_code == 404

    def test_after_seven_days_it_stays(self, client, person, wanted, links):
        client.post(links[wanted])
        with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
            assert Client().post(links[person.email]).status_code == 404

    def test_undoing_before_the_proof_stops_it(self, person, client, wanted, links):
        Client().post(links[person.email])
        again = sign_in(person)
        assert again.post(links[wanted]).status_code == 404
        assert client.get("/profile/").status_code == 302

    def test_a_chain_of_changes_is_undone_from_the_first_address(
        self, person, client, wanted, links, mailoutbox
    ):
        first = person.email
        client.post(links[wanted])
        mailoutbox.clear()
        client.post("/profile/email/", {"email": f"third-{first}"})
        client.post(_path(mailoutbox[0].body))
        Client().post(links[first])
        person.refresh_from_db()
        assert person.email == first
        assert Client().post(_path(mailoutbox[1].body)).status_code == 404

    def test_another_person_cannot_confirm_it(self, wanted, links):
        assert sign_in(make_ready_person()).post(links[wanted]).status_code == 404
        assert Client().post(links[wanted]).status_code == 302
        assert not Person.objects.filter(email=wanted).exists()

    def test_an_address_that_somebody_has_gets_a_word_and_no_link(self, client, mailoutbox):
        other = make_ready_person()
        free = client.post("/profile/email/", {"email": f"free-{other.email}"})
        taken = client.post("/profile/email/", {"email": other.email})
        assert (free.status_code, free.url) == (taken.status_code, taken.url)
        said = next(message.body for message in mailoutbox if message.to == [other.email])
        assert "http" not in said

    def test_an_address_taken_meanwhile_is_refused(self, client, wanted, links):
        make_ready_person()
        Person.objects.create_user(wanted, PASSWORD)
        assert client.post(links[wanted]).status_code == 409

    def test_it_needs_a_fresh_proof(self, client, wanted):
        assert grow_stale(client).post("/profile/email/", {"email": wanted}).url.startswith("/step-up/")
        assert not EmailChange.objects.filter(new_email=wanted).exists()

    @pytest.mark.parametrize("unfit", ["", "nobody", "ä@example.org", "own"])
    def test_an_unfit_address_is_refused_at_its_field(self, person, client, unfit):
        answer = client.post("/profile/email/", {"email": person.email if unfit == "own" else unfit})
        assert answer.status_code == 422
        assert "email" in answer.context["form"].errors

    def test_the_link_lasts_a_day(self, person, wanted, links):
        with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1), tick=False):
            assert sign_in(person).get(links[wanted]).status_code == 404

    def test_who_signs_in_elsewhere_keeps_the_address_of_the_organisation(self, person, client, wanted):
        Person.objects.filter(pk=person.pk).update(password=make_password(None))
        assert client.post("/profile/email/", {"email": wanted}).status_code in {302, 403}
        assert not EmailChange.objects.filter(new_email=wanted).exists()

    def test_every_step_is_recorded(self, person, tenant, client, wanted, links):
        client.post(links[wanted])
        Client().post(links[person.email])
        with open_tenant(tenant.pk):
            acts = AuditEntry.objects.filter(act__startswith="person.email").order_by("occurred_at")
            assert [entry.act for entry in acts] == [
                Act.EMAIL_CHANGE_ASK,
                Act.EMAIL_CHANGE,
                Act.EMAIL_CHANGE_UNDO,
            ]


def test_a_changed_password_and_a_used_recovery_code_are_told_by_mail(person, mailoutbox):
    from accounts.services.second_factor import create_recovery_codes

    code = create_recovery_codes(person=person)[0]
    client = Client()
    post_password(client, person)
    client.post("/sign-in/code/", {"code": code})
    client.post("/profile/password/", {"current": PASSWORD, "password": NEW})
    said = [message.body for message in mailoutbox]
    assert "New recovery codes were made" in said[0]
    assert "A recovery code was used" in said[1]
    assert "The password of your account was changed" in said[2]
