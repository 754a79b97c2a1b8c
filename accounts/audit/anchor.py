"""Where the log's head is anchored, outside the database: a directory, or an S3 bucket with Object Lock.

A name is written once. Under "000003/000/000/001/000000001234" (epoch, then the size of the log of checkpoints, its
leading digits again as folders) stand NAME.json, what the head is made of, and then NAME.note, the signed head.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

RETENTION = timedelta(days=7 * 365 + 2)
"""How long S3 keeps an anchor whatever anybody asks: six years (45 CFR 164.316(b)(2)(i)) and one more."""
NOTE = ".note"
_OURS = re.compile(r"\d{3}/|\d{6}/|\d{12}\.note")
_S3_SECONDS = 5


class AnchorUnavailableError(RuntimeError):
    """The store doesn't answer or refuses; nothing was written, or it can't be known."""


class AnchorConflictError(RuntimeError):
    """Other bytes stand under that name already: another history was anchored there."""


class AnchorStore(Protocol):
    """Keeps bytes under names, written once."""

    def put(self, name: str, content: bytes) -> str:
        """Writes, unless the same bytes are there; returns where.

        Raises AnchorUnavailableError, AnchorConflictError.
        """
        ...

    def get(self, name: str) -> bytes:
        """The bytes of a name. Raises AnchorUnavailableError."""
        ...

    def children(self, folder: str) -> list[str]:
        """The names in a folder ("" for the top), those of folders with a slash at the end."""
        ...


def anchor_name(epoch: int, size: int) -> str:
    """The name of an anchor, without its ending. Names sort like (epoch, size)."""
    digits = f"{size:012d}"
    return f"{epoch:06d}/{digits[:3]}/{digits[3:6]}/{digits[6:9]}/{digits}"


def newest_note(store: AnchorStore) -> tuple[str, str] | None:
    """The name (without its ending) and the text of the newest anchored note. Raises AnchorUnavailableError."""
    name = _newest(store, "")
    return None if name is None else (name.removesuffix(NOTE), store.get(name).decode(errors="replace"))


def _newest(store: AnchorStore, folder: str) -> str | None:
    for child in sorted(filter(_OURS.fullmatch, store.children(folder)), reverse=True):
        if not child.endswith("/"):
            return folder + child
        if found := _newest(store, folder + child):
            return found
    return None


class DirectoryAnchor:
    """Files that appear whole, read-only and synced, and are never replaced.

    The directory should belong to another user or lie on write-once media: whoever owns it can still remove files.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, name: str, content: bytes) -> str:
        path = self._directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            _link_once(path, content)
            _sync(path.parent)
        except FileExistsError:
            if self.get(name) != content:
                raise AnchorConflictError(f"{path} holds another anchor") from None
        except OSError as error:
            raise AnchorUnavailableError(f"{path}: {error.strerror}") from error
        return str(path)

    def get(self, name: str) -> bytes:
        try:
            return (self._directory / name).read_bytes()
        except OSError as error:
            raise AnchorUnavailableError(f"{self._directory / name}: {error.strerror}") from error

    def children(self, folder: str) -> list[str]:
        try:
            with os.scandir(self._directory / folder) as found:
                names = [f"{each.name}/" if each.is_dir() else each.name for each in found]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AnchorUnavailableError(f"{self._directory / folder}: {error.strerror}") from error
        return [name for name in names if not name.startswith(".")]


def _link_once(path: Path, content: bytes) -> None:
    """Raises FileExistsError where the name is taken."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o444)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    finally:
        with suppress(FileNotFoundError):
            Path(unfinished).unlink()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class S3Anchor:
    """A bucket with Object Lock, best in another account: each object is locked in COMPLIANCE mode for seven years."""

    def __init__(self, bucket: str, *, profile: str = "", endpoint_url: str = "") -> None:
        import boto3  # half a second that a directory needn't pay
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self._bucket, self._errors = bucket, (BotoCoreError, ClientError)
        self._client: Any = boto3.Session(profile_name=profile or None).client(
            "s3",
            endpoint_url=endpoint_url or None,
            config=Config(
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                connect_timeout=_S3_SECONDS,
                read_timeout=_S3_SECONDS * 2,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )

    def put(self, name: str, content: bytes) -> str:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=name, Body=content, IfNoneMatch="*", ChecksumAlgorithm="SHA256",
                ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=datetime.now(UTC) + RETENTION,
            )  # fmt: skip
        except self._errors as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") != "PreconditionFailed":
                raise AnchorUnavailableError(f"s3://{self._bucket}/{name}: {error}") from error
            if self.get(name) != content:
                raise AnchorConflictError(f"s3://{self._bucket}/{name} holds another anchor") from error
        return f"s3://{self._bucket}/{name}"

    def get(self, name: str) -> bytes:
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())
        except self._errors as error:
            raise AnchorUnavailableError(f"s3://{self._bucket}/{name}: {error}") from error

    def children(self, folder: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=folder, Delimiter="/"
        )
        try:
            return [
                name.removeprefix(folder)
                for page in pages
                for name in (
                    *(each["Prefix"] for each in page.get("CommonPrefixes", ())),
                    *(each["Key"] for each in page.get("Contents", ())),
                )
            ]
        except self._errors as error:
            raise AnchorUnavailableError(f"s3://{self._bucket}/{folder}: {error}") from error


def anchor_store() -> AnchorStore:
    """The store that the settings name."""
    if settings.ANCHOR_STORE == "s3":
        return S3Anchor(
            settings.ANCHOR_BUCKET,
            profile=settings.ANCHOR_PROFILE,
            endpoint_url=settings.ANCHOR_ENDPOINT_URL,
        )
    return DirectoryAnchor(Path(settings.ANCHOR_DIRECTORY))
