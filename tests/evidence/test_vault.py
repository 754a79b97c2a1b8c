"""Evidence is sealed on arrival, stored once, and served only as it was sealed."""

from __future__ import annotations

import random

import pytest

from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from evidence import vault
from evidence.models import Blob
from evidence.vault.errors import StoreUnavailable
from tests.factories import make_tenant

CONTENT = b'{"calls":{"ListBuckets":{"":{"response":{"Buckets":[]}}}}}' * 50


def _kept(tenant, content: bytes = CONTENT) -> Blob:
    sealed = vault.seal(content, tenant_id=tenant.pk, media_type="application/json")
    with open_tenant(tenant.pk):
        return sealed.keep()


def _file(vault_directory, blob: Blob):
    path = vault_directory / blob.address
    path.chmod(0o600)
    return path


def test_sealed_bytes_come_back_as_they_were_and_are_not_readable_in_the_store(tenant, vault_directory):
    blob = _kept(tenant)
    assert vault.open_blob(blob) == CONTENT
    stored = _file(vault_directory, blob).read_bytes()
    assert b"ListBuckets" not in stored
    assert blob.stored_size == len(stored)


def test_equal_bytes_of_one_tenant_are_one_blob_and_of_two_tenants_two(tenant):
    first, second = _kept(tenant), _kept(tenant)
    other = _kept(make_tenant())
    assert first.pk == second.pk
    assert other.pk != first.pk
    assert other.address.split("/")[0] != first.address.split("/")[0]


@pytest.mark.parametrize("damage", ["flip", "cut", "append", "swap", "delete"])
def test_any_damage_in_the_store_is_found_and_nothing_is_served(tenant, vault_directory, damage):
    blob, other = _kept(tenant), _kept(tenant, CONTENT + b"x")
    path = _file(vault_directory, blob)
    stored = path.read_bytes()
    place = random.randrange(len(stored))
    if damage == "flip":
        path.write_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
    elif damage == "cut":
        path.write_bytes(stored[:-1])
    elif damage == "append":
        path.write_bytes(stored + b"\0")
    elif damage == "swap":
        path.write_bytes(_file(vault_directory, other).read_bytes())
    else:
        path.unlink()
    with pytest.raises(vault.NotIntact):
        vault.open_blob(blob)
    assert vault.verify_blob(blob)


def test_a_swapped_key_is_found_even_where_the_stored_bytes_are_right(tenant):
    blob, other = _kept(tenant), _kept(tenant, CONTENT + b"x")
    blob.wrapped_key = other.wrapped_key
    with pytest.raises(vault.NotIntact):
        vault.open_blob(blob)


def test_bytes_moved_to_another_tenant_do_not_open(tenant):
    blob = _kept(tenant)
    blob.tenant_id = new_id()
    with pytest.raises(vault.NotIntact):
        vault.open_blob(blob)


def test_what_can_not_be_stored_leaves_neither_row_nor_file(tenant, settings, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the vault's directory should be")
    settings.VAULT_DIRECTORY = blocked
    with pytest.raises(StoreUnavailable):
        _kept(tenant)
    with open_tenant(tenant.pk):
        assert not Blob.objects.exists()


def test_a_stored_file_is_never_overwritten(tenant, vault_directory):
    from evidence.vault.stores import store

    blob = _kept(tenant)
    with pytest.raises(StoreUnavailable):
        store().put(blob.address, b"other bytes")
    assert vault.open_blob(blob) == CONTENT


def test_the_s3_store_and_kms_key_seal_and_open_like_the_local_ones(tenant, settings, aws, monkeypatch):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    settings.VAULT_STORE, settings.VAULT_BUCKET = "s3", f"vault-{tenant.slug}"
    settings.VAULT_ENDPOINT_URL = settings.VAULT_KMS_ENDPOINT_URL = aws.url
    credentials = aws.admin_credentials("123456789012")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["aws_access_key_id"])
    aws.admin("s3", "123456789012").create_bucket(Bucket=settings.VAULT_BUCKET)
    settings.VAULT_KEY = aws.admin("kms", "123456789012").create_key()["KeyMetadata"]["Arn"]
    blob = _kept(tenant)
    assert blob.key_id == settings.VAULT_KEY
    assert vault.open_blob(blob) == CONTENT
    blob.media_type = "text/plain"  # a changed context must not unwrap
    with pytest.raises(vault.NotIntact):
        vault.open_blob(blob)
