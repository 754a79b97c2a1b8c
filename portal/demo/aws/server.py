"""The HTTP server under the stand-in: threads, kept connections, one write per answer.

werkzeug's development server closes every connection, gunicorn would restart a worker and so lose moto's
state, and neither lets a fault cut a connection cleanly; http.server does all three in a page.
"""

from __future__ import annotations

import io
import logging
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, cast
from urllib.parse import unquote_to_bytes

from moto.core.config import default_user_config
from moto.moto_api._internal import mock_random
from werkzeug.serving import DechunkedInput

from portal.demo.aws.app import ConnectionCut, StandInApplication
from portal.demo.aws.wire import Environ

logger = logging.getLogger(__name__)


class StandInServer(ThreadingHTTPServer):
    """A WSGI server for one application, on loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Callable[..., Any]) -> None:
        super().__init__(address, StandInHandler)
        self.application = application

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's words
        """A client that hangs up is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            logger.error("failed on a request from %s", client_address, exc_info=sys.exc_info())


class StandInHandler(BaseHTTPRequestHandler):
    """One connection: requests in turn until the client closes it."""

    server: StandInServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Say nothing: calls are counted at /_standin/calls."""

    def _answer(self) -> None:
        environ = self._environ()
        head: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            application = self.server.application
            chunks = application(environ, lambda status, headers, *_: head.append((status, headers)))
        except ConnectionCut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._write(*head[-1], body=b"".join(chunks))

    def _write(self, status: str, headers: list[tuple[str, str]], *, body: bytes) -> None:
        code = int(status.split(" ", 1)[0])
        self.send_response(code, HTTPStatus(code).phrase)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # Head and body leave in one segment.
    wbufsize = 65536

    def _environ(self) -> Environ:
        path, _, query = self.path.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI wants the bytes of the path as latin-1 text.
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["wsgi.input"] = io.BytesIO(self._body(environ))
        return environ

    def _body(self, environ: Environ) -> bytes:
        if environ.pop("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            body: bytes = DechunkedInput(cast("IO[bytes]", self.rfile)).read()
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["CONTENT_LENGTH"] = str(len(body))
        return body

    # The names that http.server looks for.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer  # noqa: N815


def build_server(host: str, port: int, *, seed: int) -> StandInServer:
    """A server ready to run, with moto's generator of ids seeded: one seeding gives the same ARNs twice.

    Port 0 takes a free one; it is then in ``server_port``.
    """
    logging.basicConfig(level=logging.WARNING)
    mock_random.seed(seed)
    # Rotating a secret invokes its function, which moto would run in Docker.
    default_user_config["lambda"]["use_docker"] = False
    return StandInServer((host, port), StandInApplication())
