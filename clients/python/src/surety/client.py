"""The client: push a document, see what came of it, read the lists."""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import httpx

from surety.answers import Json, Page, Receipt, Submission
from surety.documents import Document, open_document
from surety.errors import AnswerUnreadable, SettingUnfit, Undecided
from surety.receipts import verify
from surety.retry import Retry
from surety.tokens import ClientSecret, TokenSource
from surety.wire import Wire, read_object

T = TypeVar("T")
Value = str | int | bool | datetime | Iterable[str] | None
PUSH_TIMEOUT = httpx.Timeout(300.0, connect=10.0)
"""The portal answers a push once the document is sealed; a big one takes its time."""
ASK_FIRST, ASK_LONGEST = 0.3, 5.0


class Client:
    """One API client of one portal. Use it as a context manager, or `close` it. Threads may share it.

    Give `client_id` and `client_secret`, or a `token_source`: an OidcToken, an AwsIdentity, or your own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str = "",
        client_secret: str = "",
        token_source: TokenSource | None = None,
        retry: Retry | None = None,
    ) -> None:
        if token_source and client_secret:
            raise SettingUnfit("Give either a secret or a token source.")
        self._wire = Wire(base_url, retry=retry)
        self._retry = retry or Retry()
        self._tokens = token_source or ClientSecret(base_url, client_id, client_secret, retry=retry)

    def __repr__(self) -> str:
        return f"Client({self._wire.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections, those of the token source too."""
        self._wire.close()
        close = getattr(self._tokens, "close", None)
        if close:
            close()

    # Submissions

    def push(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        citations: Iterable[str] = (),
        format: str | None = None,  # noqa: A002 (the interface's own word)
        stream: str | None = None,
        complete: bool = False,
        effective_from: datetime | str | None = None,
        effective_to: datetime | str | None = None,
        mapping: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Sends a document, and gives the signed receipt once the portal has sealed it.

        The parameters are those of POST /api/v1/submissions (docs/api.md). Without `idempotency_key` one is made of the
        document's digest and the parameters: the same push again, within 30 days, is the same submission.

        Raises Problem, Unreachable, DocumentChanged, AnswerUnreadable (also where the receipt tells of another
        document), and OSError where the file can't be read.
        """
        with open_document(source) as document:
            asked: dict[str, Value] = {
                "for": ",".join(sorted(set(citations))) or None,
                "format": format,
                "name": document.name or None if name is None else name,
                "stream": stream,
                "complete": complete or None,
                "effective_from": effective_from,
                "effective_to": effective_to,
                "mapping": mapping,
            }
            return self._push(document, _query(asked), content_type or document.content_type, idempotency_key)

    def _push(
        self, document: Document, query: list[tuple[str, str]], content_type: str, key: str | None
    ) -> Receipt:
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(document.size),
            "Content-Digest": document.content_digest,
            "Idempotency-Key": key or _key(document, query, content_type),
        }
        response = self._send(
            "POST",
            "submissions",
            lambda: {
                "params": query,
                "headers": headers,
                "content": document.chunks(),
                "timeout": PUSH_TIMEOUT,
            },
        )
        replayed = response.headers.get("Idempotency-Replayed") == "true"
        receipt = Receipt.read(read_object(response), replayed=replayed)
        if (receipt.digest, receipt.size) != (document.sha256.hex(), document.size):
            raise AnswerUnreadable(
                "The portal's receipt tells of another document than the one that was sent."
            )
        return receipt

    def submission(self, submission_id: str) -> Submission:
        """A submission as it stands now. Raises Problem."""
        return Submission.read(self.get(f"submissions/{_step(submission_id)}"))

    def submissions(self, **filters: Value) -> Iterator[Submission]:
        """All of them, newest first, by `state`, `format`, `stream`."""
        for page in self.pages_of(Submission.read, "submissions", **filters):
            yield from page.items

    def wait(self, submission_id: str, timeout: float = 600.0) -> Submission:
        """The submission once the portal has judged it. Raises Undecided after `timeout` seconds."""
        end = time.monotonic() + timeout
        for asked in count():
            found = self.submission(submission_id)
            if found.is_decided:
                return found
            left = end - time.monotonic()
            if left <= 0:
                break
            pause = min(ASK_LONGEST, ASK_FIRST * 1.5**asked) * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
            self._retry.sleep(min(pause, left))
        raise Undecided(
            f"Submission {submission_id} was received, and isn't judged after {timeout:g} seconds."
        )

    def delete(self, submission_id: str) -> Submission:
        """Deletes a submission that is held back and that this API client pushed; again is the same.

        Needs the scope submissions:delete. Raises Problem: `conflict` for one that isn't held back, `forbidden` for one
        that another sent.
        """
        path = f"submissions/{_step(submission_id)}"
        return Submission.read(read_object(self._send("DELETE", path, dict)))

    def receipt(self, submission_id: str) -> Json:
        """`receipt`, the signed form, and `proof`, that it stands in the sealed audit log; None until it is sealed."""
        return self.get(f"submissions/{_step(submission_id)}/receipt")

    def receipt_keys(self) -> Json:
        """The keys that receipts are signed with, as a JWK set (RFC 7517)."""
        return self.get("receipt-keys")

    def verify(self, receipt: Receipt | str, jwks: Mapping[str, Any] | None = None) -> Json:
        """What the portal signed (surety.verify), by the keys that it gives now unless others are given."""
        return verify(receipt, self.receipt_keys() if jwks is None else jwks)

    # Everything else

    def get(self, path: str, **parameters: Value) -> Json:
        """The JSON object at an address below /api/v1, such as `safeguards/164.312(b)`. Raises Problem."""
        query = _query(parameters)
        return read_object(self._send("GET", path, lambda: {"params": query}))

    def pages(self, path: str, **parameters: Value) -> Iterator[Page[Json]]:
        """A list, part by part; `limit` says how many items to a part. Raises Problem."""
        return self.pages_of(dict, path, **parameters)

    def pages_of(self, make: Callable[[Json], T], path: str, **parameters: Value) -> Iterator[Page[T]]:
        """A list, part by part, each item as what `make` turns it into."""
        cursor: str | None = None
        while True:
            page = _page(self.get(path, **{**parameters, "cursor": cursor}), make)
            yield page
            if page.next is None:
                return
            cursor = page.next

    def items(self, path: str, **parameters: Value) -> Iterator[Json]:
        """A list's items, one by one."""
        for page in self.pages(path, **parameters):
            yield from page.items

    def _send(self, method: str, path: str, rest: Callable[[], dict[str, Any]]) -> httpx.Response:
        """The answer, by a new token where the portal refuses the kept one: it may have been revoked meanwhile."""

        def make() -> httpx.Request:
            request = self._wire.build(method, path, **rest())
            request.headers["Authorization"] = f"Bearer {self._tokens.token()}"
            return request

        response = self._wire.send(make)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.forget()
            response = self._wire.send(make)
        return response


def _key(document: Document, query: list[tuple[str, str]], content_type: str) -> str:
    said = json.dumps([document.sha256.hex(), content_type, query], ensure_ascii=True)
    return f"push-{hashlib.sha256(said.encode()).hexdigest()}"


def _query(parameters: Mapping[str, Value]) -> list[tuple[str, str]]:
    return [(name, text) for name, value in parameters.items() for text in _texts(name, value)]


def _texts(name: str, value: Value) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            raise SettingUnfit(f"{name} needs a zone.")
        yield value.isoformat()
    elif isinstance(value, str | int):
        yield str(value)
    else:
        yield from [",".join(value)] if name == "fields" else value


def _page(said: Json, make: Callable[[Json], T]) -> Page[T]:
    data, following = said.get("data"), said.get("next")
    if not isinstance(data, list) or not isinstance(following, str | None):
        raise AnswerUnreadable("The portal's answer is no list.")
    return Page(tuple(make(item) for item in data), following)


def _step(text: str) -> str:
    """One step of an address: what somebody typed can't lead elsewhere."""
    if not text or not all(char.isalnum() or char == "-" for char in text):
        raise SettingUnfit(f"{text!r} is no submission's id.")
    return text
