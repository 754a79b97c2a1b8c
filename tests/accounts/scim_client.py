"""A tenant's identity provider, as the tests play it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Membership, ScimToken, Tenant, VerifiedDomain
from accounts.permissions import Role
from accounts.scim.tokens import create_token
from accounts.tenancy.scope import open_tenant
from tests.factories import make_member, make_tenant

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def verify_domain(tenant: Tenant, domain: str = "") -> str:
    domain = domain or f"{secrets.token_hex(6)}.example.org"
    with open_tenant(tenant.pk):
        VerifiedDomain.objects.create(
            domain=domain, challenge=secrets.token_hex(8), verified_at=timezone.now()
        )
    return domain


@dataclass
class Provider:
    """An identity provider with a token of a tenant that has an owner and a verified domain."""

    tenant: Tenant
    token: ScimToken
    text: str
    domain: str
    http: Client = field(default_factory=Client)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`path` follows /scim/v2/. A body that isn't text is sent as JSON."""
        given = {"HTTP_AUTHORIZATION": f"Bearer {self.text}", **headers}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        more = (
            {}
            if body is None
            else {
                "data": content,
                "content_type": "application/scim+json",
                "CONTENT_TYPE": "application/scim+json",
            }
        )
        return self.http.generic(method, f"/scim/v2/{path}", **{**more, **given})

    def user(self, user_name: str = "", /, **more: Any) -> dict[str, Any]:
        """The body of a new user."""
        return {"schemas": [USER], "userName": user_name or f"{secrets.token_hex(6)}@{self.domain}", **more}

    def create(self, user_name: str = "", /, **more: Any) -> dict[str, Any]:
        answer = self.ask("POST", "Users", self.user(user_name, **more))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def create_group(self, *members: str, role: str = "", **more: Any) -> dict[str, Any]:
        body = {
            "schemas": [GROUP],
            "displayName": secrets.token_hex(4),
            "members": [{"value": one} for one in members],
        }
        answer = self.ask("POST", "Groups", {**body, **more})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def membership(self, email: str) -> Membership | None:
        with open_tenant(self.tenant.pk):
            return Membership.objects.filter(person__email=email).first()

    def entries(self) -> list[tuple[str, str]]:
        """(act, outcome) of what the machine's requests left in the log."""
        with open_tenant(self.tenant.pk):
            found = AuditEntry.objects.filter(actor_id=str(self.token.pk)).order_by("occurred_at")
            return list(found.values_list("act", "outcome"))


def make_provider(tenant: Tenant | None = None, days: int = 30) -> Provider:
    tenant = tenant or make_tenant()
    owner = make_member(tenant, Role.OWNER)
    domain = verify_domain(tenant)
    with open_tenant(tenant.pk):
        made = create_token(name="Okta", days=days, by=Membership.objects.get(person=owner))
    return Provider(tenant, made.token, made.text, domain)
