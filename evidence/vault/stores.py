"""Where sealed bytes lie: a directory, or an S3 bucket. Written once, never overwritten."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from evidence.vault.clients import aws_client
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
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
            unfinished.unlink()
            _sync_directory(path.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise StoreUnavailable(f"evidence can't be stored: {error.strerror}") from error

    def get(self, address: str) -> bytes:
        try:
            return (self._directory / address).read_bytes()
        except FileNotFoundError as error:
            raise NotIntact(_MISSING) from error


class S3Store:
    """A bucket. Retention comes from the bucket's Object Lock; `If-None-Match` refuses to overwrite."""

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket, self._client = bucket, client

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
        return S3Store(
            settings.VAULT_BUCKET, aws_client("s3", settings.VAULT_PROFILE, settings.VAULT_ENDPOINT_URL)
        )
    return FileStore(Path(settings.VAULT_DIRECTORY))


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
