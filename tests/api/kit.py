"""A machine in front of the interface."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from accounts.clients.scopes import EVERYTHING, WORDS, Reach, Scope
from accounts.clients.services import Audited, SecretMade, create_client
from accounts.models import AuditEntry, Membership, Tenant
from accounts.tenancy.scope import open_tenant
from tests.factories import make_member, make_tenant

TOKEN = "/api/v1/oauth/token"
FORM = "application/x-www-form-urlencoded"


@dataclass
class ApiMachine:
    """A client with its secret; `ask` gets a token at its first use."""

    tenant: Tenant
    made: SecretMade
    token: str = ""
    address: str = "192.0.2.10"

    @property
    def basic(self) -> str:
        return basic(str(self.made.client.pk), self.made.text)

    def fetch(self, *, header: str = "", **form: str) -> Any:
        said = {"grant_type": "client_credentials", **form}
        headers = {} if header == "none" else {"Authorization": header or self.basic}
        client = Client(REMOTE_ADDR=self.address, enforce_csrf_checks=True)
        return client.generic("POST", TOKEN, urlencode(said), content_type=FORM, headers=headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        self.token = self.token or self.fetch().json()["access_token"]
        client = Client(REMOTE_ADDR=self.address, raise_request_exception=False, enforce_csrf_checks=True)
        given = {
            "Authorization": f"Bearer {self.token}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if body is not None:
            return client.generic(
                method, f"/api/v1/{path}", body, content_type="application/json", headers=given
            )
        return client.generic(method, f"/api/v1/{path}", headers=given)

    def entries(self) -> list[tuple[str, str]]:
        """What the tenant's log says of this machine, oldest first: (act, outcome)."""
        with open_tenant(self.tenant.pk):
            mine = AuditEntry.objects.filter(actor_id=str(self.made.client.pk)).order_by("occurred_at")
            return [(entry.act, entry.outcome) for entry in mine]


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def make_machine(
    *scopes: Scope,
    tenant: Tenant | None = None,
    reach: Reach = EVERYTHING,
    networks: Iterable[str] = (),
    days: int = 9,
    audited: Audited | None = None,
) -> ApiMachine:
    """A client with the scopes, all of them where none is named."""
    tenant = tenant or make_tenant()
    owner = make_member(tenant)
    with open_tenant(tenant.pk):
        by = Membership.objects.get(person=owner)
        made = create_client(
            name="Scanner",
            scopes=frozenset(scopes or set(WORDS) - {Scope.ENGAGEMENT_AUDIT}),
            audited=audited,
            reach=reach,
            networks=networks,
            days=days,
            by=by,
        )
    return ApiMachine(tenant, made)


EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
AWS_REQUEST = "urn:surety:token-type:aws-sts-request"


def exchange(client_id: object, kind: str, proof: str, *, address: str = "", **more: str) -> Any:
    """Exchanges a proof for a token, each time from another network unless told: failures slow a network down."""
    form = {
        "grant_type": EXCHANGE,
        "client_id": str(client_id),
        "subject_token_type": kind,
        "subject_token": proof,
    }
    here = Client(REMOTE_ADDR=address or f"10.{'.'.join(map(str, secrets.token_bytes(3)))}")
    return here.post(TOKEN, urlencode({**form, **more}), content_type=FORM)


def last_refusal(machine: ApiMachine) -> str:
    """Why the newest request of the machine was refused, as its tenant's log says; empty where it was not."""
    with open_tenant(machine.tenant.pk):
        mine = AuditEntry.objects.filter(actor_id=str(machine.made.client.pk))
        entry = mine.latest("occurred_at", "id")
    refused: str = json.loads(bytes(entry.body))["details"].get("refused", "")
    return refused if entry.outcome == "refused" else ""
