"""A server that keeps to the interface's description of tokens and submissions, and fails as a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

from joserfc.jwk import OKPKey

CLIENT, SECRET = "0190b3f0-0000-7000-8000-000000000001", "not-to-be-seen"
RESET, CUT = "reset", "cut"
MOST_KEPT = 1 << 20
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "receipts-1", "use": "sig", "alg": "Ed25519"})


class Answer(NamedTuple):
    status: int
    said: Any
    headers: dict[str, str] = {}

    @classmethod
    def problem(cls, status: int, slug: str, detail: str = "", **headers: str) -> Answer:
        said = {"type": f"urn:surety:problem:{slug}", "title": slug, "status": status, "detail": detail}
        return cls(
            status,
            said,
            {
                "Content-Type": "application/problem+json",
                **{k.replace("_", "-"): v for k, v in headers.items()},
            },
        )


class Seen(NamedTuple):
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    """Empty where it is longer than MOST_KEPT."""
    sha256: bytes


@dataclass
class Portal:
    """`faults` are answers, or RESET or CUT, that the next requests whose path ends so get instead."""

    origin: str = ""
    faults: dict[str, deque[Any]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, Answer] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=lambda: {"state": "accepted"})
    outcome_of: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the file's name, where it isn't `outcome`."""
    tokens: list[str] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    token_seconds: int = 900
    asked_before_judged: int = 0

    def fail(self, path: str, *faults: Any) -> None:
        self.faults.setdefault(path, deque()).extend(faults)

    def asked(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path.endswith(path)]

    def answer(self, seen: Seen) -> Answer:
        match seen.method, seen.path.removeprefix("/api/v1/"):
            case "POST", "oauth/token":
                return self._token(seen)
            case "POST", "oauth/nonce":
                self.nonces.append(uuid4().hex)
                return Answer(200, {"nonce": self.nonces[-1], "expires_in": 300})
            case "GET", "/ci/token":
                return self._ci_token(seen)
            case "GET", "receipt-keys":
                return Answer(200, {"keys": [KEY.as_dict(private=False)]})
            case method, _path:
                if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                    return Answer.problem(401, "unauthenticated", "Get a new token.")
                acts = {"POST": self._push, "DELETE": self._delete}
                return acts.get(method, self._read)(seen)

    def _token(self, seen: Seen) -> Answer:
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        exchanged = form["grant_type"].endswith(":token-exchange") and form["client_id"] == CLIENT
        if not exchanged and seen.headers.get("authorization") != basic:
            return Answer(401, {"error": "invalid_client", "error_description": "No such client or secret."})
        self.tokens.append(f"surety_at_{uuid4().hex}")
        return Answer(
            200,
            {
                "access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.token_seconds,
                "scope": form.get("scope", "submissions:push submissions:read"),
            },
        )  # fmt: skip

    def _ci_token(self, seen: Seen) -> Answer:
        if seen.headers.get("authorization") != "bearer runner":
            return Answer(401, {})
        return Answer(200, {"value": f"jwt for {dict(seen.query)['audience']} in {dict(seen.query)['api']}"})

    def _push(self, seen: Seen) -> Answer:
        said = f"sha-256=:{base64.b64encode(seen.sha256).decode()}:"
        if seen.headers.get("content-digest", said) != said:
            return Answer.problem(400, "digest-mismatch", "The body isn't what Content-Digest says.")
        key = seen.headers["idempotency-key"]
        if key in self.kept:
            return self.kept[key]._replace(headers={"Idempotency-Replayed": "true"})
        payload = {
            "id": str(uuid4()), "state": "received", "sequence": len(self.submissions) + 1, "tenant": str(uuid4()),
            "digest": seen.sha256.hex(), "size": int(seen.headers["content-length"]), "received_at": "2026-03-31T10:00:00Z",
        }  # fmt: skip
        signed = sign(payload)
        self.submissions[payload["id"]] = {
            **payload, "format": "ocsf", "producer": "prowler", "media_type": seen.headers["content-type"],
            "name": dict(seen.query).get("name", ""), "problem": None, "counts": {},
            "citations": dict(seen.query).get("for", "").split(","), "receipt": signed,
        }  # fmt: skip
        self.kept[key] = Answer(201, {**payload, "receipt": signed})
        return self.kept[key]

    def _delete(self, seen: Seen) -> Answer:
        row = self.submissions[seen.path.rpartition("/")[2]]
        if self.outcome["state"] not in {"quarantined", "deleted"}:
            return Answer.problem(409, "conflict", "Only a document that is held back can be deleted.")
        self.outcome = {"state": "deleted"}
        return Answer(200, {**row, **self.outcome})

    def _read(self, seen: Seen) -> Answer:
        match seen.path.removeprefix("/api/v1/").split("/"):
            case ["submissions", name, "receipt"] if name in self.submissions:
                return Answer(200, {"receipt": self.submissions[name]["receipt"], "proof": None})
            case ["submissions", name] if name in self.submissions:
                self.asked_before_judged -= 1
                outcome = self.outcome_of.get(self.submissions[name]["name"], self.outcome)
                judged = {} if self.asked_before_judged >= 0 else outcome
                return Answer(200, {**self.submissions[name], **judged})
            case ["submissions"]:
                place = int(dict(seen.query).get("cursor", "0"))
                rows = list(self.submissions.values())
                return Answer(
                    200,
                    {
                        "data": rows[place : place + 1],
                        "next": str(place + 1) if place + 1 < len(rows) else None,
                    },
                )
        return Answer.problem(404, "not-found", "There is no such thing.")


