"""The description of the interface, and that everything there is is shown as it says.

What is asked at random is in test_made_up.
"""

from __future__ import annotations

import json
from datetime import date
from uuid import uuid4

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from openapi_spec_validator import validate

from accounts.clients.scopes import PERMISSIONS, WORDS, Scope
from accounts.clients.services import Audited
from accounts.tenancy.scope import open_tenant
from assessments.models import AgreementTerms, ChainNode
from portal.api import docs
from tests.api.kit import make_machine
from tests.api.made_up import LEFT_OUT, known_ids
from tests.architecture.everything import ROUTES, make_everything
from tests.partnerships.factories import make_partnership

pytestmark = pytest.mark.django_db(transaction=True)
STREAMED = {
    f"/api/v1/{path}" for path in ("packages/{package_id}/content", "evidence/{snapshot_id}/content",
    "engagement/submissions/{document_id}/content", "submissions/{submission_id}/receipt")
}  # fmt: skip
"""What has no content, or no proof, in a world without workers."""


@pytest.fixture(scope="module")
def description() -> dict:
    answer = Client().get("/api/v1/schema")
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_the_description_is_openapi_3_1_and_holds_every_address(description, capfd):
    validate(description)
    assert description["openapi"].startswith("3.1")
    ours = {route.removeprefix("api/v1/") for route in ROUTES if route.startswith("api/v1/")}
    assert len(description["paths"]) == len(ours - {"oauth/token", "oauth/nonce", "schema", "receipt-keys"})
    docs._schema.__wrapped__()
    assert "Warning" not in capfd.readouterr().err  # such as two shapes of one name


def test_every_operation_says_its_scope_its_refusals_and_an_example(description):
    for path, methods in description["paths"].items():
        for operation in methods.values():
            scopes = [need["client"][0] for need in operation["security"] if "client" in need]
            assert scopes and set(scopes) <= set(WORDS), path
            assert {"400", "401", "403", "404", "429"} <= set(operation["responses"]), path
            done = operation["responses"].keys() & {"200", "201"}
            assert len(done) == 1, path
            good = operation["responses"][done.pop()]["content"]
            if "application/json" not in good:
                assert all(each["schema"]["format"] == "binary" for each in good.values()), path
                continue
            good = good["application/json"]
            free = good["schema"].get("type") == "object"
            assert free or good["examples"], path
            assert operation["summary"] and operation["operationId"], path
    flows = description["components"]["securitySchemes"]["client"]["flows"]
    assert set(flows["clientCredentials"]["scopes"]) == set(WORDS)


def test_every_scope_is_a_permission_and_is_used(description):
    used = {
        scope
        for methods in description["paths"].values()
        for operation in methods.values()
        for need in operation["security"]
        for scope in need.get("client", [])
    }
    assert used == set(WORDS) == set(PERMISSIONS) == set(Scope) - {Scope.PROVISIONING}


def test_whatever_there_is_is_shown_as_described(description, settings_of_api):
    """One of everything, by its real id: what the made-up ids of the other test never find."""
    its = make_everything()
    _tell(its)
    token = make_machine(tenant=its.tenant).fetch().json()["access_token"]
    audited = Audited(its.engagement.pk, its.engagement.closes_at)
    auditors = make_machine(Scope.ENGAGEMENT_AUDIT, tenant=its.tenant, audited=audited)
    auditors_token = auditors.fetch().json()["access_token"]
    api = schemathesis.openapi.from_dict(description)
    api.app = get_wsgi_application()
    shown = set()
    for result in api.get_all_operations():
        operation = result.ok()
        if operation.method.upper() != "GET":
            continue
        ids = known_ids(its, operation.path)
        case = operation.Case(path_parameters=ids)
        theirs = f"{operation.path}/".startswith("/api/v1/engagement/")
        answer = case.call(headers={"Authorization": f"Bearer {auditors_token if theirs else token}"})
        case.validate_response(answer, excluded_checks=LEFT_OUT)
        if answer.status_code == 200 and json.loads(answer.content or b"{}").get("data") != []:
            shown.add(operation.path)
    missing = {
        each.path for each in (r.ok() for r in api.get_all_operations()) if each.method.upper() == "GET"
    } - shown
    assert missing <= STREAMED


def _tell(its) -> None:
    """What others show to the tenant and nothing else in a world of everything holds."""
    above = its.received_partnership
    with open_tenant(above.tenant_id):
        AgreementTerms.objects.create(
            viewer=its.tenant, partnership_id=above.pk, agreement_id=uuid4(), version=1, stage="signed",
            upstream_name="General Hospital", downstream_name="Billing", signed_on=date(2026, 1, 1),
        )  # fmt: skip
    below = make_partnership(its.tenant)
    with open_tenant(below.viewer_id):
        ChainNode.objects.create(
            viewer=its.tenant, partnership_id=below.pk, pseudonym="Subcontractor A", service="hosting",
            agreement_state="absent", broken=["no_agreement"], depth=1, path=["Subcontractor A"],
        )  # fmt: skip


@pytest.fixture
def settings_of_api(settings):
    """The made-up requests are not to meet the limit of requests; that has a test of its own."""
    settings.API_REQUESTS_PER_MINUTE = 10_000_000
