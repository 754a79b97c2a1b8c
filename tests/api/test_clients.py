"""How a machine is let in: secrets, tokens, scopes, networks, and how each of them ends."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.clients.services import add_secret, create_client, revoke_client, revoke_secret
from accounts.clients.tokens import find_client, use_client
from accounts.errors import Conflict, InvalidInput, Unauthenticated
from accounts.models import ApiClient, ApiSecret, AuditEntry, Membership
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import FORM, TOKEN, basic, make_machine
from tests.conftest import superuser_dsn
from tests.factories import make_connection, make_run, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(transactional_db):
    return make_machine()


@pytest.fixture
def run_path(machine):
    run = make_run(
        machine.tenant,
        make_connection(machine.tenant),
        state="finished",
        verdict="complete",
        finished_at=timezone.now(),
    )
    return f"runs/{run.pk}/document"


def error_of(answer) -> tuple[int, str]:
    assert answer["Content-Type"].startswith("application/json"), answer.content
    return answer.status_code, answer.json()["error"]


def problem_of(answer) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return answer.status_code, answer.json()["type"].removeprefix("urn:surety:problem:")


def test_a_secret_in_the_header_or_the_body_gives_a_token_for_fifteen_minutes(machine, run_path):
    by_header = machine.fetch()
    by_body = machine.fetch(
        header="none", client_id=str(machine.made.client.pk), client_secret=machine.made.text
    )
    for answer in (by_header, by_body):
        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
        said = answer.json()
        assert (said["token_type"], said["expires_in"]) == ("Bearer", 900)
        assert said["access_token"].startswith("surety_at_")
        assert set(said["scope"].split()) == set(machine.made.client.scopes)
        machine.token = said["access_token"]
        assert machine.ask("GET", run_path).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=901)):
        assert problem_of(machine.ask("GET", run_path)) == (401, "unauthenticated")


def test_who_has_no_secret_gets_the_error_of_the_standard(machine):
    client_id = str(machine.made.client.pk)
    for header in (
        basic(client_id, "wrong"),
        basic(str(uuid4()), machine.made.text),
        basic("x", "y"),
        "Basic !!",
        "none",
    ):
        answer = machine.fetch(header=header)
        assert error_of(answer) == (401, "invalid_client")
        assert "no live client" in answer.json()["error_description"]
        assert answer["WWW-Authenticate"].startswith("Basic")
    assert error_of(machine.fetch(grant_type="password"))[1] == "unsupported_grant_type"
    assert error_of(machine.fetch(scope="everything:write")) == (400, "invalid_scope")
    assert problem_of(Client().get(TOKEN)) == (405, "method-not-allowed")
    assert problem_of(Client().post(TOKEN, "{}", content_type="application/json"))[0] == 415
    assert (
        problem_of(Client().post(f"{TOKEN}?grant_type=client_credentials", "a=b", content_type=FORM))[0]
        == 400
    )
    assert machine.entries() == [(Act.API_CLIENT_TOKEN, "refused")] * 2


def test_a_wrong_secret_is_slowed_down_without_keeping_the_right_one_out(machine):
    answers = [
        machine.fetch(header=basic(str(machine.made.client.pk), "wrong")).status_code for _ in range(13)
    ]
    assert answers[:9] == [401] * 9
    assert answers[-1] == 429
    assert machine.fetch().status_code == 200


def test_a_token_has_the_scopes_that_were_asked_for_and_no_other(machine, run_path):
    machine.token = machine.fetch(scope="findings:read").json()["access_token"]
    answer = machine.ask("GET", run_path)
    assert problem_of(answer) == (403, "scope-missing")
    assert 'scope="runs:read"' in answer["WWW-Authenticate"]
    narrow = make_machine(Scope.FINDINGS_READ)
    assert error_of(narrow.fetch(scope="findings:read runs:read")) == (400, "invalid_scope")
    assert narrow.fetch(scope="findings:read").json()["scope"] == "findings:read"


def test_a_forged_token_is_nobodys(machine, run_path):
    good = machine.fetch().json()["access_token"]
    body, time, signature = good.removeprefix("surety_at_").split(".")
    other = make_machine().fetch().json()["access_token"].removeprefix("surety_at_").split(".")
    for token in (
        "surety_at_", "surety_at_x", good[:-1], good + "x", f"surety_at_{other[0]}.{time}.{signature}",
        f"surety_at_{body}.{other[1]}A.{signature}", "surety_secret_x", "a" * 9000,
    ):  # fmt: skip
        machine.token = token
        assert problem_of(machine.ask("GET", run_path)) == (401, "unauthenticated"), token


def test_revoking_a_client_or_its_secret_holds_from_the_next_request(machine, run_path):
    second = make_machine(tenant=machine.tenant)
    assert machine.ask("GET", run_path).status_code == second.ask("GET", run_path).status_code == 200
    with open_tenant(machine.tenant.pk):
        revoke_secret(client_id=machine.made.client.pk, secret_id=machine.made.secret.pk)
        revoke_client(client_id=second.made.client.pk)
    for one in (machine, second):
        assert problem_of(one.ask("GET", run_path)) == (401, "unauthenticated")
        assert error_of(one.fetch()) == (401, "invalid_client")
        assert one.entries()[-2:] == [(Act.EVIDENCE_READ, "refused"), (Act.API_CLIENT_TOKEN, "refused")]


def test_a_secret_that_is_revoked_while_its_token_is_looked_at_lets_in_no_more(machine):
    found = find_client(machine.fetch().json()["access_token"])
    use_client(found, address="192.0.2.10")
    with open_tenant(machine.tenant.pk):
        revoke_secret(client_id=machine.made.client.pk, secret_id=machine.made.secret.pk)
    assert found.stands
    with pytest.raises(Unauthenticated):
        use_client(found, address="192.0.2.10")


def test_a_request_whose_connection_to_the_database_has_died_is_answered_over_a_new_one(machine, run_path):
    assert machine.ask("GET", run_path).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with psycopg.connect(superuser_dsn(), autocommit=True) as superuser:
        superuser.execute("select pg_terminate_backend(%s, 10000)", [backend])
    assert machine.ask("GET", run_path).status_code == 200


def test_a_client_that_is_over_is_let_in_no_more(machine, run_path):
    machine.token = machine.fetch().json()["access_token"]
    with open_tenant(machine.tenant.pk):
        ApiClient.objects.update(expires_at=timezone.now())
    assert machine.ask("GET", run_path).status_code == machine.fetch().status_code == 401


def test_two_secrets_live_side_by_side_and_only_their_digests_are_kept(machine):
    with open_tenant(machine.tenant.pk):
        by, client_id = Membership.objects.get(), machine.made.client.pk
        second = add_secret(client_id=client_id, by=by)
        with pytest.raises(Conflict, match="Two secrets are live"):
            add_secret(client_id=client_id, by=by)
    assert (
        machine.fetch().status_code
        == machine.fetch(header=basic(str(client_id), second.text)).status_code
        == 200
    )
    with open_tenant(machine.tenant.pk):
        assert all(secret.last_used_at for secret in ApiSecret.objects.all())
        assert not any(
            second.text.encode() in bytes(secret.secret_digest) for secret in ApiSecret.objects.all()
        )
        assert not any(second.text.encode() in bytes(entry.body) for entry in AuditEntry.objects.all())


def test_a_client_is_used_from_its_networks_alone(transactional_db):
    machine = make_machine(networks=["192.0.2.0/24", "2001:db8::/32"])
    assert machine.fetch().status_code == 200
    machine.ask("GET", f"runs/{uuid4()}")
    machine.address = "198.51.100.7"
    assert problem_of(machine.fetch()) == (403, "forbidden")
    assert problem_of(machine.ask("GET", f"runs/{uuid4()}")) == (403, "forbidden")
    assert machine.entries()[-2:] == [(Act.API_CLIENT_TOKEN, "refused"), (Act.EVIDENCE_READ, "refused")]
    machine.address = "2001:db8::7"
    assert machine.ask("GET", f"runs/{uuid4()}").status_code == 404


def test_a_client_that_asks_too_often_waits_and_is_told_how_much_is_left(machine, run_path, settings):
    settings.API_REQUESTS_PER_MINUTE = 2
    answers = [machine.ask("GET", run_path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"client";q=2;w=60'}
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


def test_every_request_of_a_machine_is_one_entry_in_its_tenants_log(machine, run_path):
    machine.ask("GET", run_path)
    machine.ask("GET", f"runs/{uuid4()}")
    machine.ask("DELETE", run_path)
    with open_tenant(machine.tenant.pk):
        last = AuditEntry.objects.filter(actor_id=str(machine.made.client.pk)).latest("occurred_at")
    assert machine.entries() == [
        (Act.API_CLIENT_TOKEN, "done"), (Act.EVIDENCE_EXPORT, "done"), (Act.EVIDENCE_READ, "refused"),
        (Act.EVIDENCE_READ, "refused"),
    ]  # fmt: skip
    assert (last.actor_kind, last.actor_name, last.address) == (
        "machine",
        "API client: Scanner",
        machine.address,
    )


def test_a_machine_sees_its_own_tenant_alone(machine, run_path):
    stranger = make_machine()
    theirs, nobodys = stranger.ask("GET", run_path), stranger.ask("GET", f"runs/{uuid4()}")
    assert problem_of(theirs) == problem_of(nobodys) == (404, "not-found")


def test_a_token_beside_a_session_counts_alone_and_opens_no_page(machine, run_path):
    browser = sign_in(make_ready_person(Role.OWNER, machine.tenant))
    assert browser.get(f"/api/v1/{run_path}").status_code == 200
    assert browser.get(f"/api/v1/{run_path}", headers={"Authorization": "Bearer made-up"}).status_code == 401
    token = {"Authorization": f"Bearer {machine.fetch().json()['access_token']}"}
    assert Client().get("/findings/", headers=token).status_code == 302
    assert Client().get("/scim/v2/Users", headers=token).status_code == 403


def test_what_cannot_be_narrowed_is_not_given_to_a_narrowed_client(machine):
    connection = make_connection(machine.tenant)
    with open_tenant(machine.tenant.pk):
        by = Membership.objects.get()
        given = {"name": "x", "networks": (), "days": 9, "by": by}
        for scope, reach in (
            (Scope.SAFEGUARDS_READ, Reach(connections=frozenset({connection.pk}))),
            (Scope.RUNS_READ, Reach(safeguards=frozenset({"164.312(b)"}))),
            (Scope.AUDIT_READ, Reach(safeguards=frozenset({"164.312(b)"}))),
        ):
            with pytest.raises(InvalidInput, match="narrow"):
                create_client(scopes=frozenset({scope}), reach=reach, **given)


# Pages


@pytest.fixture
def browser(machine):
    return sign_in(make_ready_person(Role.OWNER, machine.tenant))


def test_an_owner_makes_a_client_and_sees_its_secret_once(browser, machine):
    form = {
        "name": "Ticket system",
        "scopes": ["findings:read"],
        "days": 30,
        "networks": "192.0.2.0/24\n2001:db8::1\n",
    }
    made = browser.post("/api-clients/new/", form)
    assert made.status_code == 200, made.content
    with open_tenant(machine.tenant.pk):
        client = ApiClient.objects.get(name="Ticket system")
    assert (client.scopes, client.networks) == (["findings:read"], ["192.0.2.0/24", "2001:db8::1/128"])
    secret = made.context["made"].text
    assert secret in made.content.decode()
    detail = browser.get(f"/api-clients/{client.pk}/").content.decode()
    assert secret not in detail
    assert secret[-4:] in detail
    assert "Ticket system" in browser.get("/api-clients/").content.decode()
    answer = machine.fetch(header=basic(str(client.pk), secret))
    assert answer.json()["scope"] == "findings:read"


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"scopes": []}, {"scopes": ["provisioning"]}, {"days": 400}, {"networks": "192.0.2.0/240"},
              {"safeguards": ["164.312(b)"], "scopes": ["audit:read"]}]
)  # fmt: skip
def test_an_unfit_client_is_explained_at_its_field(browser, wrong):
    form = {"name": "x", "scopes": ["findings:read"], "days": 30, "networks": "", **wrong}
    answer = browser.post("/api-clients/new/", form)
    assert answer.status_code == 422
    assert b"is-invalid" in answer.content or b"notice is-error" in answer.content


def test_an_owner_renews_a_secret_and_revokes(browser, machine):
    client_id, secret_id = machine.made.client.pk, machine.made.secret.pk
    assert b"surety_secret_" in browser.post(f"/api-clients/{client_id}/secrets/").content
    assert browser.post(f"/api-clients/{client_id}/secrets/{secret_id}/revoke/").status_code == 302
    assert machine.fetch().status_code == 401
    assert b"wrong secret" in browser.get(f"/api-clients/{client_id}/").content
    assert browser.post(f"/api-clients/{client_id}/revoke/").status_code == 302
    assert b"revoked" in browser.get(f"/api-clients/{client_id}/").content
    assert browser.post(f"/api-clients/{client_id}/revoke/").status_code == 409


def test_only_who_may_manages_clients_and_only_after_both_factors_again(machine, settings):
    contributor = sign_in(make_ready_person(Role.CONTRIBUTOR, machine.tenant))
    assert contributor.get("/api-clients/").status_code == 403
    settings.STEP_UP_SECONDS = -1
    owner = sign_in(make_ready_person(Role.OWNER, machine.tenant))
    assert owner.get("/api-clients/new/").url.startswith("/step-up/")
    elsewhere = sign_in(make_ready_person(Role.OWNER, make_tenant()))
    assert elsewhere.get(f"/api-clients/{machine.made.client.pk}/").status_code == 404
