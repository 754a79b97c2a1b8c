"""An authenticator in software, as good or as bad as a test wants it (WebAuthn level 3, 6)."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client

from accounts.models import Passkey, Person

SITE, ORIGIN = "localhost", "http://localhost:8000"
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


@dataclass
class Authenticator:
    """One credential. `flags` are what it says of the person and itself; `counter` goes up by one at each use."""

    origin: str = ORIGIN
    site: str = SITE
    flags: int = UP | UV
    counter: int = 0
    user_handle: str = ""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **client_data: Any) -> str:
        """The answer to PublicKeyCredentialCreationOptions, as JSON."""
        self.user_handle = options["user"]["id"]
        said = self._client_data("webauthn.create", options, client_data)
        data = self._authenticator_data(AT) + self._attested()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=encode(said), attestationObject=encode(attestation), transports=["internal"]
        )

    def use(self, options: dict[str, Any], **client_data: Any) -> str:
        """The answer to PublicKeyCredentialRequestOptions, as JSON."""
        self.counter += 1
        said = self._client_data("webauthn.get", options, client_data)
        data = self._authenticator_data()
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=encode(said), authenticatorData=encode(data), signature=encode(signature),
            userHandle=self.user_handle,
        )  # fmt: skip

    def _client_data(self, kind: str, options: dict[str, Any], changed: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **changed}).encode()

    def _authenticator_data(self, more: int = 0) -> bytes:
        head = hashlib.sha256(self.site.encode()).digest()
        return head + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")

    def _attested(self) -> bytes:
        point = self.key.public_key().public_numbers()
        key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        )
        return bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + key

    def _answer(self, **response: Any) -> str:
        handle = encode(self.credential_id)
        return json.dumps({"id": handle, "rawId": handle, "type": "public-key", "response": response})


def options_for(client: Client, path: str) -> dict[str, Any]:
    answer = client.post(path)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def add_passkey(client: Client, authenticator: Authenticator, name: str = "Laptop") -> Any:
    """Adds a passkey to a client that has both factors."""
    made = authenticator.make(options_for(client, "/passkeys/new/options/"))
    return client.post("/profile/passkeys/new/", {"name": name, "credential": made})


def sign_in_by_passkey(authenticator: Authenticator, client: Client | None = None, **data: str) -> Any:
    """The answer to signing in with nothing but the passkey."""
    client = client or Client()
    options = options_for(client, "/sign-in/passkey/options/")
    return client.post("/sign-in/passkey/", {"credential": authenticator.use(options), **data})


def give_passkey(person: Person) -> Authenticator:
    """An authenticator whose key the person has registered."""
    made = Authenticator(user_handle=encode(person.pk.bytes))
    Passkey.objects.create(
        user=person, name="Laptop", credential_id=made.credential_id, public_key=made._attested()[18 + 32 :],
        aaguid="00000000-0000-0000-0000-000000000000", backup_eligible=False, backed_up=False,
    )  # fmt: skip
    return made
