"""Streams of the log against real receivers: every entry, in order, at least once, whatever the receiver does."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.streams import delivery, senders
from accounts.audit.streams.models import AuditStream, StreamKind, StreamState
from accounts.errors import InvalidInput, Unavailable
from accounts.services import streams
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_streams
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver:
    """A webhook's receiver that keeps what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status == 204:
                    receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def indexes(self) -> list[int]:
        return [
            event["metadata"]["sequence"]
            for _headers, body in self.got
            for event in json.loads(body)["data"]["entries"]
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def tenant(log: Any) -> Any:
    made = make_tenant()
    _write(log, made, 5)
    return made


def _write(log: Any, tenant: Any, count: int) -> None:
    with open_tenant(tenant.pk):
        for number in range(count):
            record(Act.EVIDENCE_READ, object_type="snapshot", object_id=number)
    log.seal()


def _webhook(tenant: Any, url: str) -> streams.StreamMade:
    with open_tenant(tenant.pk):
        return streams.create_stream(name="SIEM", kind=StreamKind.WEBHOOK, target=url, from_start=True)


def _deliver(tenant: Any, made: streams.StreamMade, **more: Any) -> AuditStream:
    """As the workers do: again while there is more; a failed one's wait is taken as over."""
    with open_tenant(tenant.pk):
        AuditStream.objects.update(due_at=timezone.now())
    while delivery.deliver_batch(tenant_id=tenant.pk, stream_id=made.stream.pk, **more):
        pass
    with open_tenant(tenant.pk):
        return AuditStream.objects.get(pk=made.stream.pk)


def test_every_entry_arrives_in_order_and_signed(log, tenant, receiver, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    made = _webhook(tenant, receiver.url)
    stream = _deliver(tenant, made)
    assert receiver.indexes == [0, 1, 2, 3, 4]
    assert (stream.position, stream.state, stream.last_error) == (5, StreamState.ACTIVE, "")
    for headers, body in receiver.got:
        Webhook(made.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(receiver.got[0][1] + b" ", receiver.got[0][0])


@pytest.mark.parametrize("status", [500, 404, 302, 429])
def test_what_the_receiver_refuses_is_sent_again_and_nothing_is_skipped(log, tenant, receiver, status):
    receiver.answers = [status]
    made = _webhook(tenant, receiver.url)
    failing = _deliver(tenant, made)
    assert (failing.position, failing.state, failing.failures) == (0, StreamState.FAILING, 1)
    assert str(status) in failing.last_error
    assert failing.due_at > timezone.now()
    recovered = _deliver(tenant, made)
    assert receiver.indexes == [0, 1, 2, 3, 4]
    assert (recovered.state, recovered.failures) == (StreamState.ACTIVE, 0)


def test_a_receiver_that_hangs_gives_the_worker_back_and_others_are_served(
    log, tenant, receiver, monkeypatch
):
    monkeypatch.setattr(senders, "SECONDS", 0.3)
    other = make_tenant()
    _write(log, other, 3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = _webhook(tenant, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert _deliver(tenant, hung).state == StreamState.FAILING
    assert _deliver(other, _webhook(other, receiver.url)).position == 3


def test_a_worker_that_dies_after_sending_leads_to_the_same_batch_under_the_same_id(log, tenant, receiver):
    made = _webhook(tenant, receiver.url)

    class Killed(BaseException):
        pass

    def send_and_die(stream: AuditStream, leaves: Any) -> None:
        senders.send(stream, leaves)
        raise Killed

    with pytest.raises(Killed):
        _deliver(tenant, made, sender=send_and_die)
    assert _deliver(tenant, made).position == 0, "the dead worker's lease still holds"
    with open_tenant(tenant.pk):
        AuditStream.objects.update(lease_until=timezone.now())
    assert _deliver(tenant, made).position == 5
    assert receiver.indexes == [0, 1, 2, 3, 4] * 2
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1


def test_a_replay_sends_again_from_a_position_and_forgets_what_was_under_way(log, tenant, receiver):
    made = _webhook(tenant, receiver.url)
    _deliver(tenant, made)
    with open_tenant(tenant.pk):
        streams.replay_stream(stream_id=made.stream.pk, position=3)

    def moved_meanwhile(stream: AuditStream, leaves: Any) -> None:
        senders.send(stream, leaves)
        with open_tenant(tenant.pk):
            streams.replay_stream(stream_id=stream.pk, position=1)

    assert _deliver(tenant, made, sender=moved_meanwhile).position == 1
    _deliver(tenant, made)
    assert receiver.indexes == [0, 1, 2, 3, 4, 3, 4, 1, 2, 3, 4]
    with open_tenant(tenant.pk), pytest.raises(InvalidInput):
        streams.replay_stream(stream_id=made.stream.pk, position=6)


def test_a_paused_stream_sends_nothing_and_goes_on_where_it_was(log, tenant, receiver):
    made = _webhook(tenant, receiver.url)
    with open_tenant(tenant.pk):
        streams.pause_stream(stream_id=made.stream.pk)
    assert _deliver(tenant, made).position == 0
    with open_tenant(tenant.pk):
        streams.resume_stream(stream_id=made.stream.pk)
    assert _deliver(tenant, made).position == 5


def test_the_sweeper_finds_streams_with_something_to_send(log, tenant, receiver):
    made, now = _webhook(tenant, receiver.url), timezone.now() + dt.timedelta(seconds=1)
    assert due_streams(now) == [(tenant.pk, made.stream.pk)]
    _deliver(tenant, made)
    assert due_streams(now) == []


def test_a_new_secret_ends_the_old_one(log, tenant, receiver):
    made = _webhook(tenant, receiver.url)
    with open_tenant(tenant.pk):
        renewed = streams.rotate_stream_secret(stream_id=made.stream.pk)
        assert made.secret.encode() not in bytes(AuditStream.objects.get().secret)
    _deliver(tenant, made)
    headers, body = receiver.got[0]
    Webhook(renewed.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(body, headers)


@pytest.mark.parametrize(
    ("kind", "target"),
    [("webhook", "http://169.254.169.254/"), ("webhook", "http://10.0.0.1/"), ("syslog", "10.1.2.3:6514")],
)
def test_a_stream_into_the_servers_own_network_sends_nothing(log, tenant, kind, target):
    with open_tenant(tenant.pk):
        made = streams.create_stream(name="x", kind=StreamKind(kind), target=target, from_start=True)
    stream = _deliver(tenant, made)
    assert (stream.position, stream.state) == (0, StreamState.FAILING)
    assert "not an address on the public Internet" in stream.last_error


@pytest.mark.parametrize(
    ("kind", "target"),
    [("webhook", "ftp://x/"), ("webhook", "nowhere"), ("syslog", "x:0"), ("syslog", ":6514")],
)
def test_a_target_that_cannot_be_one_is_refused(log, tenant, kind, target):
    with open_tenant(tenant.pk), pytest.raises(InvalidInput):
        streams.create_stream(name="x", kind=StreamKind(kind), target=target)


class SyslogReceiver:
    """A TLS receiver (RFC 5425) with a certificate of its own making."""

    def __init__(self, directory: Any) -> None:
        self.certificate, path = _certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context, self.frames, self._ended = context, [], threading.Event()
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        self._listener.settimeout(0.05)
        while not self._ended.is_set():
            try:
                plain, _ = self._listener.accept()
                plain.settimeout(5)
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    data = b"".join(iter(lambda: connection.recv(65536), b""))
            except OSError:
                continue
            while data:
                length, _, rest = data.partition(b" ")
                self.frames.append(rest[: int(length)])
                data = rest[int(length) :]

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()


def _certificate(directory: Any) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "syslog")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = directory / "both.pem"
    path.write_bytes(private + pem)
    return pem.decode(), str(path)


@pytest.fixture
def syslog(tmp_path: Any) -> Iterator[SyslogReceiver]:
    found = SyslogReceiver(tmp_path)
    yield found
    found.close()


def _syslog(tenant: Any, target: str, authority: str = "") -> streams.StreamMade:
    with open_tenant(tenant.pk):
        return streams.create_stream(
            name="collector", kind=StreamKind.SYSLOG, target=target, authority=authority, from_start=True
        )


def test_syslog_over_tls_carries_each_entry_in_a_frame(log, tenant, syslog):
    stream = _deliver(tenant, _syslog(tenant, syslog.target, syslog.certificate))
    assert (stream.position, stream.last_error) == (5, "")
    syslog.close()
    assert len(syslog.frames) == 5
    head, event = syslog.frames[0].split(b" - \xef\xbb\xbf")
    assert head.startswith(b"<110>1 ")
    assert head.endswith(b" surety surety - evidence.read")
    assert [json.loads(frame.partition(b"\xef\xbb\xbf")[2])["metadata"]["sequence"] for frame in syslog.frames] == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
    assert json.loads(event)["class_uid"] == 6003


def test_syslog_to_a_receiver_that_nobody_vouches_for_sends_nothing(log, tenant, syslog):
    stream = _deliver(tenant, _syslog(tenant, syslog.target))
    assert (stream.position, stream.state) == (0, StreamState.FAILING)
    assert "certificate" in stream.last_error
    assert syslog.frames == []


def test_waits_double_up_to_an_hour_and_differ():
    waits = [delivery.wait_after(failures).total_seconds() for failures in range(1, 40)]
    assert all(wait <= 3600 for wait in waits)
    assert 2.5 <= waits[0] <= 5
    assert min(waits[15:]) >= 1800
    assert len(set(waits)) == len(waits)
    assert issubclass(senders.ReceiverError, Unavailable)
