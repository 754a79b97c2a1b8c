"""Second factors: time-based codes (RFC 6238) from an app, and recovery codes for the day the phone is lost.

Both are django-otp devices. Codes are checked by django_otp.match_token alone, which locks the device's row:
calling a device's verify_token directly accepts one code several times when raced.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin, VerifyNotAllowed
from django_otp.oath import TOTP

from accounts.sealing import seal, unseal

SEED_BYTES = 20  # RFC 4226 R6 recommends 160 bits, the length every app takes
STEP_SECONDS = 30
GRACE_SECONDS = 5
"""A code holds for its own step of 30 seconds (ASVS 5.0 6.5.5) and these few before and after: the time that typing,
the network and two clocks take at the border of two steps (RFC 6238 5.2). It is accepted once all the same."""
LONGEST_WAIT_SECONDS = 15 * 60
RECOVERY_CODES = 10

_TOTP_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY_CODE = re.compile(r"[a-z2-7]{26}", re.ASCII)


class TotpDevice(ThrottlingMixin, Device):  # type: ignore[misc] # django-otp has no types
    """An authenticator app with a sealed seed; unconfirmed until a first code proves that the app has it."""

    sealed_seed = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "confirmed"], name="accounts_totpdevice_one_of_each"),
        )

    @property
    def seed(self) -> bytes:
        return unseal(bytes(self.sealed_seed), place=f"totp:{self.user_id}")

    @property
    def secret(self) -> str:
        """The seed as apps take it by hand: base32."""
        return base64.b32encode(self.seed).decode("ascii")

    @property
    def uri(self) -> str:
        """The otpauth URI that the QR code holds (the Key URI Format of Google Authenticator)."""
        issuer = settings.OTP_TOTP_ISSUER
        query = {
            "secret": self.secret,
            "issuer": issuer,
            "algorithm": "SHA1",
            "digits": 6,
            "period": STEP_SECONDS,
        }
        label = quote(f"{issuer}:{self.user.get_username()}")
        return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote)}"

    def renew_seed(self) -> None:
        self.sealed_seed = seal(secrets.token_bytes(SEED_BYTES), place=f"totp:{self.user_id}")

    def get_throttle_factor(self) -> int:
        return 1

    def verify_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """As django-otp's doubling wait, but never longer than 15 minutes: its own grows to days."""
        until = self.blocked_until()
        if until is None or timezone.now() >= until:
            return True, None
        count = self.throttling_failure_count
        return False, {
            "reason": VerifyNotAllowed.N_FAILED_ATTEMPTS,
            "failure_count": count,
            "locked_until": until,
        }

    def blocked_until(self) -> datetime | None:
        """When the next code is looked at, after failures."""
        if not self.throttling_failure_count or self.throttling_failure_timestamp is None:
            return None
        doubled = 2 ** min(self.throttling_failure_count - 1, 20)
        failed_at: datetime = self.throttling_failure_timestamp
        return failed_at + timedelta(seconds=min(doubled, LONGEST_WAIT_SECONDS))

    def verify_token(self, token: str) -> bool:
        """For django_otp.match_token, which holds the row's lock."""
        return self.accept(token)

    def accept(self, token: str) -> bool:
        """Whether the code is right, new, and not too soon after failures. The caller has locked the row."""
        if not _TOTP_CODE.fullmatch(token) or not self.verify_is_allowed()[0]:
            return False
        step = self._step_of(int(token))
        if step is None:
            self.throttle_increment()
            return False
        self.last_step, self.last_used_at = step, timezone.now()
        self.throttle_reset(commit=False)
        self.save()
        return True

    def _step_of(self, code: int) -> int | None:
        """The step that the code is of, now or within the grace, and after the last one that was used."""
        totp, now = TOTP(self.seed, STEP_SECONDS), time.time()
        for at in (now, now - GRACE_SECONDS, now + GRACE_SECONDS):
            totp.time = at
            if totp.verify(code, 0, self.last_step + 1):
                return int(totp.t())
        return None


class RecoveryCodeDevice(Device):  # type: ignore[misc] # as above
    """A person's sheet of recovery codes.

    There is no wait after failures: 128 random bits can't be guessed, and so whoever knows the password can't
    keep the owner out by giving wrong codes.
    """

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user"], name="accounts_recoverycodedevice_once"),)

    def verify_token(self, token: str) -> bool:
        """For django_otp.match_token: whether the code is of this sheet and unused; it is used up."""
        code = normalize_recovery_code(token)
        if not _RECOVERY_CODE.fullmatch(code):
            return False
        unused = self.codes.filter(digest=recovery_code_digest(code), used_at=None)
        return bool(unused.update(used_at=timezone.now()))

    def left(self) -> int:
        return int(self.codes.filter(used_at=None).count())


class RecoveryCode(models.Model):
    """One code, of which only the SHA-256 is kept: with 128 random bits a slow hash would add nothing."""

    device = models.ForeignKey(RecoveryCodeDevice, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "digest"], name="accounts_recoverycode_once"),
        )

    def __str__(self) -> str:
        return "used recovery code" if self.used_at else "recovery code"


def new_recovery_code() -> str:
    """128 random bits in base32, in groups: "abcde-fghij-klmno-pqrst-uvwxyz"."""
    text = base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()
    return "-".join((text[:5], text[5:10], text[10:15], text[15:20], text[20:]))


def normalize_recovery_code(given: str) -> str:
    return given.replace("-", "").replace(" ", "").lower()


def recovery_code_digest(code: str) -> bytes:
    return hashlib.sha256(normalize_recovery_code(code).encode()).digest()
