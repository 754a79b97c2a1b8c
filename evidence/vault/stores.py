"""Where sealed bytes lie: a directory, or an S3 bucket. Written once, never overwritten."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from evidence.vault.errors import NotIntact, StoreUnavailable

_MISSING = "the stored bytes are missing"


class Store(Protocol):
    """Keeps bytes by address ("tenant/aa/id"). `put` raises StoreUnavailable and then has stored nothing."""

    def put(self, address: str, content: bytes) -> None: ...

    def get(self, address: str) -> bytes: ...


class FileStore:
    """A directory. A file appears under its name only when it is whole and on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, address: str, content: bytes) -> None:
        path = self._directory / address
        unfinished = path.with_name(f".{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
            unfinished.unlink()
            _sync_directory(path.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise StoreUnavailable(f"evidence can't be stored: {error.strerror}") from error

    def get(self, address: str) -> bytes:
        try:
            return (self._directory / address).read_bytes()
        except FileNotFoundError as error:
            raise NotIntact(_MISSING) from error


class S3Store:
    """A bucket. Retention comes from the bucket's Object Lock; `If-None-Match` refuses to overwrite."""

    def __init__(self, bucket: str, endpoint_url: str) -> None:
        import boto3

        self._bucket = bucket
        config = Config(s3={"addressing_style": "path"} if endpoint_url else {}, retries={"mode": "standard"})
        self._client = boto3.client("s3", endpoint_url=endpoint_url or None, config=config)

    def put(self, address: str, content: bytes) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=address, Body=content, IfNoneMatch="*", ChecksumAlgorithm="SHA256"
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"evidence can't be stored: {error}") from error

    def get(self, address: str) -> bytes:
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=address)["Body"].read())
        except self._client.exceptions.NoSuchKey as error:
            raise NotIntact(_MISSING) from error
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"evidence can't be read: {error}") from error


def store() -> Store:
    """The store that the settings name."""
    if settings.VAULT_STORE == "s3":
        return _s3_store(settings.VAULT_BUCKET, settings.VAULT_ENDPOINT_URL)
    return FileStore(Path(settings.VAULT_DIRECTORY))


@cache
def _s3_store(bucket: str, endpoint_url: str) -> S3Store:
    return S3Store(bucket, endpoint_url)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
