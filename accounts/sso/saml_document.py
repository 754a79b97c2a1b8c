"""The shape that a SAML response must have before its signature is even looked at.

Signature wrapping moves the signed assertion aside and puts a forged one where the reader looks. Here a response
has one place for one assertion, and its signature covers exactly this element: what has any other shape is
refused, whatever its signatures say. No document type, entity, comment or processing instruction gets in, so a
name can't be cut in two by a comment.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lxml import etree

from accounts.sso.facts import RefusedAssertion

PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
LONGEST = 256 << 10

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURE_METHODS = {f"{_MORE}{family}-sha{bits}" for family in ("rsa", "ecdsa") for bits in (256, 384, 512)}
DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
}
CANONICAL = "http://www.w3.org/2001/10/xml-exc-c14n#"
TRANSFORMS = {CANONICAL, "http://www.w3.org/2000/09/xmldsig#enveloped-signature"}
_PARTS = {f"{ASSERTION}Issuer", f"{SIGNATURE}Signature", f"{PROTOCOL}Status", f"{ASSERTION}Assertion"}

Element = Any  # lxml has no types of its own


def read_response(encoded: str) -> Element:
    """The response element of a base64 form field. Raises RefusedAssertion for any other shape than ours."""
    root = parse(decode(encoded))
    if root.tag != f"{PROTOCOL}Response":
        raise RefusedAssertion("This is no SAML response.")
    if any(child.tag not in _PARTS for child in root):
        raise RefusedAssertion("The SAML response holds parts that aren't accepted.")
    assertions = _all(root, f"{ASSERTION}Assertion")
    if len(root.findall(f"{ASSERTION}Assertion")) != 1 or len(assertions) != 1:
        raise RefusedAssertion(_status_of(root) or "The SAML response must hold one assertion.")
    if len(_all(root, f"{PROTOCOL}Response")) != 1:
        raise RefusedAssertion("The SAML response holds another one.")
    _require_own_ids(root)
    _require_own_signatures(root, assertions[0])
    return root


def parse(document: bytes) -> Element:
    """An XML document without a document type, entities, comments and processing instructions."""
    if len(document) > LONGEST:
        raise RefusedAssertion("The XML is too long.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RefusedAssertion("This is no well-formed XML.") from error
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None or info.externalDTD is not None:
        raise RefusedAssertion("XML with a document type isn't accepted.")
    if root.getprevious() is not None or root.getnext() is not None:
        raise RefusedAssertion("XML with comments or instructions isn't accepted.")
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise RefusedAssertion("XML with comments or instructions isn't accepted.")
    return root


def decode(encoded: str) -> bytes:
    """The XML of a base64 form field. Raises RefusedAssertion."""
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedAssertion("The SAML response isn't base64.") from error


def _all(root: Element, tag: str) -> list[Element]:
    return list(root.iter(tag))


def _require_own_ids(root: Element) -> None:
    ids = [
        value
        for node in root.iter()
        for name, value in node.attrib.items()
        if etree.QName(name).localname.lower() == "id"
    ]
    if len(ids) != len(set(ids)):
        raise RefusedAssertion("The SAML response uses an ID twice.")


def _require_own_signatures(root: Element, assertion: Element) -> None:
    signatures = _all(root, f"{SIGNATURE}Signature")
    owners = [signature.getparent() for signature in signatures]
    if any(owner is not root and owner is not assertion for owner in owners):
        raise RefusedAssertion("The SAML response holds a signature in a strange place.")
    if owners.count(assertion) != 1 or owners.count(root) > 1:
        raise RefusedAssertion("The assertion must be signed, once.")
    for signature, owner in zip(signatures, owners, strict=True):
        _require_plain_signature(signature, owner)


def _require_plain_signature(signature: Element, owner: Element) -> None:
    info = signature.find(f"{SIGNATURE}SignedInfo")
    references = _all(signature, f"{SIGNATURE}Reference")
    if info is None or len(references) != 1 or _all(signature, f"{SIGNATURE}Object"):
        raise RefusedAssertion("The signature must refer to one element.")
    if not owner.get("ID") or references[0].get("URI") != f"#{owner.get('ID')}":
        raise RefusedAssertion("The signature doesn't cover the element that it stands in.")
    if _algorithms(info, "CanonicalizationMethod") != [CANONICAL]:
        raise RefusedAssertion("The signature's canonical form isn't accepted.")
    if not set(_algorithms(references[0], "Transform")) <= TRANSFORMS:
        raise RefusedAssertion("The signature's transforms aren't accepted.")
    methods, digests = _algorithms(info, "SignatureMethod"), _algorithms(info, "DigestMethod")
    if (
        len(methods) != 1
        or len(digests) != 1
        or methods[0] not in SIGNATURE_METHODS
        or digests[0] not in DIGESTS
    ):
        raise RefusedAssertion("The signature must use SHA-256 or better, with RSA or ECDSA.")


def _algorithms(within: Element, name: str) -> list[str]:
    return [node.get("Algorithm", "") for node in _all(within, f"{SIGNATURE}{name}")]


def _status_of(root: Element) -> str:
    """Why the provider refused, where it did."""
    codes = [node.get("Value", "").rpartition(":")[2] for node in _all(root, f"{PROTOCOL}StatusCode")]
    if not codes or codes[0] == "Success":
        return ""
    words = "".join(sign for sign in ", ".join(codes) if sign.isalnum() or sign in ", ")
    return f"The provider refused the sign-in: {words[:100]}."
