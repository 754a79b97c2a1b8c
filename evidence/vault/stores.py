"""Where sealed bytes lie: a directory, or an S3 bucket. Written once, never overwritten."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from evidence.vault.clients import aws_client
from evidence.vault.errors import NotIntact, StoreUnavailable

_MISSING = "the stored bytes are missing"
PART_BYTES = 16 << 20
"""What is sent to S3 at a time: 10,000 parts, which is S3's limit, make 156 GiB."""


class Store(Protocol):
    """Keeps bytes by address ("tenant/aa/id"). What raises StoreUnavailable has stored nothing.

    `write` gives a stream whose bytes appear under the address when its context ends without an error; `read` gives
    them as a stream, and raises NotIntact where there are none. `remove` takes back what was written, whole or not.
    """

    def put(self, address: str, content: bytes) -> None: ...

    def get(self, address: str) -> bytes: ...

    def write(self, address: str) -> AbstractContextManager[BinaryIO]: ...

    def read(self, address: str) -> BinaryIO: ...

    def remove(self, address: str) -> None: ...

    def sweep(self, before: datetime) -> int:
        """Takes back writing that nobody has gone on with since then and that never became an object; how many."""


class FileStore:
    """A directory. A file appears under its name only when it is whole and on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, address: str, content: bytes) -> None:
        with self.write(address) as file:
            file.write(content)

    def get(self, address: str) -> bytes:
        with self.read(address) as file:
            return file.read()

    @contextmanager
    def write(self, address: str) -> Iterator[BinaryIO]:
        path, unfinished = self._paths(address)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
            _sync_directory(path.parent)
        except OSError as error:
            raise StoreUnavailable(f"evidence can't be stored: {error.strerror}") from error
        finally:
            with suppress(OSError):
                unfinished.unlink()

    def read(self, address: str) -> BinaryIO:
        try:
            return (self._directory / address).open("rb")
        except FileNotFoundError as error:
            raise NotIntact(_MISSING) from error

    def remove(self, address: str) -> None:
        for path in self._paths(address):
            path.unlink(missing_ok=True)

    def sweep(self, before: datetime) -> int:
        """A process that is killed leaves its unfinished file, whose name begins with a dot: no address does."""
        found = [
            Path(folder) / name
            for folder, _, names in os.walk(self._directory)
            for name in names
            if name.startswith(".")
        ]
        return sum(_remove_older(path, before.timestamp()) for path in found)

    def _paths(self, address: str) -> tuple[Path, Path]:
        path = self._directory / address
        return path, path.with_name(f".{path.name}")


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
        with self.read(address) as body:
            try:
                return body.read()
            except BotoCoreError as error:
                raise StoreUnavailable(f"evidence can't be read: {error}") from error

    @contextmanager
    def write(self, address: str) -> Iterator[BinaryIO]:
        try:
            with _Multipart(self._client, self._bucket, address) as parts:
                yield parts
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"evidence can't be stored: {error}") from error

    def read(self, address: str) -> BinaryIO:
        try:
            body: BinaryIO = self._client.get_object(Bucket=self._bucket, Key=address)["Body"]
        except self._client.exceptions.NoSuchKey as error:
            raise NotIntact(_MISSING) from error
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"evidence can't be read: {error}") from error
        return body

    def remove(self, address: str) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=address)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"stored bytes can't be removed: {error}") from error

    def sweep(self, before: datetime) -> int:
        """Aborts uploads in parts that began before then: a writer that is still at one of them fails."""
        try:
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket)
            old = [each for page in pages for each in page.get("Uploads", ()) if each["Initiated"] < before]
            for each in old:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"]
                )
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"unfinished uploads can't be taken back: {error}") from error
        return len(old)


class _Multipart(io.RawIOBase, BinaryIO):
    """An upload in parts, which becomes an object at the end, or is aborted with an error."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        begun = client.create_multipart_upload(**self._place, ChecksumAlgorithm="SHA256")
        self._upload = {**self._place, "UploadId": begun["UploadId"]}
        self._parts: list[dict[str, Any]] = []
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            self._send(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]
        return len(data)

    def _send(self, part: bytes) -> None:
        number = len(self._parts) + 1
        sent = self._client.upload_part(
            **self._upload, PartNumber=number, Body=part, ChecksumAlgorithm="SHA256"
        )
        self._parts.append(
            {"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]}
        )

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed:
            self._client.abort_multipart_upload(**self._upload)
            return
        self._send(bytes(self._waiting))
        parts = {"Parts": self._parts}
        self._client.complete_multipart_upload(**self._upload, MultipartUpload=parts, IfNoneMatch="*")


def store() -> Store:
    """The store that the settings name."""
    if settings.VAULT_STORE == "s3":
        return S3Store(
            settings.VAULT_BUCKET, aws_client("s3", settings.VAULT_PROFILE, settings.VAULT_ENDPOINT_URL)
        )
    return FileStore(Path(settings.VAULT_DIRECTORY))


def _remove_older(path: Path, before: float) -> bool:
    try:
        if path.stat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False  # its writer was faster
    return True


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
