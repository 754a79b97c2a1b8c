"""Request sequences as Okta and Microsoft Entra ID send them, with the quirks that their manuals tell."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.permissions import Role
from accounts.scim.roles import give_group_role
from accounts.tenancy.scope import open_tenant
from tests.accounts.scim_client import GROUP, USER, make_provider

pytestmark = pytest.mark.django_db(transaction=True)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def test_okta_looks_creates_updates_deactivates_and_pushes_a_group(transactional_db):
    okta = make_provider()
    name = f"isaac.brock@{okta.domain}"
    query = f'filter=userName%20eq%20"{name}"&startIndex=1&count=100'
    assert okta.ask("GET", "Users", QUERY_STRING=query).json()["totalResults"] == 0
    body = okta.user(
        name, name={"givenName": "Isaac", "familyName": "Brock"}, emails=[{"primary": True, "value": name, "type": "work"}],
        displayName="Isaac Brock", locale="en-US", externalId="00ujl29u0le5T6Aj10h7", groups=[], password="1mz050nq", active=True,
    )  # fmt: skip
    user = okta.ask("POST", "Users", body).json()
    assert (
        okta.ask(
            "PUT",
            f"Users/{user['id']}",
            {**body, "id": user["id"], "title": "Dr", "meta": {"resourceType": "User"}},
        ).json()["title"]
        == "Dr"
    )
    group = okta.ask("POST", "Groups", {"schemas": [GROUP], "displayName": "Staff", "members": []}).json()
    with open_tenant(okta.tenant.pk):
        give_group_role(group_id=group["id"], role="contributor")
    member = {"op": "add", "path": "members", "value": [{"value": user["id"], "display": name}]}
    assert okta.patch(f"Groups/{group['id']}", member).status_code == 200
    assert okta.membership(name).role == Role.CONTRIBUTOR
    renamed = okta.patch(
        f"Groups/{group['id']}", {"op": "replace", "value": {"id": group["id"], "displayName": "All staff"}}
    )
    assert renamed.json()["displayName"] == "All staff"
    assert (
        okta.patch(f"Users/{user['id']}", {"op": "replace", "value": {"active": False}}).json()["active"]
        is False
    )
    assert okta.membership(name) is None


def test_entra_probes_creates_patches_with_its_own_spelling_and_disables(transactional_db):
    entra = make_provider()
    probe = entra.ask("GET", "Users", QUERY_STRING=f'filter=userName+eq+"{uuid4()}"')
    assert (probe.status_code, probe.json()["totalResults"]) == (200, 0)
    name = f"test_user@{entra.domain}"
    body = {
        "schemas": [USER, ENTERPRISE], "externalId": "0a21f0f2", "userName": name, "active": True, "displayName": "Test User",
        "emails": [{"primary": True, "type": "work", "value": name}], "meta": {"resourceType": "User"}, "roles": [],
        "name": {"formatted": "Test User", "familyName": "User", "givenName": "Test"}, ENTERPRISE: {"department": "ICU"},
    }  # fmt: skip
    user = entra.ask("POST", "Users", body).json()
    at = f"Users/{user['id']}"
    changed = entra.patch(
        at, {"op": "Replace", "path": 'emails[type eq "work"].value', "value": f"new@{entra.domain}"},
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "home@example.net"},
        {"op": "Replace", "path": "name.familyName", "value": "Moss"}, {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "ER"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": str(uuid4())},
    )  # fmt: skip
    assert changed.status_code == 200, changed.content
    said = changed.json()
    assert (said["emails"][0]["value"], said["name"]["familyName"]) == (f"new@{entra.domain}", "Moss")
    assert said["emails"][1] == {"value": "home@example.net", "type": "home"}
    group = entra.create_group(user["id"])
    gone = {"op": "Remove", "path": "members", "value": [{"value": user["id"]}]}
    assert "members" not in entra.patch(f"Groups/{group['id']}", gone).json()
    assert (
        "members"
        not in entra.ask("GET", f"Groups/{group['id']}", QUERY_STRING="excludedAttributes=members").json()
    )
    assert entra.patch(at, {"op": "Replace", "path": "active", "value": "False"}).json()["active"] is False
    assert entra.membership(name) is None
    assert entra.patch(at, {"op": "Replace", "path": "active", "value": "True"}).json()["active"] is True
    assert entra.ask("DELETE", at).status_code == 204
