"""What an identity provider meets at /scim/v2/, request by request."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act, ActOutcome
from accounts.models import AuditEntry, Membership, Person, ScimToken, ScimUser
from accounts.permissions import Role
from accounts.scim.roles import give_group_role
from accounts.scim.tokens import create_token, revoke_token
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.accounts.scim_client import ERROR, GROUP, USER, Provider, make_provider
from tests.factories import make_member, make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider(transactional_db) -> Provider:
    return make_provider()


def refused(answer, status: int, scim_type: str | None = None) -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/scim+json"
    body = answer.json()
    assert (body["schemas"], body["status"], body.get("scimType")) == ([ERROR], str(status), scim_type)
    return body


# The gate


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer surety_scim_", f"Bearer surety_scim_{'x' * 43}", "Bearer " + "y" * 9000, "Bearer surety_scim_\u00e9"],
)  # fmt: skip
def test_without_a_token_that_somebody_has_nothing_is_answered(provider, header):
    answer = Client().get("/scim/v2/Users", **({"HTTP_AUTHORIZATION": header} if header else {}))
    refused(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_is_no_token(provider):
    browser = sign_in(make_ready_person(Role.OWNER, provider.tenant))
    refused(browser.get("/scim/v2/Users"), 401)
    refused(browser.post("/scim/v2/Users", provider.user(), content_type="application/scim+json"), 401)


def test_a_revoked_or_old_token_ends_at_the_next_request_and_the_log_says_so(provider):
    assert provider.ask("GET", "Users").status_code == 200
    with open_tenant(provider.tenant.pk):
        revoke_token(token_id=provider.token.pk)
    refused(provider.ask("GET", "Users"), 401)
    with open_tenant(provider.tenant.pk):
        ScimToken.objects.update(revoked_at=None, expires_at=timezone.now() - timedelta(seconds=1))
    refused(provider.ask("POST", "Users", provider.user()), 401)
    assert provider.entries() == [
        (Act.PROVISIONING_READ, ActOutcome.DONE),
        (Act.PROVISIONING_READ, ActOutcome.REFUSED),
        (Act.PROVISIONING_CHANGE, ActOutcome.REFUSED),
    ]


def test_a_token_that_asks_too_often_waits(provider, settings):
    settings.SCIM_REQUESTS_PER_MINUTE = 3
    other = make_provider()
    statuses = [provider.ask("GET", "Users").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert 1 <= int(provider.ask("GET", "Users")["Retry-After"]) <= 60
    assert other.ask("GET", "Users").status_code == 200
    with open_tenant(provider.tenant.pk):
        ScimToken.objects.update(minute_began_at=timezone.now() - timedelta(seconds=60))
    assert provider.ask("GET", "Users").status_code == 200


def test_two_tokens_live_at_a_time_and_the_text_is_kept_nowhere(provider):
    with open_tenant(provider.tenant.pk):
        by = Membership.objects.get()
        second = create_token(name="New", days=1, by=by)
        with pytest.raises(Exception, match="Two tokens are live"):
            create_token(name="Third", days=1, by=by)
        revoke_token(token_id=provider.token.pk)
        create_token(name="Third", days=1, by=by)
        assert not ScimToken.objects.filter(token_digest=second.text.encode()).exists()
        assert not any(second.text.encode() in bytes(entry.body) for entry in AuditEntry.objects.all())


def test_every_request_leaves_one_entry(provider):
    user = provider.create()
    group = provider.create_group(user["id"])
    requests = [
        ("GET", "Users", None), ("GET", f"Users/{user['id']}", None), ("GET", f"Users/{uuid4()}", None), ("HEAD", "Users", None),
        ("PUT", f"Users/{user['id']}", provider.user(user["userName"])), ("POST", "Users", {"schemas": [USER]}), ("POST", "Users", "{"),
        ("GET", "Groups", None), ("GET", f"Groups/{group['id']}", None), ("DELETE", f"Groups/{group['id']}", None), ("GET", "Schemas", None),
        ("GET", "Schemas/x", None), ("GET", "ResourceTypes", None), ("GET", "ServiceProviderConfig", None), ("GET", "nowhere/at/all", None),
        ("DELETE", f"Users/{user['id']}", None), ("TRACE", "Users", None), ("OPTIONS", "Users", None), ("POST", "Groups", {"schemas": [GROUP]}),
    ]  # fmt: skip
    for number, (method, path, body) in enumerate(requests, start=3):
        answer = provider.ask(method, path, body)
        assert answer.status_code < 500
        entries = provider.entries()
        assert len(entries) == number, (method, path, entries)
        assert (entries[-1][1] == ActOutcome.DONE) == (answer.status_code < 400), (method, path)
    with open_tenant(provider.tenant.pk):
        entry = AuditEntry.objects.filter(actor_id=str(provider.token.pk)).first()
    assert (entry.actor_kind, entry.actor_name, entry.address) == (
        "machine",
        "Provisioning: Okta",
        "127.0.0.1",
    )


# Users


def test_a_user_is_created_with_a_membership_of_the_default_role(provider):
    made = provider.create(
        "Grace@" + provider.domain, externalId="00u1", displayName="Grace Moss", name={"givenName": "Grace"}
    )
    member = provider.membership(f"grace@{provider.domain}")
    assert member.role == Role.VIEWER
    assert made["active"] is True
    assert made["userName"] == f"Grace@{provider.domain}"
    assert made["externalId"] == "00u1"
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    person = Person.objects.get(email=f"grace@{provider.domain}")
    assert (person.name, person.has_usable_password()) == ("Grace Moss", False)
    answer = provider.ask("GET", f"Users/{made['id']}")
    assert answer.json() == made
    assert answer["ETag"] == made["meta"]["version"]


def test_a_password_is_neither_kept_nor_set(provider):
    made = provider.create(password="correct horse battery staple")
    person = Person.objects.get(email=made["userName"])
    assert not person.has_usable_password()
    provider.patch(
        f"Users/{made['id']}", {"op": "replace", "path": "password", "value": "correct horse battery"}
    )
    person.refresh_from_db()
    assert not person.has_usable_password()
    with open_tenant(provider.tenant.pk):
        assert "password" not in ScimUser.objects.get().attributes


def test_an_address_outside_of_the_tenants_domains_is_refused(provider):
    other = make_provider()
    for domain in ("example.com", other.domain, f"sub.{provider.domain}", f"x{provider.domain}"):
        refused(provider.ask("POST", "Users", provider.user(f"a@{domain}")), 403)
        refused(
            provider.ask("POST", "Users", provider.user(emails=[{"value": f"a@{domain}", "primary": True}])),
            403,
        )
        assert not Person.objects.filter(email=f"a@{domain}").exists()
    refused(provider.ask("POST", "Users", provider.user("no address")), 400, "invalidValue")


def test_the_same_user_twice_is_a_conflict_whatever_the_case(provider):
    made = provider.create()
    refused(provider.ask("POST", "Users", provider.user(made["userName"].upper())), 409, "uniqueness")
    again = provider.user("another", emails=[{"value": made["userName"]}])
    refused(provider.ask("POST", "Users", again), 409, "uniqueness")
    other = provider.create()
    refused(provider.ask("PUT", f"Users/{other['id']}", provider.user(made["userName"])), 409, "uniqueness")


def test_nothing_that_provisioning_does_changes_a_person(provider):
    """Neither one who belongs to another tenant, nor one who was there before, nor one that it made itself."""
    elsewhere = make_provider()
    both = make_ready_person(Role.CONTRIBUTOR, elsewhere.tenant)
    Person.objects.filter(pk=both.pk).update(email=f"both@{provider.domain}")
    before = make_person(name="There before", password="moss on seven cold stones")
    Person.objects.filter(pk=before.pk).update(email=f"before@{provider.domain}")
    made = f"made@{provider.domain}"
    ids = [
        provider.create(address)["id"]
        for address in (f"both@{provider.domain}", f"before@{provider.domain}", made)
    ]
    people = list(Person.objects.filter(email__endswith=f"@{provider.domain}").order_by("pk").values())
    for user_id in ids:
        evil = provider.user(
            f"new-{user_id}@{provider.domain}",
            displayName="Mallory",
            password="mallory mallory mallory",
            is_active=False,
            active=False,
            emails=[{"value": f"m-{user_id}@{provider.domain}", "primary": True}],
        )
        assert provider.ask("PUT", f"Users/{user_id}", evil).status_code == 200
        provider.patch(
            f"Users/{user_id}",
            {
                "op": "replace",
                "value": {"displayName": "M", "active": True, "password": "x" * 20, "is_operator": True},
            },
        )
        assert (
            provider.patch(
                f"Users/{user_id}",
                {"op": "replace", "path": "userName", "value": f"{user_id}@{provider.domain}"},
            ).status_code
            == 200
        )
        assert provider.ask("DELETE", f"Users/{user_id}").status_code == 204
    assert (
        list(Person.objects.filter(email__endswith=f"@{provider.domain}").order_by("pk").values()) == people
    )
    with open_tenant(elsewhere.tenant.pk):
        assert Membership.objects.get(person=both).role == Role.CONTRIBUTOR
        assert not AuditEntry.objects.filter(actor_kind="machine").exists()


def test_deactivation_ends_the_membership_at_the_next_request_and_nothing_elsewhere(provider):
    elsewhere = make_tenant()
    person = make_ready_person(Role.VIEWER, provider.tenant)
    Person.objects.filter(pk=person.pk).update(email=f"leaver@{provider.domain}")
    person.refresh_from_db()
    browser = sign_in(person)
    with open_tenant(elsewhere.pk):
        Membership.objects.create(person=person, role=Role.VIEWER)
    made = provider.create(person.email)
    browser.post("/tenants/switch/", {"tenant": str(provider.tenant.pk)})
    assert browser.get("/").status_code == 200
    answer = provider.patch(f"Users/{made['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert answer.json()["active"] is False
    answer = browser.get("/")
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/tenants/")
    browser.post("/tenants/switch/", {"tenant": str(elsewhere.pk)})
    assert browser.get("/").status_code == 200
    assert (
        provider.patch(f"Users/{made['id']}", {"op": "replace", "value": {"active": True}}).json()["active"]
        is True
    )
    assert provider.membership(person.email).role == Role.VIEWER


def test_the_last_owner_is_neither_deactivated_nor_deleted(provider):
    with open_tenant(provider.tenant.pk):
        owner = Membership.objects.get(role=Role.OWNER)
    Person.objects.filter(pk=owner.person_id).update(email=f"owner@{provider.domain}")
    made = provider.create(f"owner@{provider.domain}")
    refused(provider.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": False}), 409)
    refused(provider.ask("DELETE", f"Users/{made['id']}"), 409)
    refused(provider.ask("PUT", f"Users/{made['id']}", provider.user(made["userName"], active=False)), 409)
    assert provider.membership(made["userName"]).role == Role.OWNER
    make_member(provider.tenant, Role.OWNER)
    assert provider.ask("DELETE", f"Users/{made['id']}").status_code == 204
    assert provider.membership(made["userName"]) is None


def test_a_member_removed_in_the_portal_is_inactive(provider):
    made = provider.create()
    with open_tenant(provider.tenant.pk):
        Membership.objects.filter(person__email=made["userName"]).delete()
    answer = provider.ask("GET", f"Users/{made['id']}", HTTP_IF_NONE_MATCH=made["meta"]["version"])
    assert answer.json()["active"] is False


def test_a_deleted_user_is_gone(provider):
    made = provider.create()
    provider.create_group(made["id"])
    assert provider.ask("DELETE", f"Users/{made['id']}").status_code == 204
    refused(provider.ask("GET", f"Users/{made['id']}"), 404)
    refused(provider.ask("DELETE", f"Users/{made['id']}"), 404)
    assert provider.membership(made["userName"]) is None
    assert provider.create(made["userName"])["id"] != made["id"]


# Lists


def test_filters_find_by_name_external_id_id_and_address(provider):
    ada, bo = (
        provider.create("Ada@" + provider.domain, externalId="X1"),
        provider.create(externalId="x1", title="Dr"),
    )
    work = f"cy.work@{provider.domain}"
    cy = provider.create("cy", emails=[{"value": work, "type": "work"}], active=False)
    found = {
        f'userName eq "ADA@{provider.domain}"': [ada], 'externalId eq "X1"': [ada], f'id eq "{bo["id"]}"': [bo],
        f'emails.value eq "{work.upper()}"': [cy], f'emails[type eq "work" and value eq "{work}"]': [cy],
        f'emails[type eq "work"].value eq "{work}"': [cy], "active eq false": [cy], "title pr": [bo],
        'userName EQ "cy" or externalId eq "X1"': [ada, cy], 'userName eq "cy" and active eq true': [],
        'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "cy"': [cy], 'not (userName co "@")': [cy],
        f'userName sw "ada" and (externalId eq "X1" or id eq "{cy["id"]}")': [ada], 'id eq "no id"': [], 'externalId eq "x"': [],
    }  # fmt: skip
    for text, users in found.items():
        answer = provider.ask("GET", "Users", QUERY_STRING=_query(filter=text))
        assert answer.status_code == 200, (text, answer.content)
        body = answer.json()
        assert [one["id"] for one in body.get("Resources", [])] == [one["id"] for one in users], text
        assert body["totalResults"] == len(users)


@pytest.mark.parametrize("text", ["userName", "userName eq", 'nobody eq "x"', 'userName xx "a"', "(" * 400, 'userName eq "a"' + " or userName pr" * 300, 'password pr or password eq "x"', "' or 1=1 --"])  # fmt: skip
def test_a_filter_that_cannot_be_used_is_refused(provider, text):
    refused(provider.ask("GET", "Users", QUERY_STRING=_query(filter=text)), 400, "invalidFilter")


def test_a_list_comes_in_pages(provider):
    ids = [provider.create()["id"] for _ in range(5)]
    seen = []
    for start in (1, 3, 5):
        body = provider.ask("GET", "Users", QUERY_STRING=_query(startIndex=start, count=2)).json()
        assert (body["totalResults"], body["startIndex"]) == (5, start)
        seen += [one["id"] for one in body["Resources"]]
    assert seen == ids
    assert provider.ask("GET", "Users", QUERY_STRING="count=0").json()["Resources"] == []
    assert provider.ask("GET", "Users", QUERY_STRING="startIndex=-3&count=2").json()["startIndex"] == 1
    assert provider.ask("GET", "Users", QUERY_STRING="startIndex=99").json()["itemsPerPage"] == 0
    refused(provider.ask("GET", "Users", QUERY_STRING="count=many"), 400, "invalidValue")


def test_only_the_attributes_asked_for_come(provider):
    made = provider.create(displayName="Ada", title="Dr")
    one = provider.ask("GET", f"Users/{made['id']}", QUERY_STRING="attributes=userName").json()
    assert set(one) == {"schemas", "id", "userName"}
    body = provider.ask("GET", "Users", QUERY_STRING="excludedAttributes=title,meta").json()
    assert set(body["Resources"][0]) == {"schemas", "id", "userName", "displayName", "active"}


def _query(**parameters: object) -> str:
    from urllib.parse import urlencode

    return urlencode(parameters)


# Versions


def test_versions_keep_a_late_change_from_undoing_another(provider):
    made = provider.create()
    version = made["meta"]["version"]
    assert provider.ask("GET", f"Users/{made['id']}", HTTP_IF_NONE_MATCH=version).status_code == 304
    change = {"op": "replace", "path": "title", "value": "Dr"}
    assert provider.patch(f"Users/{made['id']}", change, HTTP_IF_MATCH=version).status_code == 200
    refused(provider.patch(f"Users/{made['id']}", change, HTTP_IF_MATCH=version), 412)
    refused(provider.ask("DELETE", f"Users/{made['id']}", HTTP_IF_MATCH=version), 412)
    assert provider.ask("GET", f"Users/{made['id']}", HTTP_IF_NONE_MATCH=version).status_code == 200


# Groups and roles


def _map(provider: Provider, group: dict, role: str) -> None:
    with open_tenant(provider.tenant.pk):
        give_group_role(group_id=group["id"], role=role)


def test_the_highest_role_of_the_groups_holds_and_falls_back(provider):
    user = provider.create()
    low, high = provider.create_group(user["id"]), provider.create_group()
    role = lambda: provider.membership(user["userName"]).role  # noqa: E731
    assert role() == Role.VIEWER
    _map(provider, low, "contributor")
    _map(provider, high, "security_official")
    assert role() == Role.CONTRIBUTOR
    add = {"op": "Add", "path": "members", "value": [{"value": user["id"]}]}
    assert provider.patch(f"Groups/{high['id']}", add).status_code == 200
    assert role() == Role.SECURITY_OFFICIAL
    assert [one["value"] for one in provider.ask("GET", f"Users/{user['id']}").json()["groups"]] == sorted(
        (low["id"], high["id"]),
        key=lambda one: (one == high["id"] and high["displayName"]) or low["displayName"],
    )
    assert (
        provider.patch(
            f"Groups/{high['id']}", {"op": "remove", "path": f'members[value eq "{user["id"]}"]'}
        ).status_code
        == 200
    )
    assert role() == Role.CONTRIBUTOR
    assert provider.ask("DELETE", f"Groups/{low['id']}").status_code == 204
    assert role() == Role.VIEWER


def test_no_group_makes_or_unmakes_an_owner(provider):
    with open_tenant(provider.tenant.pk):
        owner = Membership.objects.get(role=Role.OWNER)
    Person.objects.filter(pk=owner.person_id).update(email=f"owner@{provider.domain}")
    user = provider.create(f"owner@{provider.domain}")
    group = provider.create_group(user["id"])
    _map(provider, group, "viewer")
    assert provider.membership(user["userName"]).role == Role.OWNER
    with open_tenant(provider.tenant.pk), pytest.raises(Exception, match="Choose one of the roles"):
        give_group_role(group_id=group["id"], role="owner")


def test_a_member_with_a_role_of_their_own_keeps_it_until_a_group_says_otherwise(provider):
    person = make_member(provider.tenant, Role.SECURITY_OFFICIAL)
    Person.objects.filter(pk=person.pk).update(email=f"official@{provider.domain}")
    user = provider.create(f"official@{provider.domain}")
    group = provider.create_group(user["id"])
    assert provider.membership(user["userName"]).role == Role.SECURITY_OFFICIAL
    _map(provider, group, "contributor")
    assert provider.membership(user["userName"]).role == Role.CONTRIBUTOR


def test_a_group_is_created_read_replaced_and_deleted(provider):
    ada, bo = provider.create(), provider.create()
    group = provider.create_group(ada["id"], displayName="Nurses", externalId="g1")
    assert group["members"][0]["$ref"].endswith(f"/Users/{ada['id']}")
    body = {"schemas": [GROUP], "displayName": "Doctors", "members": [{"value": bo["id"]}]}
    answer = provider.ask("PUT", f"Groups/{group['id']}", body)
    assert (
        answer.status_code,
        answer.json()["displayName"],
        [one["value"] for one in answer.json()["members"]],
    ) == (200, "Doctors", [bo["id"]])
    listed = provider.ask(
        "GET", "Groups", QUERY_STRING=_query(filter='displayName eq "doctors"', excludedAttributes="members")
    ).json()
    assert [one["id"] for one in listed["Resources"]] == [group["id"]]
    assert "members" not in listed["Resources"][0]
    assert provider.ask("DELETE", f"Groups/{group['id']}").status_code == 204
    refused(provider.ask("GET", f"Groups/{group['id']}"), 404)


@pytest.mark.parametrize("value", ["", "x", "467fae3f-1358-4d53-9fa7-a1017b9681ac", None, 5])
def test_a_member_who_is_nobody_is_refused(provider, value):
    body = {"schemas": [GROUP], "displayName": "G", "members": [{"value": value}]}
    refused(provider.ask("POST", "Groups", body), 400, "invalidValue")
    assert provider.ask("GET", "Groups").json()["totalResults"] == 0


# Other tenants


def test_another_tenants_ids_are_nobodys(provider):
    other = make_provider()
    user = other.create()
    group = other.create_group(user["id"])
    own = provider.create_group()
    before = [
        other.ask("GET", f"Users/{user['id']}").json(),
        other.ask("GET", f"Groups/{group['id']}").json(),
    ]
    for kind, foreign in (("Users", user), ("Groups", group)):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = None if method in {"GET", "DELETE"} else provider.user()
            answers = [provider.ask(method, f"{kind}/{wanted}", body) for wanted in (foreign["id"], uuid4())]
            assert refused(answers[0], 404) == refused(answers[1], 404)
    add = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
    said = refused(provider.patch(f"Groups/{own['id']}", add), 400, "invalidValue")
    assert said["detail"] == f"There is no user {user['id']}."
    for text in (
        f'id eq "{user["id"]}"',
        f'userName eq "{user["userName"]}"',
        f'emails.value eq "{user["userName"]}"',
    ):
        assert provider.ask("GET", "Users", QUERY_STRING=_query(filter=text)).json()["totalResults"] == 0
    assert [
        other.ask("GET", f"Users/{user['id']}").json(),
        other.ask("GET", f"Groups/{group['id']}").json(),
    ] == before


# Hostile bodies


@pytest.mark.parametrize(
    "body",
    [
        "", "null", "[]", "5", '"x"', "{", '{"a":' * 5000 + "1" + "}" * 5000, "[" * 100_000, '{"userName": NaN}', '{"userName": "\\ud800"}',
        '{"schemas":["' + USER + '"],"userName":"a\\u0000b"}', '{"schemas":["' + USER + '"],"userName":{"a":1}}', '{"schemas":"x","userName":"x"}',
        '{"schemas":["' + USER + '"],"userName":"' + "x" * 300 + '"}', '{"schemas":["' + USER + '"],"userName":1e400}', b"\xff\xfe", "\ufeff{}",
        '{"schemas":["' + USER + '"],"userName":"u","emails":"x"}', '{"schemas":["' + USER + '"],"userName":"u","emails":[null]}',
        '{"schemas":["' + USER + '"],"userName":"u","meta":5,"id":[]}',
    ],
)  # fmt: skip
def test_a_hostile_body_is_a_bad_request(provider, body):
    for method, path in (("POST", "Users"), ("POST", "Groups")):
        refused(
            provider.ask(method, path, body), 400, provider.ask(method, path, body).json().get("scimType")
        )
    assert provider.ask("GET", "Users").json()["totalResults"] == 0


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "id", "value": "x"}, {"op": "replace", "path": "schemas", "value": ["x"]}, {"op": "remove"}, {"op": "fly", "path": "title"},
        {"op": "remove", "path": "userName"}, {"op": "replace", "path": "userName", "value": ""}, {"op": "add", "path": "title["}, {"op": "add"}, 5, {},
        {"op": "replace", "path": "emails", "value": "x"}, {"op": "replace", "path": "userName", "value": "x" * 300}, {"op": "add", "path": "title", "value": "x" * 20000},
        {"op": "replace", "path": "active", "value": "maybe"}, {"op": "replace", "path": "title", "value": "\x00"}, {"op": "replace", "path": "emails[type eq].value", "value": "x"},
    ],
)  # fmt: skip
def test_a_hostile_patch_changes_nothing(provider, operation):
    made = provider.create()
    answer = provider.ask(
        "PATCH",
        f"Users/{made['id']}",
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]},
    )
    refused(answer, 400, answer.json().get("scimType"))
    assert provider.ask("GET", f"Users/{made['id']}").json() == made


def test_bodies_of_other_types_and_sizes_are_refused(provider):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {provider.text}"}
    refused(
        provider.http.post(
            "/scim/v2/Users", "a=b", content_type="application/x-www-form-urlencoded", **headers
        ),
        415,
    )
    refused(
        provider.http.post("/scim/v2/Users", b"x" * 2_000_000, content_type="application/json", **headers),
        413,
    )
    answer = provider.http.post("/scim/v2/Users", provider.user(), content_type="application/json", **headers)
    assert answer.status_code == 201


def test_secrets_stay_out_of_the_portals_errors(provider):
    body = provider.user(
        f"x-{secrets.token_hex(4)}@{provider.domain}", active="maybe", password="a secret of mine"
    )
    assert "a secret of mine" not in str(refused(provider.ask("POST", "Users", body), 400, "invalidValue"))
