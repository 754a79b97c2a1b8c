"""When a session last proved both factors, and by what: what step-up and the tenant's sign-in policy ask.

A proof is password and code, a passkey with user verification, or the tenant's identity provider. Every proof
gives the session a new key (ASVS 5.0 7.2.4), so a key that leaked before it opens nothing afterwards.

Single sign-on: after the identity provider's answer call `note_proof(request, Factor.SSO)`. To offer it for
step-up, set `request.session[sessions.REAUTHENTICATE_AT]` to the path that begins a fresh authentication
(OIDC max_age=0, SAML ForceAuthn); when the provider has answered, call `note_proof` and redirect to
`after_step_up(request)`.
"""

from __future__ import annotations

import time
from typing import TypedDict

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django_otp.models import Device

from accounts import sessions
from accounts.devices import TotpDevice
from accounts.passkeys import Passkey
from accounts.requests import is_verified
from accounts.sessions import Factor

__all__ = [
    "PHISHING_RESISTANT", "Factor", "after_step_up", "factor_of", "has_fresh_proof", "keep_interrupted", "note_proof",
    "session_factor", "take_interrupted",
]  # fmt: skip

LONGEST_KEPT_FORM = 4096
SECRET_FIELDS = frozenset({"password", "current", "code", "credential"})


PHISHING_RESISTANT = frozenset({Factor.PASSKEY})
"""What satisfies a tenant that requires it: the browser signs for this site's name alone (NIST SP 800-63B-4 3.2.5)."""


class Interrupted(TypedDict):
    """A form that was sent when a fresh proof was missing, to be sent again by its person."""

    path: str
    fields: dict[str, list[str]]
    at: int


def note_proof(request: HttpRequest, factor: Factor) -> None:
    """Marks both factors as proved now, under a new session key.

    A verified session that was opened by a passkey stays one: a later code makes it neither stronger nor weaker.
    """
    request.session.cycle_key()
    request.session[sessions.PROVED_AT] = int(time.time())
    if not (is_verified(request) and session_factor(request) in PHISHING_RESISTANT):
        request.session[sessions.FACTOR] = factor.value


def factor_of(device: Device) -> Factor:
    """What a device of django-otp proves, together with the password where it isn't a passkey."""
    kinds = {Passkey: Factor.PASSKEY, TotpDevice: Factor.APP}
    return kinds.get(type(device), Factor.RECOVERY_CODE)


def has_fresh_proof(request: HttpRequest) -> bool:
    """Whether both factors were proved within settings.STEP_UP_SECONDS."""
    age = time.time() - float(request.session.get(sessions.PROVED_AT, 0))
    return bool(-1 <= age < settings.STEP_UP_SECONDS)


def session_factor(request: HttpRequest) -> Factor | None:
    """By what the session was opened; None before the second step."""
    said = request.session.get(sessions.FACTOR)
    return Factor(said) if said else None


def keep_interrupted(request: HttpRequest) -> bool:
    """Keeps a form in the session, to go on after the proof. False for one that holds a secret, a file or much."""
    request.session.pop(sessions.INTERRUPTED, None)
    if request.method != "POST" or not _may_be_kept(request):
        return False
    fields = {name: [str(one) for one in values] for name, values in request.POST.lists()}
    fields.pop("csrfmiddlewaretoken", None)
    request.session[sessions.INTERRUPTED] = Interrupted(
        path=request.get_full_path(), fields=fields, at=int(time.time())
    )
    return True


def take_interrupted(request: HttpRequest) -> Interrupted | None:
    """The form that was kept, once; None where there is none, or it is older than a proof lasts."""
    kept: Interrupted | None = request.session.pop(sessions.INTERRUPTED, None)
    if kept is None or time.time() - kept["at"] > settings.STEP_UP_SECONDS:
        return None
    return kept


def after_step_up(request: HttpRequest) -> str:
    """The path to go to after a fresh proof: the interrupted form, else where the person wanted to go."""
    if sessions.INTERRUPTED in request.session:
        return reverse("step-up-continue")
    wanted: str = request.session.pop(sessions.STEP_UP_NEXT, "")
    return wanted or reverse("profile")


def _may_be_kept(request: HttpRequest) -> bool:
    given = request.POST
    if request.FILES or SECRET_FIELDS & set(given):
        return False
    return sum(len(name) + sum(map(len, values)) for name, values in given.lists()) <= LONGEST_KEPT_FORM
