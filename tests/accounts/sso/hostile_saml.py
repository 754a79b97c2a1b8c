"""SAML responses as attackers make them: signed by who they like, wrapped, cut, repeated."""

from __future__ import annotations

import base64
import copy
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import xmlsec
from lxml import etree

from tests.accounts.sso.kit import Keys, Setup

P, A, D = (
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "http://www.w3.org/2000/09/xmldsig#",
)
NS = {"p": P, "a": A, "d": D}
MFA = "https://refeds.org/profile/mfa"


def _time(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Recipe:
    """A response; each field is what a right one says unless a test says otherwise."""

    setup: Setup
    request_id: str
    subject: str
    email: str
    issuer: str = "urn:example:saml"
    audience: str | None = ""
    recipient: str | None = ""
    destination: str | None = ""
    in_response_to: str | None = ""
    confirmed_in_response_to: str | None = ""
    starts: float = -30
    ends: float = 300
    confirmed_until: float | None = 300
    authenticated: float = 0
    context: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    name_id_format: str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    assertion_id: str = field(default_factory=lambda: f"_{secrets.token_hex(16)}")
    prolog: str = ""

    @property
    def entity_id(self) -> str:
        return f"http://testserver{self.setup.path('metadata')}"

    @property
    def acs(self) -> str:
        return f"http://testserver{self.setup.path('acs')}"

    def xml(self) -> bytes:
        def attribute(name: str, value: str | None, right: str) -> str:
            return "" if value is None else f' {name}="{value or right}"'

        audience = (
            ""
            if self.audience is None
            else f"<saml:AudienceRestriction><saml:Audience>{self.audience or self.entity_id}</saml:Audience></saml:AudienceRestriction>"
        )
        until = "" if self.confirmed_until is None else f' NotOnOrAfter="{_time(self.confirmed_until)}"'
        return f"""{self.prolog}<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}" ID="_{secrets.token_hex(16)}" Version="2.0" IssueInstant="{_time(0)}"{attribute("Destination", self.destination, self.acs)}{attribute("InResponseTo", self.in_response_to, self.request_id)}><saml:Issuer>{self.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status><saml:Assertion ID="{self.assertion_id}" Version="2.0" IssueInstant="{_time(0)}"><saml:Issuer>{self.issuer}</saml:Issuer><saml:Subject><saml:NameID Format="{self.name_id_format}">{self.subject}</saml:NameID><saml:SubjectConfirmation Method="{self.method}"><saml:SubjectConfirmationData{until}{attribute("Recipient", self.recipient, self.acs)}{attribute("InResponseTo", self.confirmed_in_response_to, self.request_id)}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{_time(self.starts)}" NotOnOrAfter="{_time(self.ends)}">{audience}</saml:Conditions><saml:AuthnStatement AuthnInstant="{_time(self.authenticated)}" SessionIndex="_s"><saml:AuthnContext><saml:AuthnContextClassRef>{self.context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>{self.email}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>""".encode()


def sign(
    document: bytes,
    keys: Keys,
    *,
    what: str = "assertion",
    method: Any = xmlsec.Transform.RSA_SHA256,
    digest: Any = xmlsec.Transform.SHA256,
    c14n: Any = xmlsec.Transform.EXCL_C14N,
    more: Any = None,
) -> Any:
    """The document with its assertion (or response) signed."""
    root = etree.fromstring(document)
    owner = root if what == "response" else root.find(".//a:Assertion", NS)
    template = xmlsec.template.create(root, c14n, method, ns="ds")
    owner.insert(1, template)
    reference = xmlsec.template.add_reference(template, digest, uri=f"#{owner.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, more or xmlsec.Transform.EXCL_C14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(keys.key_pem, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(keys.certificate_pem, xmlsec.KeyFormat.PEM)
    xmlsec.tree.add_ids(root, ["ID"])
    context.sign(template)
    return root


def encode(root: Any) -> str:
    text = root if isinstance(root, bytes) else etree.tostring(root)
    return base64.b64encode(text).decode()


def _parts(root: Any) -> tuple[Any, Any]:
    assertion = root.find("a:Assertion", NS)
    return assertion, assertion.find("d:Signature", NS)


def _forged(assertion: Any, subject: str, email: str, *, keep_id: bool = False) -> Any:
    """A copy that says what the attacker likes, without the signature."""
    forged = copy.deepcopy(assertion)
    forged.remove(forged.find("d:Signature", NS))
    forged.find(".//a:NameID", NS).text = subject
    forged.find(".//a:AttributeValue", NS).text = email
    if not keep_id:
        forged.set("ID", f"_{secrets.token_hex(16)}")
    return forged


def _extension(root: Any) -> Any:
    extensions = etree.Element(f"{{{P}}}Extensions")
    root.insert(1, extensions)
    return extensions


def _object(signature: Any) -> Any:
    return etree.SubElement(signature, f"{{{D}}}Object")


# Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), table of XSW 1 to 8.
# 1 and 2 wrap a signed response, the others a signed assertion.


def xsw1(root: Any, subject: str, email: str) -> Any:
    original = copy.deepcopy(root)
    signature = original.find("d:Signature", NS)
    _retell(root, subject, email)
    root.set("ID", "_forged")
    own = root.find("d:Signature", NS)
    original.remove(signature)
    own.append(original)
    return root


def xsw2(root: Any, subject: str, email: str) -> Any:
    original = copy.deepcopy(root)
    original.remove(original.find("d:Signature", NS))
    signature = root.find("d:Signature", NS)
    _retell(root, subject, email)
    root.set("ID", "_forged")
    signature.addprevious(original)
    return root


def _retell(root: Any, subject: str, email: str) -> None:
    root.find("a:Assertion", NS).set("ID", "_forgedassertion")
    root.find(".//a:NameID", NS).text = subject
    root.find(".//a:AttributeValue", NS).text = email


def xsw3(root: Any, subject: str, email: str) -> Any:
    assertion, _ = _parts(root)
    assertion.addprevious(_forged(assertion, subject, email))
    return root


def xsw4(root: Any, subject: str, email: str) -> Any:
    assertion, _ = _parts(root)
    forged = _forged(assertion, subject, email)
    root.replace(assertion, forged)
    forged.append(assertion)
    return root


def xsw5(root: Any, subject: str, email: str) -> Any:
    assertion, _signature = _parts(root)
    original = copy.deepcopy(assertion)
    original.remove(original.find("d:Signature", NS))
    assertion.find(".//a:NameID", NS).text = subject
    assertion.find(".//a:AttributeValue", NS).text = email
    assertion.set("ID", "_forged")
    root.append(original)
    return root


def xsw6(root: Any, subject: str, email: str) -> Any:
    assertion, signature = _parts(root)
    original = copy.deepcopy(assertion)
    original.remove(original.find("d:Signature", NS))
    assertion.find(".//a:NameID", NS).text = subject
    assertion.find(".//a:AttributeValue", NS).text = email
    assertion.set("ID", "_forged")
    signature.append(original)
    return root


def xsw7(root: Any, subject: str, email: str) -> Any:
    assertion, _ = _parts(root)
    _extension(root).append(_forged(assertion, subject, email, keep_id=True))
    return root


def xsw8(root: Any, subject: str, email: str) -> Any:
    assertion, signature = _parts(root)
    original = copy.deepcopy(assertion)
    original.remove(original.find("d:Signature", NS))
    assertion.find(".//a:NameID", NS).text = subject
    assertion.find(".//a:AttributeValue", NS).text = email
    _object(signature).append(original)
    return root


def same_id_twice(root: Any, subject: str, email: str) -> Any:
    assertion, _ = _parts(root)
    assertion.addnext(_forged(assertion, subject, email, keep_id=True))
    return root


def signature_moved_to_a_forgery(root: Any, subject: str, email: str) -> Any:
    assertion, signature = _parts(root)
    forged = _forged(assertion, subject, email)
    forged.insert(1, copy.deepcopy(signature))
    root.replace(assertion, forged)
    return root


def text_changed(root: Any, subject: str, email: str) -> Any:
    root.find(".//a:NameID", NS).text = subject
    root.find(".//a:AttributeValue", NS).text = email
    return root


def encrypted_beside(root: Any, subject: str, email: str) -> Any:
    etree.SubElement(root, f"{{{A}}}EncryptedAssertion")
    return root


Wrap = Callable[[Any, str, str], Any]
OF_RESPONSES: list[Wrap] = [xsw1, xsw2]
OF_ASSERTIONS: list[Wrap] = [
    xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, same_id_twice, signature_moved_to_a_forgery, text_changed, encrypted_beside,
]  # fmt: skip
