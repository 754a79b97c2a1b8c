"""How a business associate joins its entry in the register: invited, signing up or signing in, accepting."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pyotp
import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from accounts.devices import TotpDevice
from accounts.errors import PortalError
from accounts.models import Membership, Person, Tenant
from accounts.permissions import Role
from accounts.sessions import TENANT
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import memberships_of
from assessments.models import BusinessAssociate, Partnership, PartnershipInvitation
from assessments.partnerships.services import accept_offer
from tests.accounts.factories import (
    grow_stale,
    make_operator,
    make_ready_person,
    post_password,
    prove_again,
    sign_in,
)
from tests.conftest import superuser_dsn
from tests.factories import make_person, make_tenant
from tests.partnerships.kit import (
    SIGN_UP,
    accept,
    acts,
    make_hospital,
    make_token,
    make_vendor,
    send_link,
)

pytestmark = pytest.mark.django_db(transaction=True)
RACED = 100
AT_ONCE = 20


@pytest.fixture
def hospital():
    return make_hospital()


@pytest.fixture
def vendor():
    return make_vendor()


def _partnerships(hospital) -> list[Partnership]:
    with open_tenant(hospital.tenant.pk):
        return list(Partnership.objects.filter(withdrawn_at=None))


def _fresh_address() -> str:
    return f"{secrets.token_hex(6)}@example.org"


def test_a_security_official_of_the_vendor_accepts_and_both_see_it(hospital):
    vendor = make_vendor(Role.SECURITY_OFFICIAL)
    path = send_link(hospital, vendor.official.email)
    shown = vendor.client.get(path).content.decode()
    assert hospital.tenant.name in shown
    assert vendor.tenant.name in shown
    answer = accept(vendor, path)
    (made,) = _partnerships(hospital)
    assert answer.url == f"/covered-entities/{made.pk}/"
    assert (made.upstream_name, made.downstream_name) == (hospital.tenant.name, vendor.tenant.name)
    assert (made.viewer_id, made.associate_id) == (vendor.tenant.pk, hospital.associate.pk)
    assert "You work for it here since" in vendor.client.get(answer.url).content.decode()
    joined = hospital.client.get(f"{hospital.page}partnership/").content.decode()
    assert "Works with you here" in joined
    assert vendor.tenant.name in joined


def test_the_beginning_stands_in_both_logs_and_both_are_told_by_mail(hospital, vendor):
    path = send_link(hospital, vendor.official.email)
    mail.outbox.clear()
    accept(vendor, path)
    (made,) = _partnerships(hospital)
    assert acts(hospital.tenant, made.pk) == [("partnership.begin", "done", "partner")]
    assert acts(vendor.tenant, made.pk)[:1] == [("partnership.begin", "done", "person")]
    assert {message.to[0] for message in mail.outbox} == {hospital.official.email, vendor.official.email}


def test_the_hospitals_log_names_the_vendor_and_not_its_person(hospital, vendor):
    accept(vendor, send_link(hospital, vendor.official.email))
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        found = database.execute(
            "select convert_from(body, 'UTF8') from accounts_auditentry where tenant_id = %s and act = 'partnership.begin'",
            [hospital.tenant.pk],
        ).fetchone()
    assert found is not None
    assert vendor.tenant.name in found[0]
    assert str(vendor.official.pk) not in found[0]


def test_who_is_new_signs_up_sets_up_the_second_factor_and_then_accepts(hospital):
    path, browser = send_link(hospital, email := _fresh_address()), Client()
    assert b"Sign up" in browser.get(path).content
    assert browser.post(path, SIGN_UP).url == "/sign-in/set-up/"
    assert _partnerships(hospital) == []
    assert browser.get(path).url == "/sign-in/code/"
    browser.get("/sign-in/set-up/")
    device = TotpDevice.objects.get(user__email=email)
    answer = browser.post("/sign-in/set-up/", {"code": pyotp.TOTP(device.secret).now()})
    assert answer.context["wanted"] == path
    (found,) = memberships_of(device.user_id)
    assert (found.tenant_name, found.tenant_kind, found.role) == (
        "Cedar Billing",
        "business_associate",
        "owner",
    )
    assert browser.post(path, {"tenant": str(found.tenant_id)}).url.startswith("/covered-entities/")
    (made,) = _partnerships(hospital)
    assert (made.viewer_id, made.downstream_name) == (found.tenant_id, "Cedar Billing")


def test_signing_up_is_one_entry_in_the_new_tenants_log(hospital):
    path, browser = send_link(hospital, email := _fresh_address()), Client()
    answer = browser.post(path, SIGN_UP)
    (found,) = memberships_of(Person.objects.get(email=email).pk)
    with open_tenant(found.tenant_id):
        tenant = Tenant.objects.get(pk=found.tenant_id)
    assert acts(tenant, found.tenant_id) == [("tenant.create", "done", "person")]
    assert tenant.slug.startswith("cedar-billing-")
    assert answer.status_code == 302


def test_two_organisations_of_one_name_get_slugs_of_their_own(hospital):
    slugs = []
    for each in (hospital, make_hospital()):
        email = _fresh_address()
        Client().post(send_link(each, email), SIGN_UP)
        (found,) = memberships_of(Person.objects.get(email=email).pk)
        with open_tenant(found.tenant_id):
            slugs.append(Tenant.objects.get(pk=found.tenant_id).slug)
    assert len(set(slugs)) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"password": "short"}, {"password": "hospital security"}, {"organisation": " "}, {"name": ""},
     {"organisation": "x" * 201}],
    ids=["short", "of context words", "no organisation", "no name", "long"],
)  # fmt: skip
def test_what_doesnt_fit_makes_neither_person_nor_tenant(hospital, wrong):
    path = send_link(hospital, email := _fresh_address())
    before = _tenants()
    answer = Client().post(path, {**SIGN_UP, **wrong})
    assert answer.status_code == 422
    assert not Person.objects.filter(email=email).exists()
    assert _tenants() == before


def _tenants() -> int:
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        return database.execute("select count(*) from accounts_tenant").fetchone()[0]


def test_half_signed_in_people_accept_nothing(hospital, vendor):
    path, browser = send_link(hospital, vendor.official.email), Client()
    assert b"Sign in" in browser.get(path).content
    post_password(browser, vendor.official)
    assert browser.post(path, {"tenant": str(vendor.tenant.pk)}).url == "/sign-in/code/"
    assert _partnerships(hospital) == []
    assert browser.get(path).url == "/sign-in/code/"


def test_the_link_is_no_use_to_who_has_another_address(hospital, vendor):
    path = send_link(hospital, make_person().email)
    answer = accept(vendor, path)
    assert answer.status_code == 409
    assert b"for another address" in answer.content
    assert _partnerships(hospital) == []


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER, Role.AUDITOR])
def test_other_members_cannot_accept_for_their_organisation(hospital, role):
    vendor = make_vendor(role)
    path = send_link(hospital, vendor.official.email)
    assert vendor.tenant.name not in vendor.client.get(path).content.decode()
    assert accept(vendor, path).status_code == 422
    assert _partnerships(hospital) == []
    token = make_token(hospital, vendor.official.email)
    with pytest.raises(PortalError, match="owner or a security official"):
        accept_offer(token=token, person=vendor.official, tenant_id=vendor.tenant.pk)


def test_who_decides_nowhere_founds_an_organisation_and_accepts(hospital):
    vendor = make_vendor(Role.VIEWER)
    path = send_link(hospital, vendor.official.email)
    answer = vendor.client.post(path, {"organisation": "Cedar Billing"})
    (made,) = _partnerships(hospital)
    assert answer.url == f"/covered-entities/{made.pk}/"
    assert made.downstream_name == "Cedar Billing"
    assert vendor.client.get(answer.url).status_code == 200


def test_an_organisation_is_no_partner_of_itself(hospital):
    path = send_link(hospital, hospital.official.email)
    assert hospital.tenant.name in hospital.client.get(path).content.decode()
    assert hospital.client.post(path, {"tenant": str(hospital.tenant.pk)}).status_code == 422
    token = make_token(hospital, hospital.official.email)
    with pytest.raises(PortalError, match="no partner of itself"):
        accept_offer(token=token, person=hospital.official, tenant_id=hospital.tenant.pk)
    assert _partnerships(hospital) == []


def test_a_tenant_of_others_cannot_be_chosen(hospital, vendor):
    path, stranger = send_link(hospital, vendor.official.email), make_tenant()
    assert vendor.client.post(path, {"tenant": str(stranger.pk)}).status_code == 422
    assert _partnerships(hospital) == []


def test_who_belongs_to_several_chooses_in_whose_name(hospital, vendor):
    second = make_tenant(kind="business_associate")
    with open_tenant(second.pk):
        Membership.objects.create(person=vendor.official, role=Role.OWNER)
    path = send_link(hospital, vendor.official.email)
    vendor.client.post(path, {"tenant": str(second.pk)})
    (made,) = _partnerships(hospital)
    assert made.viewer_id == second.pk
    assert vendor.client.session[TENANT] == str(second.pk)


def test_a_tenant_that_requires_a_passkey_is_not_entered_by_a_code(hospital, vendor):
    with open_tenant(vendor.tenant.pk):
        Tenant.objects.filter(pk=vendor.tenant.pk).update(require_passkey=True)
    answer = accept(vendor, send_link(hospital, vendor.official.email))
    assert answer.status_code == 403
    assert _partnerships(hospital) == []


def test_accepting_asks_for_a_fresh_proof(hospital, vendor):
    path = send_link(hospital, vendor.official.email)
    grow_stale(vendor.client)
    assert accept(vendor, path).url.startswith("/step-up/")
    assert _partnerships(hospital) == []
    assert prove_again(vendor.client, vendor.official).url == "/step-up/continue/"
    kept = vendor.client.get("/step-up/continue/").content.decode()
    assert path in kept
    assert accept(vendor, path).url.startswith("/covered-entities/")


def test_the_operators_staff_finds_nothing_there(hospital):
    path = send_link(hospital, _fresh_address())
    assert sign_in(make_operator()).get(path).status_code == 404


@pytest.mark.parametrize("close", ["expire", "revoke", "replace", "accept", "end"])
def test_a_closed_link_says_so_and_makes_nothing(hospital, vendor, close):
    path = send_link(hospital, vendor.official.email)
    if close == "replace":
        send_link(hospital, vendor.official.email)
    if close == "accept":
        accept(vendor, path)
    with open_tenant(hospital.tenant.pk):
        offer = PartnershipInvitation.objects.order_by("created_at")[0]
        if close == "expire":
            PartnershipInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        if close == "end":
            BusinessAssociate.objects.update(ended_at=timezone.now())
    if close == "revoke":
        assert hospital.client.post(f"{hospital.page}invitations/{offer.pk}/revoke/").status_code == 302
        assert hospital.client.post(f"{hospital.page}invitations/{offer.pk}/revoke/").status_code == 409
    partners = len(_partnerships(hospital))
    for client in (vendor.client, Client()):
        answer = client.post(path, {**SIGN_UP, "tenant": str(vendor.tenant.pk)})
        assert answer.status_code == 404
    assert len(_partnerships(hospital)) == partners


def test_a_link_that_never_was_gets_the_same_answer(hospital, vendor):
    path = send_link(hospital, vendor.official.email)
    accept(vendor, path)
    used, never = (Client().get(each) for each in (path, "/partnerships/invitations/nonsense/"))
    assert (used.status_code, never.status_code) == (404, 404)
    assert "isn&#x27;t open" in used.content.decode()
    assert "isn&#x27;t open" in never.content.decode()


def test_the_token_is_kept_nowhere(hospital):
    token = send_link(hospital, _fresh_address()).split("/")[3]
    Client().get(f"/partnerships/invitations/{token}/")
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        kept = database.execute(
            "select (select count(*) from assessments_partnershipinvitation i where i::text like %(it)s)"
            " + (select count(*) from accounts_auditentry where convert_from(body, 'UTF8') like %(it)s)",
            {"it": f"%{token}%"},
        ).fetchone()
    assert kept == (0,)


def test_a_look_at_the_link_stands_in_the_hospitals_log(hospital):
    path = send_link(hospital, _fresh_address())
    Client().get(path)
    with open_tenant(hospital.tenant.pk):
        offer = PartnershipInvitation.objects.get()
    assert acts(hospital.tenant, offer.pk) == [
        ("partnership.invite", "done", "person"),
        ("partnership.invitation_read", "done", "stranger"),
    ]


@pytest.mark.parametrize("email", ["", "no-address", "two@example.org@example.org", "\u0430dmin@example.org"])
def test_an_unfit_address_is_refused_at_its_field(hospital, email):
    answer = hospital.client.post(f"{hospital.page}invite/", {"email": email})
    assert answer.status_code == 422
    assert "email" in answer.context["form"].errors


def test_who_works_here_already_or_has_ended_is_not_invited(hospital, vendor):
    accept(vendor, send_link(hospital, vendor.official.email))
    answer = hospital.client.post(f"{hospital.page}invite/", {"email": vendor.official.email})
    assert (answer.status_code, b"already" in answer.content) == (422, True)
    other = make_hospital()
    other.client.post(f"{other.page}end/")
    assert other.client.post(f"{other.page}invite/", {"email": "x@example.org"}).status_code == 422


def test_one_tenant_is_no_partner_under_two_entries(hospital, vendor):
    accept(vendor, send_link(hospital, vendor.official.email))
    with open_tenant(hospital.tenant.pk):
        second = BusinessAssociate.objects.create(reference="again", name="Cedar")
    hospital.client.post(f"/business-associates/{second.pk}/invite/", {"email": vendor.official.email})
    path = mail.outbox[-1].body.split("localhost:8000")[1].split()[0]
    assert accept(vendor, path).status_code == 409
    assert len(_partnerships(hospital)) == 1


def test_a_contributor_neither_invites_nor_withdraws(hospital):
    path = send_link(hospital, _fresh_address())
    contributor = sign_in(make_ready_person(Role.CONTRIBUTOR, hospital.tenant))
    with open_tenant(hospital.tenant.pk):
        offer = PartnershipInvitation.objects.get()
    assert contributor.post(f"{hospital.page}invite/", {"email": "x@example.org"}).status_code == 403
    assert contributor.post(f"{hospital.page}invitations/{offer.pk}/revoke/").status_code == 403
    assert "Withdraw" not in contributor.get(f"{hospital.page}partnership/").content.decode()
    assert Client().get(path).status_code == 200


def test_an_acceptance_that_is_raced_makes_one_partnership(hospital):
    """By owners of several tenants that share an address's person, a hundred times, twenty at once."""
    vendors = [make_vendor() for _ in range(2)]
    person = vendors[0].official
    with open_tenant(vendors[1].tenant.pk):
        Membership.objects.create(person=person, role=Role.OWNER)
    token, start = make_token(hospital, person.email), threading.Barrier(AT_ONCE)

    def take(number: int) -> str:
        try:
            if number < AT_ONCE:
                start.wait(timeout=180)
            accept_offer(token=token, person=person, tenant_id=vendors[number % 2].tenant.pk)
        except PortalError:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(take, range(RACED)))
    assert sorted(results) == ["done", *["refused"] * (RACED - 1)]
    assert len(_partnerships(hospital)) == 1


def test_two_who_sign_up_by_one_link_at_once_make_one_tenant(hospital):
    path, before = send_link(hospital, email := _fresh_address()), _tenants()
    start = threading.Barrier(4)

    def sign_up(_: int) -> int:
        start.wait(timeout=180)
        try:
            return Client().post(path, SIGN_UP).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sign_up, range(4))).count(302) == 1
    assert _tenants() == before + 1
    assert Person.objects.filter(email=email).count() == 1
