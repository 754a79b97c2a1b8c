"""Ways to a receiver of a stream: a webhook signed as Standard Webhooks says, and syslog over TLS.

Both go where accounts.outbound lets them: addresses judged, names resolved once, no redirect followed.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from accounts.audit.events import ActOutcome
from accounts.audit.ocsf import to_ocsf
from accounts.audit.proofs import Leaf
from accounts.audit.streams.models import AuditStream, StreamKind
from accounts.errors import InvalidInput, Unavailable
from accounts.outbound import check_url, fetch, open_connection
from accounts.sealing import unseal
from accounts.webhooks.signing import signed_headers

SECONDS = 10.0
SYSLOG_TLS_PORT = 6514
_AUDIT_FACILITY = 13
_SEVERITY = {ActOutcome.DONE: 6, ActOutcome.REFUSED: 4, ActOutcome.FAILED: 3}
_SUCCESS = range(200, 300)


class ReceiverError(Unavailable):
    """The receiver didn't take the entries."""


class Sender(Protocol):
    """Sends entries in their order; returns when the receiver has them. Raises PortalError."""

    def __call__(self, stream: AuditStream, leaves: Sequence[Leaf]) -> None: ...


def secret_place(stream: AuditStream) -> str:
    """Where a stream's secret is sealed to."""
    return f"audit stream:{stream.pk}"


def send(stream: AuditStream, leaves: Sequence[Leaf]) -> None:
    """Sends entries by the stream's kind. Raises PortalError with what the receiver's people should know."""
    (send_webhook if stream.kind == StreamKind.WEBHOOK else send_syslog)(stream, leaves)


def send_webhook(stream: AuditStream, leaves: Sequence[Leaf]) -> None:
    """One signed request of a batch. Its id stays the same when it is repeated, so that receivers can tell."""
    body = json.dumps(_payload(stream, leaves), ensure_ascii=False, separators=(",", ":"))
    secret = unseal(bytes(stream.secret), place=secret_place(stream)).decode()
    headers = signed_headers(f"{stream.pk}.{leaves[0].index}", body, [secret])
    answer = fetch(stream.target, method="POST", content=body.encode(), seconds=SECONDS, headers=headers)
    if answer.status not in _SUCCESS:
        raise ReceiverError(f"The receiver answered {answer.status}.")


def _payload(stream: AuditStream, leaves: Sequence[Leaf]) -> dict[str, Any]:
    return {
        "type": "audit.entries",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "data": {
            "tenant": str(stream.tenant_id),
            "first": leaves[0].index,
            "entries": [to_ocsf(leaf.body, index=leaf.index) for leaf in leaves],
        },
    }


def send_syslog(stream: AuditStream, leaves: Sequence[Leaf]) -> None:
    """The entries as RFC 5424 messages, framed by their length over TLS (RFC 5425), one connection a batch.

    Syslog has no acknowledgement: they are taken as delivered when the connection was closed in good order.
    """
    host, port = read_host_port(stream.target)
    with open_connection(host, port, seconds=SECONDS, authority=stream.authority) as connection:
        try:
            connection.sendall(b"".join(framed(syslog_message(leaf)) for leaf in leaves))
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()
        except ssl.SSLError:
            pass  # a receiver that closes without TLS's farewell; what it read is acknowledged by TCP alone
        except OSError as error:
            raise ReceiverError(f"{host} broke the connection off.") from error


def syslog_message(leaf: Leaf) -> bytes:
    """An entry as an RFC 5424 message: facility 13 (log audit), the act as its kind, the OCSF event as its text."""
    event = to_ocsf(leaf.body, index=leaf.index)
    said = json.loads(leaf.body)
    priority = _AUDIT_FACILITY * 8 + _SEVERITY[ActOutcome(said["outcome"])]
    head = f"<{priority}>1 {said['at']} surety surety - {said['act'][:32]} - "
    return (
        head.encode()
        + b"\xef\xbb\xbf"
        + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    )


def framed(message: bytes) -> bytes:
    """With its length before it (RFC 5425, section 4.3.1)."""
    return f"{len(message)} ".encode() + message


def read_host_port(target: str) -> tuple[str, int]:
    """The host and port of `host:port`. Raises InvalidInput."""
    host, _, port = target.rpartition(":") if ":" in target else (target, "", str(SYSLOG_TLS_PORT))
    host = host.strip("[]")
    if not host or not host.isascii() or not port.isdecimal() or not 0 < int(port) < 1 << 16 or "/" in host:
        raise InvalidInput("Give the receiver as host:port, such as logs.example.org:6514.", field="target")
    return host, int(port)


def check_target(kind: StreamKind, target: str) -> None:
    """Raises InvalidInput for a target that can't be one of its kind."""
    if kind is StreamKind.SYSLOG:
        read_host_port(target)
    else:
        check_url(target)
