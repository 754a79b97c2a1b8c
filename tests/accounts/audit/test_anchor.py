"""Anchors are written once, and what can't be written waits its turn."""

from __future__ import annotations

import stat

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from accounts.audit.anchor import (
    AnchorConflictError,
    AnchorUnavailableError,
    DirectoryAnchor,
    S3Anchor,
    anchor_name,
    newest_note,
)
from tests.accounts.audit.kit import tenants, write

NAMES = [anchor_name(1, 999), anchor_name(1, 1_000_000), anchor_name(2, 7), anchor_name(2, 12)]


@pytest.fixture
def directory(tmp_path):
    return DirectoryAnchor(tmp_path / "anchor")


@pytest.fixture
def bucket(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="anchors", ObjectLockEnabledForBucket=True)
        yield client


@pytest.fixture(params=["directory", "s3"])
def store(request, directory):
    if request.param == "directory":
        return directory
    request.getfixturevalue("bucket")
    return S3Anchor("anchors")


def test_a_name_is_written_once(store):
    store.put("a/b.note", b"one")
    store.put("a/b.note", b"one")
    with pytest.raises(AnchorConflictError):
        store.put("a/b.note", b"two")
    assert store.get("a/b.note") == b"one"


def test_the_newest_is_found_by_epoch_and_size_not_by_time(store):
    assert newest_note(store) is None
    for name in (NAMES[3], NAMES[0], NAMES[2], NAMES[1]):
        store.put(name + ".json", b"{}")
        store.put(name + ".note", name.encode())
        store.put(anchor_name(3, 1) + ".json", b"{}")  # its note was never written
    assert newest_note(store) == (NAMES[3], NAMES[3])
    assert sorted(NAMES) == NAMES


def test_what_is_missing_is_not_made_up(store):
    with pytest.raises(AnchorUnavailableError):
        store.get("nothing")


def test_a_file_is_whole_read_only_and_alone(directory, tmp_path):
    directory.put("a/b.note", b"one")
    [path] = [each for each in (tmp_path / "anchor").rglob("*") if each.is_file()]
    assert path.name == "b.note"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_an_object_is_locked_for_seven_years_even_from_its_owner(bucket):
    S3Anchor("anchors").put("a.note", b"one")
    head = bucket.head_object(Bucket="anchors", Key="a.note")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert (head["ObjectLockRetainUntilDate"] - head["LastModified"]).days in range(7 * 365, 7 * 365 + 4)
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.delete_object(Bucket="anchors", Key="a.note", VersionId=head["VersionId"])


def test_a_bucket_that_is_not_there_is_unavailable(bucket):
    with pytest.raises(AnchorUnavailableError):
        S3Anchor("another").put("a.note", b"one")
    with pytest.raises(AnchorUnavailableError):
        newest_note(S3Anchor("another"))


def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AnchorUnavailableError):
        DirectoryAnchor(tmp_path / "file").put("a/b", b"one")


def test_heads_wait_while_the_anchor_is_down_and_are_brought_in_order(log, monkeypatch):
    [tenant] = tenants(1)
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryAnchor, "put", _down)
        for number in range(3):
            write(tenant, number)
            log.seal()
            with pytest.raises(AnchorUnavailableError):
                log.anchor()
    assert [row["anchored_at"] for row in log.superuser("select * from accounts_auditanchor")] == [None] * 3
    assert log.anchor() == 3
    log.assert_anchored()
    assert log.anchor() == 0
    log.assert_proved(tenant, [2])


def _down(*_):
    raise AnchorUnavailableError("down")


def test_an_anchoring_that_was_cut_off_is_repeated_with_the_same_bytes(log):
    [tenant] = tenants(1)
    write(tenant, 1)
    log.seal()
    log.anchor()
    log.superuser("update accounts_auditanchor set anchored_at = null, location = ''")
    assert log.anchor() == 1
    log.assert_anchored()
