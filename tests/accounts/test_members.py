"""Members and invitations, as an owner, a security official, a member and an invited stranger meet them."""

from __future__ import annotations

import queue
import re
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.errors import Conflict, PortalError
from accounts.models import AuditEntry, Invitation, Membership, Person
from accounts.permissions import Role
from accounts.services import accept_invitation, add_member, create_tenant, invite, remove_member
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import (
    PASSWORD,
    code_for,
    give_second_factor,
    make_ready_person,
    post_password,
    sign_in,
)
from tests.factories import make_member, make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def owner(tenant):
    return make_ready_person(tenant=tenant)


@pytest.fixture
def client(owner):
    return sign_in(owner)


def _membership(tenant, person) -> Membership:
    with open_tenant(tenant.id):
        return Membership.objects.get(person=person)


def _invite(client, email: str, role: str = "viewer", **more: str) -> str:
    """The path of the link that was sent."""
    mail.outbox.clear()
    assert client.post("/members/invite/", {"email": email, "role": role, **more}).status_code == 302
    (message,) = mail.outbox
    assert message.to == [email]
    return re.search(r"https?://[^/]+(/invitations/\S+)", message.body)[1]


def test_a_new_person_joins_by_the_link_and_sets_up_the_second_factor(tenant, client):
    path, stranger = _invite(client, "new@example.com"), Client()
    assert tenant.name in stranger.get(path).content.decode()
    answer = stranger.post(path, {"name": "Nell", "password": "four plain words here"})
    assert answer.url == "/sign-in/set-up/"
    person = Person.objects.get(email="new@example.com")
    assert _membership(tenant, person).role == Role.VIEWER
    assert stranger.get("/profile/").url.startswith("/sign-in/set-up/")
    Person.objects.filter(pk=person.pk).update(email=f"{person.pk}@example.com")


def test_an_existing_person_joins_after_signing_in(tenant, client):
    person = make_ready_person()
    path, browser = _invite(client, person.email, "auditor"), Client()
    assert b"Sign in" in browser.get(path).content
    browser.post("/sign-in/", {"email": person.email, "password": PASSWORD, "next": path})
    assert browser.post(path).url == "/sign-in/code/"
    assert browser.post("/sign-in/code/", {"code": code_for(person)}).url == path
    assert browser.post(path).url == "/"
    assert _membership(tenant, person).role == Role.AUDITOR


def test_the_link_is_no_use_to_somebody_else(tenant, client):
    path, other = _invite(client, make_person().email), make_ready_person()
    browser = sign_in(other)
    assert browser.post(path).status_code == 409
    with open_tenant(tenant.id):
        assert not Membership.objects.filter(person=other).exists()


@pytest.mark.parametrize("close", ["expire", "revoke", "replace", "accept"])
def test_a_closed_invitation_says_so_and_admits_nobody(tenant, client, close):
    email = f"{timezone.now().timestamp()}@example.com"
    path = _invite(client, email)
    with open_tenant(tenant.id):
        invitation = Invitation.objects.get(email=email)
        if close == "expire":
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if close == "revoke":
        client.post(f"/members/invitations/{invitation.pk}/revoke/")
    if close == "replace":
        _invite(client, email)
    if close == "accept":
        Client().post(path, {"name": "Nell", "password": "four plain words here"})
    members = len(client.get("/members/").context["members"])
    answer = Client().post(path, {"name": "Eve", "password": "four plain words here"})
    assert answer.status_code == 404
    assert len(client.get("/members/").context["members"]) == members


def test_a_link_that_never_was_gets_the_same_answer():
    assert Client().get("/invitations/nonsense/").status_code == 404


def test_the_token_is_kept_nowhere(tenant, client):
    token = _invite(client, "kept@example.com").split("/")[2]
    with open_tenant(tenant.id), connection.cursor() as cursor:
        cursor.execute("select count(*) from accounts_invitation i where i::text like %s", [f"%{token}%"])
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "select count(*) from accounts_auditentry where convert_from(body, 'utf8') like %s",
            [f"%{token}%"],
        )
        assert cursor.fetchone() == (0,)


def test_an_invitation_is_accepted_once_however_it_is_raced(tenant, owner):
    for _ in range(10):
        person = make_person()
        with open_tenant(tenant.id):
            token = invite(
                email=person.email, role=Role.VIEWER, by=Membership.objects.get(person=owner)
            ).token
        assert sorted(_race(partial(accept_invitation, token=token, person=person))) == [
            "done",
            *["refused"] * 7,
        ]


def _race(act, racers: int = 8) -> list[str]:
    barrier, results = threading.Barrier(racers), []

    def run() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=180)
            act()
            results.append("done")
        except PortalError:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    return results


def test_owners_who_remove_each_other_at_once_leave_one(tenant, owner):
    for _ in range(8):
        with open_tenant(tenant.id):
            Membership.objects.all().delete()
            one, other = (add_member(person=make_person(), role=Role.OWNER) for _ in range(2))
        pairs = queue.SimpleQueue()
        pairs.put((one, other))
        pairs.put((other, one))
        assert sorted(_race(partial(_remove_next, tenant, pairs), 2)) == ["done", "refused"]
        with open_tenant(tenant.id):
            assert Membership.objects.filter(role=Role.OWNER).count() == 1


