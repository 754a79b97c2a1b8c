"""Domains, proved by TXT records in a real DNS server; a domain has one holder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import VerifiedDomain
from accounts.sso.domains import add_domain, check_domain, holds, record_name, record_value, remove_domain
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import domain_holder
from tests.accounts.factories import make_ready_person
from tests.accounts.sso.kit import Zone, dns_server, new_domain
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def _server() -> Iterator[tuple[Zone, str]]:
    with dns_server() as running:
        yield running


@pytest.fixture
def zone(_server, settings) -> Zone:
    zone, address = _server
    settings.DNS_RESOLVERS = [address]
    zone.records.clear()
    return zone


def _note(tenant, domain: str) -> VerifiedDomain:
    with open_tenant(tenant.pk):
        return add_domain(domain=domain)


def _check(tenant, row: VerifiedDomain) -> VerifiedDomain:
    with open_tenant(tenant.pk):
        return check_domain(domain_id=row.pk)


def _publish(zone: Zone, *rows: VerifiedDomain) -> None:
    zone.records[record_name(rows[0].domain)] = [record_value(row.challenge) for row in rows]


def _holds(tenant, domain: str) -> bool:
    with open_tenant(tenant.pk):
        return holds(domain)


def test_a_domain_is_proved_by_its_record(tenant, zone):
    domain = new_domain()
    row = _note(tenant, f" @{domain.upper()}. ")
    assert "No such TXT record" in _check(tenant, row).problem
    assert not _holds(tenant, domain)
    _publish(zone, row)
    assert _check(tenant, row).problem == ""
    assert _holds(tenant, domain)
    assert not _holds(tenant, f"sub.{domain}")


def test_another_tenants_value_proves_nothing(tenant, zone):
    domain, other = new_domain(), make_tenant()
    row, theirs = _note(tenant, domain), _note(other, domain)
    _publish(zone, theirs)
    assert _check(tenant, row).problem
    zone.records = {
        domain: [record_value(row.challenge)],
        f"x.{record_name(domain)}": [record_value(row.challenge)],
    }
    assert _check(tenant, row).problem
    assert domain_holder(domain) is None


def test_a_held_domain_is_taken_over_only_once_the_holders_record_is_gone(tenant, zone):
    domain, other = new_domain(), make_tenant()
    row, theirs = _note(tenant, domain), _note(other, domain)
    _publish(zone, row)
    _check(tenant, row)
    _publish(zone, row, theirs)
    assert "Another tenant's" in _check(other, theirs).problem
    assert (_holds(tenant, domain), _holds(other, domain)) == (True, False)
    _publish(zone, theirs)
    assert _check(other, theirs).problem == ""
    assert (_holds(tenant, domain), _holds(other, domain)) == (False, True)


def test_who_does_not_control_the_dns_learns_nothing_of_other_tenants(tenant, zone):
    """A domain that another tenant holds, and one that nobody has, look the same."""
    held, free, other = new_domain(), new_domain(), make_tenant()
    theirs = _note(other, held)
    _publish(zone, theirs)
    _check(other, theirs)
    zone.records[record_name(free)] = ["something else"]
    said = [
        _check(tenant, _note(tenant, domain)).problem.replace(domain, "DOMAIN") for domain in (held, free)
    ]
    assert said[0] == said[1]


def test_a_proof_stays_when_the_record_is_gone_until_somebody_else_proves_it(tenant, zone):
    domain = new_domain()
    row = _note(tenant, domain)
    _publish(zone, row)
    _check(tenant, row)
    zone.records.clear()
    assert _check(tenant, row).problem
    assert _holds(tenant, domain)
    with open_tenant(tenant.pk):
        remove_domain(domain_id=row.pk)
    assert domain_holder(domain) is None


def test_a_dns_that_does_not_answer_proves_nothing(tenant, settings, monkeypatch):
    monkeypatch.setattr("accounts.sso.dns.SECONDS", 0.3)
    settings.DNS_RESOLVERS = ["127.0.0.1:9"]
    row = _note(tenant, new_domain())
    assert "no answer" in _check(tenant, row).problem


@pytest.mark.parametrize(
    "domain",
    ["", "localhost", "127.0.0.1", "exa mple.org", "-x.example", "x-.example", "ex\u00e4mple.org", "a..b", "x" * 64 + ".example",
     "http://example.org", "example.org/x", "*.example.org", "_x.example.org", "a@b.example", "x." * 130 + "org", "\x00.example"],
)  # fmt: skip
def test_what_is_no_domain_is_said_at_the_field(tenant, client_for, domain):
    client = client_for(make_ready_person(tenant=tenant))
    assert client.post("/single-sign-on/domains/add/", {"domain": domain}).status_code == 422


def test_the_owners_page_shows_the_record_and_checks_it(tenant, client_for, zone):
    client, domain = client_for(make_ready_person(tenant=tenant)), new_domain()
    assert client.post("/single-sign-on/domains/add/", {"domain": domain}).status_code == 302
    with open_tenant(tenant.pk):
        row = VerifiedDomain.objects.get()
    page = client.get("/single-sign-on/").content.decode()
    assert record_name(domain) in page
    assert record_value(row.challenge) in page
    client.post(f"/single-sign-on/domains/{row.pk}/check/")
    assert "No such TXT record" in client.get("/single-sign-on/").content.decode()
    _publish(zone, row)
    client.post(f"/single-sign-on/domains/{row.pk}/check/")
    assert "Verified" in client.get("/single-sign-on/").content.decode()
    assert client.post("/single-sign-on/domains/add/", {"domain": domain}).status_code == 422
