"""Packages in the browser's words: asked for, looked at, handed out, downloaded by whom they are for and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Engagement, EngagementAuditor, Package
from assessments.packages.build import build_package
from assessments.packages.models import PackageState
from assessments.packages.services import link_token
from evidence import vault
from tests.accounts.factories import make_ready_person, sign_in
from tests.assessments.packages.conftest import Hospital, fresh, work_until
from tests.factories import make_tenant


@pytest.fixture
def client(vault_of: Hospital):
    return sign_in(vault_of.owner)


def _days() -> dict[str, str]:
    today = timezone.now().date()
    return {"period_from": str(today - timedelta(days=7)), "period_to": str(today)}


def _engagement(hospital: Hospital, auditor, **fields: Any) -> Engagement:
    now = timezone.now()
    with open_tenant(hospital.tenant.pk):
        engagement = Engagement.objects.create(**{
            "title": "Yearly", "firm": "Moss LLP", "period_from": now.date() - timedelta(days=7), "period_to": now.date(),
            "opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1), "created_by": hospital.owner, **fields,
        })  # fmt: skip
        EngagementAuditor.objects.create(engagement=engagement, email=auditor.email, person=auditor)
    return engagement


def _download(client, package: Package, engagement: Engagement | None = None):
    token = link_token(fresh(package))
    if engagement:
        return client.get(f"/auditor/{engagement.pk}/packages/{token}/")
    return client.get(f"/packages/download/{token}/")


def test_a_package_is_looked_at_asked_for_made_and_downloaded(client, vault_of):
    form = {**_days(), "fields_withheld": ["Names of buckets"], "withheld_reason": "Names are private."}
    looked = client.post("/packages/new/", {**form, "preview": "1"})
    assert looked.status_code == 200
    assert b"as its reader sees it" in looked.content
    with open_tenant(vault_of.tenant.pk):
        before = Package.objects.count()
    answer = client.post("/packages/new/", form)
    assert answer.status_code == 302
    package_id = UUID(answer.url.strip("/").split("/")[-1])
    with open_tenant(vault_of.tenant.pk):
        assert Package.objects.count() == before + 1
        package = Package.objects.get(pk=package_id)
    assert b"Waiting" in client.get(answer.url + "progress/").content
    work_until(package, PackageState.READY)
    assert client.get(answer.url + "progress/").headers["HX-Redirect"] == answer.url
    page = client.get(answer.url).content.decode()
    assert link_token(fresh(package)) in page
    got = _download(client, package)
    content = b"".join(got.streaming_content)
    assert got.headers["Content-Disposition"].startswith('attachment; filename="evidence-package-')
    assert (len(content), content[:2]) == (fresh(package).size, b"PK")
    with open_tenant(vault_of.tenant.pk):
        entry = AuditEntry.objects.filter(act=Act.PACKAGE_DOWNLOAD, object_id=str(package_id)).get()
    assert entry.actor_id == str(vault_of.owner.pk)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"period_to": "2020-01-01"}, b"ends before it begins"),
        ({"fields_withheld": ["Tags"]}, b"Say why fields are withheld"),
        ({"more_withheld": "/", "withheld_reason": "x"}, b"names no field"),
        ({"connections": ["01a20270-2c52-7734-8e32-079f707627ec"]}, b"not one of the available choices"),
    ],
)
def test_what_cannot_be_made_is_said_at_its_field(client, given, said):
    answer = client.post("/packages/new/", {**_days(), **given})
    assert said in answer.content


def test_a_package_is_its_askers_and_nobody_elses(make, vault_of):
    package = make()
    colleague = sign_in(make_ready_person(Role.OWNER, vault_of.tenant))
    stranger = sign_in(make_ready_person(tenant=make_tenant()))
    assert _download(colleague, package).status_code == 404
    assert _download(stranger, package).status_code == 404
    assert (
        _download(sign_in(make_ready_person(Role.CONTRIBUTOR, vault_of.tenant)), package).status_code == 403
    )
    assert link_token(package) not in colleague.get(f"/packages/{package.pk}/").content.decode()
    assert colleague.post(f"/packages/{package.pk}/link/").status_code == 404
    assert colleague.post(f"/packages/{package.pk}/remove/").status_code == 404
    assert stranger.get(f"/packages/{package.pk}/").status_code == 404


def test_a_link_ends_after_a_day_and_a_new_one_ends_the_one_before(make, client):
    package = make()
    old = link_token(fresh(package))
    with open_tenant(package.tenant_id):
        Package.objects.filter(pk=package.pk).update(link_expires_at=timezone.now())
    assert _download(client, package).status_code == 404
    assert b"The link has expired" in client.get(f"/packages/{package.pk}/").content
    assert client.post(f"/packages/{package.pk}/link/").status_code == 302
    assert _download(client, package).status_code == 200
    assert client.get(f"/packages/download/{old}/").status_code == 404
    lasts = fresh(package).link_expires_at - timezone.now()
    assert timedelta(hours=23, minutes=58) < lasts <= timedelta(hours=24)


def test_the_database_holds_only_the_tokens_digest(make):
    package = make()
    token = link_token(fresh(package))
    with open_tenant(package.tenant_id):
        row = Package.objects.filter(pk=package.pk).values().get()
    assert token not in str(row)
    assert token.encode() not in bytes(row["token_digest"])


def test_an_engagements_auditor_downloads_its_package_while_it_lasts_and_no_other(ask, make, vault_of):
    auditor = make_ready_person(Role.AUDITOR, vault_of.tenant)
    engagement = _engagement(vault_of, auditor)
    theirs = work_until(ask(engagement_id=engagement.pk), PackageState.READY)
    other = make()
    browser = sign_in(auditor)
    page = browser.get(f"/auditor/{engagement.pk}/packages/").content.decode()
    assert link_token(fresh(theirs)) in page
    assert str(other.pk) not in page
    assert link_token(fresh(other)) not in page
    assert _download(browser, theirs, engagement).status_code == 200
    assert _download(browser, other, engagement).status_code == 404
    assert _download(browser, theirs).status_code == 404
    with open_tenant(vault_of.tenant.pk):
        Engagement.objects.filter(pk=engagement.pk).update(ended_at=timezone.now())
    assert _download(browser, theirs, engagement).status_code == 404
    assert browser.get(f"/auditor/{engagement.pk}/packages/").status_code == 404


def test_a_package_taken_back_is_gone_with_its_bytes_and_key(make, client):
    package = make()
    assert client.post(f"/packages/{package.pk}/remove/").status_code == 302
    assert _download(client, package).status_code == 404
    build_package(tenant_id=package.tenant_id, package_id=package.pk)
    gone = fresh(package)
    assert (gone.state, bytes(gone.wrapped_key), gone.token_digest) == (PackageState.REMOVED, b"", None)
    with pytest.raises(vault.NotIntact):
        b"".join(vault.open_stream(package.kept, context=package.context))


def test_a_stored_package_that_was_damaged_is_not_handed_out(make, client, vault_of):
    package = make()
    path = vault_of.vault / package.address
    path.unlink()
    assert _download(client, package).status_code == 500