def _remove_next(tenant, pairs) -> None:
    by, target = pairs.get_nowait()
    with open_tenant(tenant.id):
        remove_member(membership_id=target.pk, by=by)


def test_the_last_owner_is_neither_removed_nor_demoted(tenant, owner, client):
    make_member(tenant, Role.SECURITY_OFFICIAL)
    own = _membership(tenant, owner)
    assert client.post(f"/members/{own.pk}/remove/").status_code == 409
    assert client.post(f"/members/{own.pk}/role/", {"role": "viewer"}).status_code == 409
    assert _membership(tenant, owner).role == Role.OWNER


def test_a_security_official_neither_makes_nor_changes_owners(tenant, owner):
    official = sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))
    viewer = make_member(tenant, Role.VIEWER)
    second = make_member(tenant, Role.OWNER)
    their, top = _membership(tenant, viewer).pk, _membership(tenant, second).pk
    assert official.post(f"/members/{their}/role/", {"role": "owner"}).status_code == 403
    assert official.post(f"/members/{top}/role/", {"role": "viewer"}).status_code == 403
    assert official.post(f"/members/{top}/remove/").status_code == 403
    assert official.post("/members/invite/", {"email": "x@example.com", "role": "owner"}).status_code == 422
    assert official.post(f"/members/{their}/role/", {"role": "contributor"}).status_code == 302
    assert _membership(tenant, viewer).role == Role.CONTRIBUTOR


def test_a_refused_act_changes_nothing_and_is_recorded_as_refused(tenant, owner):
    viewer = make_ready_person(Role.VIEWER, tenant)
    browser = sign_in(viewer)
    assert browser.post("/members/invite/", {"email": "x@example.com", "role": "viewer"}).status_code == 403
    with open_tenant(tenant.id):
        assert not Invitation.objects.exists()
        assert AuditEntry.objects.get(outcome="refused", actor_id=str(viewer.pk)).act == Act.INVITATION_CREATE


def test_acts_on_members_stand_in_the_log_with_their_actor(tenant, owner, client):
    member = make_member(tenant, Role.VIEWER)
    pk = _membership(tenant, member).pk
    client.post(f"/members/{pk}/role/", {"role": "auditor"})
    client.post(f"/members/{pk}/remove/")
    with open_tenant(tenant.id):
        acts = list(
            AuditEntry.objects.filter(object_id=str(member.pk))
            .order_by("occurred_at")
            .values_list("act", "actor_id")
        )
    assert acts == [(Act.MEMBER_ROLE_CHANGE, str(owner.pk)), (Act.MEMBER_REMOVE, str(owner.pk))]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "no-address",
        "two@example.org@example.org",
        "\u0430dmin@example.org",
        "admin@ex\u0430mple.org",
        "a" * 250 + "@example.org",
        "x\n@example.org",
    ],
)
def test_an_unfit_address_is_refused_at_its_field(client, email):
    answer = client.post("/members/invite/", {"email": email, "role": "viewer"})
    assert answer.status_code == 422
    assert "email" in answer.context["form"].errors
    assert b'aria-describedby="id_email_error"' in answer.content


def test_a_member_is_not_invited_again(tenant, owner, client):
    answer = client.post("/members/invite/", {"email": owner.email.upper(), "role": "viewer"})
    assert answer.status_code == 422
    assert b"is a member already" in answer.content


def test_an_auditors_membership_ends_on_the_day_that_the_invitation_says(tenant, client):
    person, day = make_person(password=PASSWORD), (timezone.now() + timedelta(days=9)).date()
    give_second_factor(person)
    path = _invite(client, person.email, "auditor", ends_on=day.isoformat())
    sign_in(person).post(path)
    assert _membership(tenant, person).ends_at.date() == day


def test_a_mail_server_that_fails_undoes_nothing(tenant, client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert (
        client.post("/members/invite/", {"email": "later@example.com", "role": "viewer"}).status_code == 302
    )
    with open_tenant(tenant.id):
        assert Invitation.objects.filter(email="later@example.com").exists()


def test_tenants_are_made_without_an_open_one_and_slugs_are_unique():
    slug = f"clinic-{timezone.now().timestamp():.0f}-{make_tenant().slug[-6:]}"
    made = create_tenant(name="Clinic", slug=slug, kind="business_associate")
    with open_tenant(made.id):
        assert AuditEntry.objects.get(act=Act.TENANT_CREATE).object_id == str(made.id)
    with pytest.raises(Conflict):
        create_tenant(name="Another", slug=slug)


def test_half_signed_in_people_join_nothing(tenant, client):
    person = make_person(password=PASSWORD)
    give_second_factor(person)
    path, browser = _invite(client, person.email), Client()
    post_password(browser, person)
    assert browser.post(path).url == "/sign-in/code/"
    with open_tenant(tenant.id):
        assert not Membership.objects.filter(person=person).exists()
