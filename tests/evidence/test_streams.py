"""Streams of the vault: what is large is sealed and opened without being held in memory."""

from __future__ import annotations

import hashlib
import os
import random
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from evidence import vault
from evidence.vault.errors import StoreUnavailable
from evidence.vault.stores import FileStore, store

CONTENT = os.urandom(3_500_000)


def _seal(address: str = "t/aa/one", content: bytes = CONTENT, context: str = "mine") -> vault.StreamKept:
    with vault.seal_stream(address=address, context=context) as stream:
        for start in range(0, len(content), 100_000):
            stream.write(content[start : start + 100_000])
    return stream.kept


def _break_off(content: bytes = CONTENT) -> None:
    with vault.seal_stream(address="t/aa/broken", context="mine") as stream:
        stream.write(content)
        raise RuntimeError("the worker's last words")


def _opened(kept: vault.StreamKept, context: str = "mine") -> bytes:
    return b"".join(vault.open_stream(kept, context=context))


def test_a_sealed_stream_comes_back_and_is_not_readable_in_the_store(vault_directory):
    kept = _seal()
    stored = (vault_directory / kept.address).read_bytes()
    assert CONTENT[1000:1100] not in stored
    assert (kept.stored_size, kept.ciphertext_digest) == (len(stored), hashlib.sha256(stored).hexdigest())
    assert _opened(kept) == CONTENT


@pytest.mark.parametrize("damage", ["flip", "cut", "append", "swap", "delete"])
def test_any_damage_to_a_stored_stream_is_found_at_the_latest_at_its_end(vault_directory, damage):
    kept, other = _seal(), _seal("t/aa/two")
    path = vault_directory / kept.address
    path.chmod(0o600)
    stored = path.read_bytes()
    place = random.randrange(len(stored))
    if damage == "flip":
        path.write_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
    elif damage == "cut":
        path.write_bytes(stored[:-1])
    elif damage == "append":
        path.write_bytes(stored + b"\0")
    elif damage == "swap":
        path.write_bytes((vault_directory / other.address).read_bytes())
    else:
        path.unlink()
    with pytest.raises(vault.NotIntact):
        _opened(kept)


def test_a_stream_does_not_open_as_somebody_elses():
    with pytest.raises(vault.NotIntact):
        _opened(_seal(), context="theirs")


def test_a_broken_attempt_leaves_nothing_behind(vault_directory):
    with pytest.raises(RuntimeError):
        _break_off()
    assert not [path for path in vault_directory.rglob("*") if path.is_file()]
    assert _opened(_seal("t/aa/broken")) == CONTENT


def test_a_full_disk_is_told_as_a_store_that_cannot_take_it(monkeypatch, tmp_path):
    full = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115 (closed by the store)
    monkeypatch.setattr("evidence.vault.stores.os.fdopen", lambda *_: full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        _seal()


def test_what_was_removed_is_gone_and_removing_it_again_is_harmless(vault_directory):
    kept = _seal()
    for _ in range(2):
        vault.remove_stream(kept.address)
    with pytest.raises(vault.NotIntact):
        _opened(kept)


def test_a_stored_stream_is_never_overwritten():
    kept = _seal()
    with pytest.raises(StoreUnavailable):
        _seal()
    assert _opened(kept) == CONTENT


def test_what_a_killed_writer_left_is_taken_back_after_a_day_and_nothing_else(vault_directory):
    kept = _seal()
    folder = (vault_directory / kept.address).parent
    left, live = folder / ".left", folder / ".live"
    for path in (left, live):
        path.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (left, vault_directory / kept.address):
        os.utime(path, (two_days_ago, two_days_ago))
    assert (vault.sweep_unfinished(), vault.sweep_unfinished()) == (1, 0)
    assert (left.exists(), live.exists()) == (False, True)
    assert _opened(kept) == CONTENT


def test_a_bucket_takes_streams_in_parts_and_gives_them_back(tenant, settings, aws, monkeypatch):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    credentials = aws.admin_credentials("123456789012")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["aws_access_key_id"])
    settings.VAULT_STORE, settings.VAULT_BUCKET = "s3", f"streams-{tenant.slug}"
    settings.VAULT_ENDPOINT_URL = aws.url
    aws.admin("s3", "123456789012").create_bucket(Bucket=settings.VAULT_BUCKET)
    monkeypatch.setattr("evidence.vault.stores.PART_BYTES", 5 << 20)
    content = CONTENT * 4
    kept = _seal(content=content)
    assert _opened(kept) == content
    vault.remove_stream(kept.address)
    with pytest.raises(vault.NotIntact):
        _opened(kept)
    with pytest.raises(RuntimeError):
        _break_off(content)
    uploads = aws.admin("s3", "123456789012").list_multipart_uploads(Bucket=settings.VAULT_BUCKET)
    assert not uploads.get("Uploads")
    aws.admin("s3", "123456789012").create_multipart_upload(Bucket=settings.VAULT_BUCKET, Key="t/aa/killed")
    assert store().sweep(timezone.now() + timedelta(days=1)) == 1
    assert store().sweep(timezone.now() + timedelta(days=1)) == 0


@pytest.mark.parametrize("damage", ["", "flip", "cut", "delete"])
def test_a_blob_streams_as_it_was_sealed_or_says_that_it_is_not_intact(tenant, vault_directory, damage):
    content = (CONTENT + bytes(1_000_000)) * 2
    sealed = vault.seal(content, tenant_id=tenant.pk, media_type="application/octet-stream")
    with open_tenant(tenant.pk):
        blob = sealed.keep()
    path = vault_directory / blob.address
    path.chmod(0o600)
    stored = path.read_bytes()
    if damage == "flip":
        path.write_bytes(stored[:-30] + bytes([stored[-30] ^ 1]) + stored[-29:])
    elif damage == "cut":
        path.write_bytes(stored[:-1])
    elif damage == "delete":
        path.unlink()
    if damage:
        with pytest.raises(vault.NotIntact):
            b"".join(vault.stream_blob(blob))
    else:
        assert b"".join(vault.stream_blob(blob)) == content
        assert isinstance(FileStore(vault_directory).get(blob.address), bytes)
