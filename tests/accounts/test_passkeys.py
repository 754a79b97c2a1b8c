"""Passkeys: what they open, what they never open, and what is said about them."""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.ceremony import Ceremony, Purpose
from accounts.errors import InvalidInput
from accounts.models import AuditEntry, Passkey, Person, Session, SpentChallenge, TotpDevice
from accounts.services.passkeys import add_passkey as add_passkey_service
from accounts.services.passkeys import creation_options, use_options, use_passkey
from accounts.services.people import disable_person
from accounts.tenancy.scope import open_tenant
from tests.accounts.authenticator import (
    BE,
    BS,
    UP,
    UV,
    Authenticator,
    add_passkey,
    decode,
    encode,
    give_passkey,
    options_for,
    sign_in_by_passkey,
)
from tests.accounts.factories import PASSWORD, grow_stale, make_ready_person, post_password, sign_in
from tests.factories import make_member, make_tenant

NOTHING_OF_THE_KIND = (None, 7, [], {}, "é", "AAAA", "A" * 4000)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def person(tenant) -> Person:
    return make_ready_person(tenant=tenant)


@pytest.fixture
def authenticator(person) -> Authenticator:
    return give_passkey(person)


class TestAdding:
    def test_a_passkey_is_added_and_signs_in_without_a_password(self, person):
        client, key = sign_in(person), Authenticator()
        assert add_passkey(client, key).status_code == 302
        kept = Passkey.objects.get(user=person)
        assert (kept.name, kept.sign_count, kept.backup_eligible, kept.transports) == (
            "Laptop",
            0,
            False,
            ["internal"],
        )
        fresh = Client()
        assert sign_in_by_passkey(key, fresh, next="/members/").url == "/members/"
        assert fresh.get("/profile/").status_code == 200
        kept.refresh_from_db()
        assert (kept.sign_count, kept.last_used_at is not None) == (1, True)

    def test_the_first_set_up_by_passkey_ends_with_recovery_codes(self):
        newcomer = make_member(make_tenant(), password=PASSWORD)
        client, key = Client(), Authenticator()
        post_password(client, newcomer)
        page = client.get("/sign-in/set-up/").content
        assert page.index(b"By a passkey") < page.index(b"By an authenticator app")
        made = key.make(options_for(client, "/passkeys/new/options/"))
        answer = client.post("/sign-in/set-up/", {"name": "Phone", "credential": made})
        assert len(set(answer.context["codes"])) == 10
        assert client.get("/profile/").status_code == 200
        assert not TotpDevice.objects.filter(user=newcomer, confirmed=True).exists()

    def test_the_options_ask_for_user_verification_a_discoverable_key_and_no_second_one_in_the_same_place(
        self, person, authenticator
    ):
        options = options_for(sign_in(person), "/passkeys/new/options/")
        assert options["authenticatorSelection"] == {
            "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
        }  # fmt: skip
        assert options["rp"]["id"] == "localhost"
        assert decode(options["user"]["id"]) == person.pk.bytes
        assert [decode(one["id"]) for one in options["excludeCredentials"]] == [authenticator.credential_id]
        assert person.email not in str(options_for(Client(), "/sign-in/passkey/options/"))

    def test_without_the_second_factor_none_is_added_by_who_has_one(self, person):
        client = Client()
        post_password(client, person)
        assert client.post("/passkeys/new/options/").url == "/sign-in/code/"
        assert client.post("/profile/passkeys/new/", {"name": "x"}).status_code == 302
        assert not Passkey.objects.filter(user=person).exists()

    def test_without_a_fresh_proof_none_is_added(self, person):
        client = grow_stale(sign_in(person))
        assert client.get("/profile/passkeys/new/").url.startswith("/step-up/")
        assert client.post("/passkeys/new/options/").url == "/step-up/"

    @pytest.mark.parametrize(
        "changed",
        [
            {"origin": "https://localhost.evil.example"},
            {"site": "evil.example"},
            {"flags": UP},
            {"flags": UV},
            {"flags": UP | UV | BS},
        ],
    )
    def test_one_made_elsewhere_or_without_its_person_is_refused(self, person, changed):
        client = sign_in(person)
        assert add_passkey(client, Authenticator(**changed)).status_code == 422
        assert not Passkey.objects.filter(user=person).exists()

    def test_a_key_that_somebody_has_is_not_added_again(self, person):
        client, key = sign_in(make_ready_person()), give_passkey(person)
        assert add_passkey(client, key).status_code == 422
        assert Passkey.objects.get(credential_id=key.credential_id).user == person

    def test_an_answer_made_for_a_sign_in_or_in_another_session_adds_nothing(self, person):
        client, other = sign_in(person), sign_in(person)
        for options in (
            options_for(other, "/passkeys/new/options/"),
            options_for(client, "/passkeys/confirm/options/"),
        ):
            made = Authenticator().make({**options, "user": {"id": encode(person.pk.bytes)}})
            assert client.post("/profile/passkeys/new/", {"name": "x", "credential": made}).status_code == 422

    def test_a_name_is_needed(self, person):
        assert add_passkey(sign_in(person), Authenticator(), name="  ").status_code == 422

    def test_the_person_is_told_by_mail(self, person, mailoutbox):
        add_passkey(sign_in(person), Authenticator(), name="Blue key")
        assert [message.to for message in mailoutbox] == [[person.email]]
        assert "“Blue key” was added" in mailoutbox[0].body

    def test_the_page_says_how_each_is_kept(self, person):
        client = sign_in(person)
        for name, flags in (("bound", UP | UV), ("able", UP | UV | BE), ("synced", UP | UV | BE | BS)):
            assert add_passkey(client, Authenticator(flags=flags), name=name).status_code == 302
        page = client.get("/profile/").content.decode()
        assert ["in one device" in page, "can be synchronised" in page, "by its provider" in page] == [
            True
        ] * 3


