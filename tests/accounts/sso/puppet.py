"""A provider of OpenID Connect that says what it is told, and tokens put together by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
from typing import Any
from urllib.parse import parse_qs

from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Puppet(http.server.ThreadingHTTPServer):
    """Discovery, keys, tokens and UserInfo: whatever the test put in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.keys: list[dict[str, Any]] = [KEY.as_dict(private=False)]
        self.discovery: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.info: dict[str, Any] = {"sub": "ada"}
        self.form: dict[str, list[str]] = {}
        self.keys_asked = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def say(self, path: str) -> object:
        if path.startswith("/.well-known"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
            return {"issuer": self.url, **{name: f"{self.url}/{name}" for name in names}, **self.discovery}
        if path.startswith("/jwks"):
            self.keys_asked += 1
            return {"keys": self.keys}
        return self.token if path.startswith("/token") else self.info


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.server.form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer()

    def _answer(self) -> None:
        body = json.dumps(self.server.say(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def part(said: object) -> str:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mac(header: dict[str, Any], claims: dict[str, Any], secret: bytes, digest: Any = hashlib.sha256) -> str:
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), digest).digest())}"