def sign(payload: dict[str, Any]) -> str:
    """A compact JWS (RFC 7515), put together by hand: nothing of the client signs."""
    parts: tuple[dict[str, Any], ...] = (
        {"alg": "Ed25519", "kid": "receipts-1", "typ": "surety-receipt+jws"},
        payload,
    )
    said = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{said}.{_base64url(KEY.private_key.sign(said.encode()))}"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@contextmanager
def running_portal() -> Iterator[Portal]:
    portal = Portal()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            _answer(portal, self)

        def do_POST(self) -> None:
            _answer(portal, self)

        def do_DELETE(self) -> None:
            _answer(portal, self)

        def log_message(self, *_: Any) -> None:
            """Tests look at what was seen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    portal.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read_body(handler: BaseHTTPRequestHandler, size: int) -> tuple[bytes, bytes]:
    digest, kept, left = hashlib.sha256(), b"", size
    while left:
        chunk = handler.rfile.read(min(left, 64 << 10))
        if not chunk:
            break
        digest.update(chunk)
        left -= len(chunk)
        kept += chunk if size <= MOST_KEPT else b""
    return kept, digest.digest()


def _answer(portal: Portal, handler: BaseHTTPRequestHandler) -> None:
    url = urlsplit(handler.path)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    assert "transfer-encoding" not in headers
    body, digest = _read_body(handler, int(headers.get("content-length", "0")))
    seen = Seen(handler.command, url.path, parse_qsl(url.query), headers, body, digest)
    portal.seen.append(seen)
    waiting = portal.faults.get(url.path.rsplit("/", 1)[-1])
    fault = waiting.popleft() if waiting else None
    if fault == RESET:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    answer = fault if isinstance(fault, Answer) else portal.answer(seen)
    said = json.dumps(answer.said).encode()
    _write(handler, answer, said[: len(said) // 2] if fault == CUT else said, len(said))
    handler.close_connection = fault == CUT


def _write(handler: BaseHTTPRequestHandler, answer: Answer, said: bytes, size: int | None = None) -> None:
    handler.send_response(answer.status)
    length = str(len(said) if size is None else size)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": length,
        **answer.headers,
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(said)
