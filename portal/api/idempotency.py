"""Idempotency-Key: a writing request that is repeated is done once, and answered with the first answer's bytes.

The answer is kept in the transaction of the request's effect: either both are there or none is, whatever dies between.
While the first is under way its key is held by a lock that PostgreSQL lets go with the transaction. What was refused
did nothing and isn't kept: its key is free again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, PortalError
from accounts.models import KeptAnswer
from accounts.sealing import seal, unseal
from accounts.tenancy.scope import current_tenant_id
from portal.api.wire import read_body

KEPT_FOR = timedelta(days=30)
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location")
_FORGOTTEN_AT_ONCE = 20


class KeyMissing(InvalidInput):
    """A writing request needs a key."""

    slug = "idempotency-key-missing"


class KeyReused(PortalError):
    """The key was used for another request."""

    status = 422
    slug = "idempotency-key-reused"


class RequestInFlight(PortalError):
    """The same request is being answered now."""

    status = 409
    slug = "request-in-flight"
    headers = {"Retry-After": "1"}


def answer_once(
    request: ApiRequest, act: Callable[[], HttpResponse], *, body: Callable[[], bytes] | None = None
) -> HttpResponse:
    """The first answer to this key of this caller, done now where there is none yet.

    `body` gives what stands for a body that was taken in a stream: its digest.
    Raises KeyMissing, KeyReused for another method, address or body, RequestInFlight.
    """
    key = request.headers.get("Idempotency-Key", "")
    check_key(request)
    given = body() if body else read_body(request)
    asked = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + given).digest()
    _hold(request.caller, key)
    kept = KeptAnswer.objects.filter(caller=request.caller, key=key).first()
    if kept and kept.answered_at > timezone.now() - KEPT_FOR:
        return _replay(kept, asked)
    response = act()
    if response.status_code < 400:  # noqa: PLR2004 (HTTP's own border; the rest is undone)
        _keep(request.caller, key, asked, response)
    return response


def check_key(request: ApiRequest) -> None:
    """Raises KeyMissing."""
    if not has_key(request):
        raise KeyMissing(
            "Give an Idempotency-Key of 1 to 255 visible ASCII characters, such as a random UUID."
        )


def has_key(request: ApiRequest) -> bool:
    """Whether the request has a key that can be one."""
    return bool(_KEY.fullmatch(request.headers.get("Idempotency-Key", "")))


def _hold(caller: str, key: str) -> None:
    said = f"{current_tenant_id()}\n{caller}\n{key}".encode()
    number = int.from_bytes(hashlib.sha256(said).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise RequestInFlight("The first request with this key is being answered. Ask again in a second.")


def _replay(kept: KeptAnswer, asked: bytes) -> HttpResponse:
    if not hmac.compare_digest(bytes(kept.asked_digest), asked):
        raise KeyReused("This key was used for another request. Take a new one for each request.")
    record(Act.REQUEST_REPLAY, object_type="request", object_id=kept.pk, status=kept.status)
    body = unseal(bytes(kept.sealed_body), place=_place(kept))
    return HttpResponse(body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})


def _keep(caller: str, key: str, asked: bytes, response: HttpResponse) -> None:
    old = KeptAnswer.objects.filter(answered_at__lt=timezone.now() - KEPT_FOR).order_by("answered_at")
    KeptAnswer.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE])).delete()
    KeptAnswer.objects.filter(caller=caller, key=key).delete()
    row = KeptAnswer(caller=caller, key=key, asked_digest=asked, status=response.status_code)
    row.headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
    row.sealed_body = seal(response.content, place=_place(row))
    row.save()


def _place(row: KeptAnswer) -> str:
    return f"answer:{row.pk}"
