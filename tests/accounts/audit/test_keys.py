"""The signing key: registered at first use, rotated under the old one's signature, never mixed up."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.audit import proofs
from accounts.audit.keys import KmsSigner, LocalSigner, WrongKeyError, make_signer, rotate_key
from accounts.audit.notes import encode_vkey, open_note, write_note
from accounts.tenancy.scope import open_tenant
from tests.accounts.audit.kit import NEXT_SIGNER, SIGNER, tenants, write

ARN = "arn:aws:kms:eu-central-1:123456789012:key/5b1ee0c0"


@pytest.fixture
def tenant(log):
    log.seal()
    return tenants(1)[0]


def test_the_same_secret_is_the_same_key_and_a_short_one_is_refused():
    assert (
        make_signer("x" * 32).public_key
        == LocalSigner("x" * 32).public_key
        != LocalSigner("y" * 32).public_key
    )
    with pytest.raises(WrongKeyError):
        make_signer("x" * 31)


def test_a_rotated_key_is_certified_by_the_one_before_and_signs_from_then_on(log, tenant):
    write(tenant, 1)
    log.seal()
    vkey = rotate_key(log.connect(), old=SIGNER, new=NEXT_SIGNER)
    assert rotate_key(log.connect(), old=SIGNER, new=NEXT_SIGNER) == vkey
    log.signers = [SIGNER, NEXT_SIGNER]
    log.reopen()
    write(tenant, 2)
    log.seal()
    old, new = log.checkpoints(tenant)
    assert open_note(old["note"], [SIGNER.public_key])
    assert open_note(new["note"], [NEXT_SIGNER.public_key])
    with open_tenant(tenant):
        first, second = proofs.keys()
    assert (first.vkey, first.certificate) == (encode_vkey(SIGNER.public_key), None)
    kind, certified, _time, _end = open_note(second.certificate, [SIGNER.public_key]).split("\n")
    assert (kind, certified) == ("surety-key/1", second.vkey)
    log.assert_sound(tenant)
    log.anchor()
    log.assert_anchored()


def test_a_running_sealer_without_the_new_key_signs_nothing_more(log, tenant):
    write(tenant, 1)
    log.seal()
    rotate_key(log.connect(), old=SIGNER, new=NEXT_SIGNER)
    write(tenant, 2)
    with pytest.raises(WrongKeyError, match="rotate_audit_key"):
        log.seal()
    assert len(log.leaves(tenant)) == 1


def test_a_key_that_is_not_the_log_s_certifies_nothing(log, tenant):
    write(tenant, 1)
    log.seal()
    stranger = LocalSigner("a key that never signed this log")
    with pytest.raises(WrongKeyError):
        rotate_key(log.connect(), old=stranger, new=NEXT_SIGNER)
    assert len(log.public_keys()) == 1


def test_a_lost_key_is_replaced_without_a_certificate(log, tenant):
    write(tenant, 1)
    log.seal()
    rotate_key(log.connect(), old=None, new=NEXT_SIGNER)
    with open_tenant(tenant):
        assert [key.certificate for key in proofs.keys()] == [None, None]  # noqa: SIM118 (no dictionary)


class Client:
    """KMS, as far as its answers go; moto has no Ed25519 keys."""

    def __init__(self, key) -> None:
        import boto3

        self.key = key
        self.client = boto3.client(
            "kms", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stub = Stubber(self.client)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.stub.add_response("get_public_key", {"KeyId": ARN, "PublicKey": public}, {"KeyId": ARN})
        self.stub.activate()

    def will_sign(self, message: bytes) -> None:
        self.stub.add_response(
            "sign", {"KeyId": ARN, "Signature": self.key.sign(message)},
            {"KeyId": ARN, "Message": message, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"},
        )  # fmt: skip


def test_a_key_in_kms_signs_notes_that_anyone_verifies():
    kms = Client(Ed25519PrivateKey.generate())
    signer = KmsSigner(ARN, kms.client)
    kms.will_sign(b"a text\n")
    note = write_note("a text\n", signer.public_key, signer.sign)
    assert open_note(note, [kms.key.public_key().public_bytes_raw()]) == "a text\n"


def test_a_key_in_kms_of_another_kind_is_refused():
    with pytest.raises(WrongKeyError, match="ECC_NIST_EDWARDS25519"):
        KmsSigner(ARN, Client(generate_private_key(65537, 2048)).client)