class TestUsing:
    def test_it_is_the_second_factor_beside_the_app(self, person, authenticator):
        client = Client()
        post_password(client, person)
        assert b"Use a passkey" in client.get("/sign-in/code/").content
        options = options_for(client, "/passkeys/confirm/options/")
        assert [decode(one["id"]) for one in options["allowCredentials"]] == [authenticator.credential_id]
        assert client.post("/sign-in/code/", {"credential": authenticator.use(options)}).url == "/"
        assert client.get("/profile/").status_code == 200

    def test_it_is_a_fresh_proof(self, person, authenticator):
        client = grow_stale(sign_in(person))
        client.get("/step-up/?next=/profile/recovery-codes/")
        options = options_for(client, "/passkeys/confirm/options/")
        answer = client.post("/step-up/", {"credential": authenticator.use(options)})
        assert answer.url == "/profile/recovery-codes/"
        assert client.get(answer.url).status_code == 200

    def test_the_sign_in_is_one_entry_that_names_the_factor(self, person, authenticator, tenant):
        sign_in_by_passkey(authenticator)
        with open_tenant(tenant.pk):
            entry = AuditEntry.objects.get(actor_id=str(person.pk))
        assert (entry.act, entry.outcome) == (Act.SIGN_IN, "done")
        assert json.loads(bytes(entry.body))["details"] == {"factor": "passkey", "device": "Laptop"}

    def test_the_session_has_a_new_key_and_says_by_what_it_was_opened(self, person, authenticator):
        client = Client()
        sign_in_by_passkey(authenticator, client)
        assert Session.objects.get(person=person).factor == "passkey"
        page = client.get("/profile/").content.decode()
        assert "Passkey</td>" in page
        assert "the network you are in" in page

    @pytest.mark.parametrize(
        "changed",
        [
            {"origin": "https://localhost:8000"},
            {"origin": "http://localhost:8001"},
            {"site": "evil.example"},
            {"flags": UP},
            {"flags": UV},
            {"flags": UP | UV | BE},
        ],
    )
    def test_a_wrong_origin_site_flag_or_backup_eligibility_opens_nothing(
        self, person, authenticator, changed
    ):
        for name, value in changed.items():
            setattr(authenticator, name, value)
        assert sign_in_by_passkey(authenticator).status_code == 422
        assert not Session.objects.filter(person=person).exists()

    def test_a_wrong_signature_opens_nothing(self, person, authenticator):
        authenticator.key = Authenticator().key
        assert sign_in_by_passkey(authenticator).status_code == 422

    def test_the_wrong_kind_of_ceremony_opens_nothing(self, authenticator):
        client = Client()
        options = options_for(client, "/sign-in/passkey/options/")
        answer = authenticator.use(options, type="webauthn.create")
        assert client.post("/sign-in/passkey/", {"credential": answer}).status_code == 422

    def test_an_answer_opens_once(self, authenticator):
        client = Client()
        answer = {"credential": authenticator.use(options_for(client, "/sign-in/passkey/options/"))}
        assert client.post("/sign-in/passkey/", answer).status_code == 302
        again = Client()
        again.cookies["ceremony"] = client.cookies["ceremony"].value
        Passkey.objects.update(sign_count=0)
        assert again.post("/sign-in/passkey/", answer).status_code == 422

    def test_an_answer_raced_opens_once(self, authenticator):
        client = Client()
        answer = {"credential": authenticator.use(options_for(client, "/sign-in/passkey/options/"))}
        cookie, statuses, barrier = client.cookies["ceremony"].value, [], threading.Barrier(8)

        def race() -> None:
            racer = Client()
            racer.cookies["ceremony"] = cookie
            barrier.wait(timeout=180)
            statuses.append(racer.post("/sign-in/passkey/", answer).status_code)
            connection.close()

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=180)
        assert sorted(statuses) == [302] + [422] * 7

    def test_a_challenge_of_another_browser_purpose_or_person_is_none(self, person, authenticator):
        stranger = make_ready_person()
        mine, theirs = sign_in(person), sign_in(stranger)
        give_passkey(stranger)
        foreign = [
            options_for(Client(), "/sign-in/passkey/options/"), options_for(theirs, "/passkeys/confirm/options/"),
            options_for(mine, "/passkeys/new/options/"), {"challenge": encode(b"x" * 56)}, {"challenge": ""},
        ]  # fmt: skip
        for options in foreign:
            assert mine.post("/step-up/", {"credential": authenticator.use(options)}).status_code == 422
            assert (
                Client().post("/sign-in/passkey/", {"credential": authenticator.use(options)}).status_code
                == 422
            )

    def test_a_challenge_lasts_five_minutes(self, authenticator):
        client = Client()
        with time_machine.travel(timezone.now(), tick=False) as clock:
            options = options_for(client, "/sign-in/passkey/options/")
            clock.shift(timedelta(minutes=5, seconds=2))
            answer = client.post("/sign-in/passkey/", {"credential": authenticator.use(options)})
            assert answer.status_code == 422

    def test_another_persons_passkey_is_no_second_factor_and_no_proof(self, person):
        theirs, client = give_passkey(make_ready_person()), Client()
        post_password(client, person)
        options = options_for(client, "/passkeys/confirm/options/")
        assert client.post("/sign-in/code/", {"credential": theirs.use(options)}).status_code == 422
        assert client.get("/profile/").status_code == 302

    def test_a_passkey_that_names_another_person_opens_nothing(self, person, authenticator):
        authenticator.user_handle = encode(make_ready_person().pk.bytes)
        assert sign_in_by_passkey(authenticator).status_code == 422
        authenticator.user_handle = ""
        assert sign_in_by_passkey(authenticator).status_code == 422

    def test_a_counter_that_went_back_is_refused_recorded_and_told(
        self, person, authenticator, tenant, mailoutbox
    ):
        authenticator.counter = 7
        assert sign_in_by_passkey(authenticator).status_code == 302
        copy = authenticator
        copy.counter = 3
        assert sign_in_by_passkey(copy).status_code == 422
        assert "a copy of it may be in use" in mailoutbox[-1].body
        with open_tenant(tenant.pk):
            entry = AuditEntry.objects.get(act=Act.SECOND_FACTOR)
        assert json.loads(bytes(entry.body))["details"]["reason"] == "counter"

    def test_passkeys_without_a_counter_work_again_and_again(self, authenticator):
        for _ in range(3):
            authenticator.counter = -1
            assert sign_in_by_passkey(authenticator).status_code == 302

    def test_a_disabled_persons_passkey_opens_nothing(self, person, authenticator):
        disable_person(person=person)
        assert sign_in_by_passkey(authenticator).status_code == 422

    def test_an_unknown_passkey_gets_the_same_answer_as_a_wrong_one(self, authenticator):
        unknown = sign_in_by_passkey(Authenticator())
        authenticator.key = Authenticator().key
        assert unknown.context["problem"] == sign_in_by_passkey(authenticator).context["problem"]

    @pytest.mark.parametrize(
        "hostile",
        ["", "null", "[]", "{}", "[" * 16_000, '{"id": 1}', "x" * 20_000, "\x00", '{"id":"é","rawId":"é","type":"public-key","response":{}}'],
        ids=range(9),
    )  # fmt: skip
    def test_what_no_browser_sends_is_refused_in_peace(self, person, hostile):
        client = sign_in(person)
        for path in ("/step-up/", "/profile/passkeys/new/"):
            assert client.post(path, {"name": "x", "credential": hostile}).status_code == 422
        assert Client().post("/sign-in/passkey/", {"credential": hostile}).status_code == 422

    def test_garbled_answers_never_fail_otherwise(self, person, authenticator):
        """Each field of both answers replaced by what it isn't, and octets of each flipped."""
        making, using = (
            Ceremony(purpose, str(person.pk), "b") for purpose in (Purpose.CREATE, Purpose.CONFIRM)
        )
        made = json.loads(Authenticator().make(json.loads(creation_options(person=person, ceremony=making))))
        used = json.loads(authenticator.use(json.loads(use_options(person=person, ceremony=using))))
        for garbled in _garbled(used):
            with pytest.raises(InvalidInput):
                use_passkey(person=person, answer=json.dumps(garbled), ceremony=using)
        for garbled in _garbled(made):
            with contextlib.suppress(InvalidInput):  # nobody signs a new key's octets, so some pass
                add_passkey_service(person=person, answer=json.dumps(garbled), name="x", ceremony=making)

    def test_a_row_is_written_for_right_answers_alone(self, authenticator):
        before = SpentChallenge.objects.count(), Session.objects.count()
        for _ in range(5):
            options_for(Client(), "/sign-in/passkey/options/")
        assert (SpentChallenge.objects.count(), Session.objects.count()) == before


def _garbled(answer):
    yield from ({**answer, name: other} for name in answer for other in (None, 7, [], {}, "é", "AAAA"))
    for name, value in answer["response"].items():
        changed = [*NOTHING_OF_THE_KIND, *(_flipped(decode(value)) if isinstance(value, str) else ())]
        for other in changed:
            if (name, other) != ("userHandle", None):
                yield {**answer, "response": {**answer["response"], name: other}}


def _flipped(octets: bytes):
    for at in range(0, len(octets), max(1, len(octets) // 40)):
        yield encode(octets[:at] + bytes([octets[at] ^ 0xFF]) + octets[at + 1 :])
