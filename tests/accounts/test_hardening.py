"""What stands around signing in and out: transport, what stays in a browser, the operator's hand on sessions."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/api/v1/runs/0/", "/scim/v2/Users", "/api/", "/calendar/feed/secret.ics"])
def test_a_machine_without_tls_is_refused_and_not_led_on(settings, path):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(path, headers={"Authorization": "Bearer secret"})
    assert answer.status_code == 403
    assert b"https" in answer.content


def test_a_person_without_tls_is_led_to_it(settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/sign-in/")
    assert answer.status_code == 301
    assert answer.url.startswith("https://")


def test_signing_out_empties_what_the_browser_keeps():
    client = sign_in(make_ready_person())
    assert client.post("/sign-out/").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_the_operator_ends_the_sessions_of_one_person_alone():
    tenant = make_tenant()
    one, other = make_ready_person(tenant=tenant), make_ready_person(tenant=tenant)
    mine, theirs = sign_in(one), sign_in(other)
    call_command("end_sessions", email=one.email)
    assert mine.get("/").status_code == 302
    assert theirs.get("/").status_code == 200
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act="session.revoke", object_id=str(one.pk)).count() == 1


def test_the_operator_ends_everybodys_sessions():
    clients = [sign_in(make_ready_person()) for _ in range(2)]
    call_command("end_sessions", everybody=True)
    assert [client.get("/").status_code for client in clients] == [302, 302]


def test_an_address_that_nobody_has_is_said():
    with pytest.raises(CommandError, match="Nobody has the address"):
        call_command("end_sessions", email="nobody@example.org")


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/audit/"])
def test_trace_gives_nothing_back(path):
    answer = sign_in(make_ready_person()).trace(path, headers={"X-Canary": "canary"})
    assert answer.status_code in {302, 405}
    assert b"canary" not in answer.content


@pytest.mark.parametrize(
    "password", ["x" * 128, "  spaces at both ends  ", "Grüße aus dem Tal 🌲", "Case Matters Here Too"]
)
def test_a_password_is_verified_exactly_as_typed(password):
    person = make_ready_person()
    person.set_password(password)
    person.save()
    for wrong in (password.strip()[:-1], password.swapcase(), password + " "):
        answer = Client().post("/sign-in/", {"email": person.email, "password": wrong})
        assert answer.status_code == 422
    answer = Client().post("/sign-in/", {"email": person.email, "password": password})
    assert answer.status_code == 302


def test_every_page_lets_one_sign_out():
    client = sign_in(make_ready_person())
    for path in ("/", "/profile/", "/members/", "/audit/", "/evidence/"):
        assert b'action="/sign-out/"' in client.get(path).content, path


def test_what_somebody_types_makes_no_line_of_its_own_in_the_services_log(capfd):
    typed = 'someone@example.org\n{"event": "forged"}'
    Client().post("/sign-in/", {"email": typed, "password": "x"}, headers={"User-Agent": "a\r\nb"})
    Client().get("/findings/?text=%0a{%22event%22:%22forged%22}")
    assert not [line for line in capfd.readouterr().err.splitlines() if line.startswith('{"event": "forged"')]
