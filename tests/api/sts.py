"""STS as AWS has it: a desk that checks Signature Version 4 in front of the stand-in, which takes any signature."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{}</Code><Message>No.</Message></Error></ErrorResponse>"""


class SignatureDesk(http.server.ThreadingHTTPServer):
    """Knows each access key's secret; `says` (status, body) is answered instead where a test set it."""

    daemon_threads = True

    def __init__(self, stand_in: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url, self.stand_in = f"http://127.0.0.1:{self.server_port}/", stand_in
        self.secrets: dict[str, str] = {}
        self.says: tuple[int, str] | None = None
        self.asked = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def sign(self, credentials: Any, headers: dict[str, str], body: str, url: str = "") -> dict[str, Any]:
        """A request as a client makes it, by botocore's own signer."""
        key, secret = credentials["aws_access_key_id"], credentials["aws_secret_access_key"]
        self.secrets[key] = secret
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest("POST", url or self.url, data=body, headers={**form, **headers})
        SigV4Auth(
            Credentials(key, secret, credentials.get("aws_session_token")), "sts", "us-east-1"
        ).add_auth(request)
        return {"url": url or self.url, "method": "POST", "headers": dict(request.headers), "body": body}

    def holds(self, method: str, headers: dict[str, str], body: str) -> bool:
        """Whether the signature is that of what was sent."""
        given = dict(
            part.strip().split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(",")
        )
        key, _, region, _, _ = given["Credential"].split("/")
        signed = {name: headers[name] for name in given["SignedHeaders"].split(";") if name in headers}
        request = AWSRequest(method, f"http://{headers['host']}/", data=body, headers=signed)
        request.context["timestamp"] = headers["x-amz-date"]
        signer = SigV4Auth(Credentials(key, self.secrets[key]), "sts", region)
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        made = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return wanted == given["Signature"] and abs((datetime.now(UTC) - made).total_seconds()) < 900


class _Handler(http.server.BaseHTTPRequestHandler):
    server: SignatureDesk

    def do_POST(self) -> None:
        self.server.asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer = self.server.says or (403, REFUSED.format("SignatureDoesNotMatch"))
        if self.server.says is None and self.server.holds("POST", headers, body.decode()):
            on = urllib.request.Request(self.server.stand_in, data=body, headers=headers, method="POST")
            with urllib.request.urlopen(on, timeout=30) as said:
                status, answer = said.status, said.read().decode()
        data = answer.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return
